"""The messages of a stream: rows are parsed like those of a file, and each becomes a prediction or a rejection."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from ml_platform.exceptions import ContractError
from ml_platform.files.formats import display_text
from ml_platform.files.json_rows import NO_OBJECT, ListRows, decode_json
from ml_platform.files.source_rows import POSITION
from ml_platform.parsing.batches import BadValue, typed_batches
from ml_platform.parsing.layout import columns_of
from ml_platform.registry.loaded_model import LoadedModel
from ml_platform.scoring import prediction_log
from ml_platform.scoring.prediction_log import StreamPlace
from ml_platform.scoring.scored_rows import TOO_LARGE, ScoredRows, score
from ml_platform.specs.spec import Dataset

THE_MESSAGES = "the messages"
NO_VALUE = "the message has no value"


class Message(NamedTuple):
    """A message of the topic of rows.

    Attributes:
        topic: its name.
        partition: its number.
        offset: in the partition.
        key: kept for the answer, whatever it is.
        value: a JSON object in UTF-8.
    """

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None

    @property
    def place(self) -> dict[str, str | int]:
        """Where it is, for the answer."""
        return {"topic": self.topic, "partition": self.partition, "offset": self.offset}

    @property
    def place_text(self) -> str:
        """Where it is, for people."""
        return f"topic {self.topic}, partition {self.partition}, offset {self.offset}"


class Answer(NamedTuple):
    """The answer to a message: its key, and a JSON object."""

    key: bytes | None
    value: bytes


@dataclass(frozen=True)
class Answers:
    """The answers to some messages: each message has one, in one of both lists.

    Attributes:
        predictions: in the order of the messages.
        rejections: in the order of the messages.
        entries: for the log of predictions, in the schema `prediction_log.SCHEMA`; None if there are none.
    """

    predictions: list[Answer]
    rejections: list[Answer]
    entries: pa.RecordBatch | None


@dataclass
class _Sorted:
    """Messages whose rows can be scored, as indices into all, and the reasons of the others."""

    rows: pa.RecordBatch | None = None
    good: list[int] = field(default_factory=list)
    bad: dict[int, list[BadValue]] = field(default_factory=dict)


def answer(
    model: LoadedModel,
    spec: Dataset,
    messages: Sequence[Message],
    requested: datetime,
    topic_id: str,
    n_reasons: int = 0,
) -> Answers:
    """Score messages.

    Args:
        model: the model.
        spec: to read rows by; see `model_rows.reading_spec`.
        messages: of the topic of rows.
        requested: the time of the request.
        topic_id: tells a topic from a later one of the same name.
        n_reasons: per prediction; 0 if there are none.

    Raises:
        RegistryError: the model cannot score, or gives no reasons.
        ServiceError: a server that the features come from is not available.
    """
    found = _parse(spec, messages)
    scored = None
    while found.rows is not None and found.rows.num_rows:
        scored = score(model, found.rows, requested, n_reasons)
        if scored.is_finite.all():
            break
        _reject_infinite(found, scored)
        scored = None
    return Answers(
        list(_predictions(scored, messages, found.good)) if scored else [],
        [_rejection(messages[index], bad) for index, bad in sorted(found.bad.items())],
        _entries(scored, messages, found.good, requested, topic_id) if scored else None,
    )


def _parse(spec: Dataset, messages: Sequence[Message]) -> _Sorted:
    found, objects = _Sorted(), dict[int, dict[str, Any]]()
    for index, message in enumerate(messages):
        try:
            objects[index] = _object(message)
        except ValueError as error:
            text = (message.value or b"").decode("utf-8", "backslashreplace")
            found.bad[index] = [BadValue(0, "", display_text(text), str(error))]
    _type(spec, messages, objects, found)
    return found


def _object(message: Message) -> dict[str, Any]:
    if message.value is None:
        raise ValueError(NO_VALUE)
    try:
        content = decode_json(message.value.decode())
    except UnicodeDecodeError as error:
        raise ValueError(f"not valid UTF-8 at byte {error.start + 1}") from None
    if not isinstance(content, dict):
        raise ValueError(NO_OBJECT)  # noqa: TRY004 – a fault of the data
    return {POSITION: message.place_text, **content}


def _type(spec: Dataset, messages: Sequence[Message], objects: Mapping[int, dict[str, Any]], found: _Sorted) -> None:
    """Type the rows. Where together they break the contract, such as by an extra column, each is typed by itself."""
    if not objects:
        return
    indices = list(objects)
    first = messages[indices[0]]
    source = sha256(f"{first.place_text} {len(objects)}".encode()).hexdigest()  # for ids of rows without a key
    headers = [spec.header(column) for column in columns_of(spec, "test")]
    try:
        batches = list(typed_batches(ListRows(list(objects.values()), THE_MESSAGES, headers), spec, "test", source))
    except ContractError as error:
        if len(objects) == 1:
            found.bad[indices[0]] = [BadValue(0, "", "", str(error).removeprefix(f"{THE_MESSAGES}: "))]
            return
        for index, one in objects.items():
            _type(spec, messages, {index: one}, found)
        return
    bad = [value for batch in batches for value in batch.bad]
    for value in bad:
        found.bad.setdefault(indices[value.line - 1], []).append(value)
    lines = {value.line for value in bad}
    found.good += [index for line, index in enumerate(indices, start=1) if line not in lines]
    typed = [batch.rows for batch in batches]
    found.rows = _joined([found.rows, *typed] if found.rows is not None else typed)


def _joined(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    return pa.concat_batches(batches)


def _reject_infinite(found: _Sorted, scored: ScoredRows) -> None:
    finite = scored.is_finite
    for row in np.flatnonzero(~finite):
        found.bad[found.good[int(row)]] = [BadValue(0, "", "", TOO_LARGE)]
    found.good = [index for index, is_finite in zip(found.good, finite, strict=True) if is_finite]
    found.rows = scored.rows.filter(pa.array(finite))


def _predictions(scored: ScoredRows, messages: Sequence[Message], good: Sequence[int]) -> Iterator[Answer]:
    model = scored.model
    facts = {"model": model.name, "model_version": model.version, **model.task.facts()}
    for index, prediction in zip(good, scored.by_row(), strict=True):
        message = messages[index]
        yield _answer(message.key, facts | prediction | {"source": message.place})


def _rejection(message: Message, bad: Sequence[BadValue]) -> Answer:
    errors = [{"field": value.column, "value": value.value, "reason": value.reason} for value in bad]
    row = None if message.value is None else message.value.decode("utf-8", "backslashreplace")
    return _answer(message.key, {"errors": errors, "row": row, "source": message.place})


def _answer(key: bytes | None, content: Mapping[str, Any]) -> Answer:
    return Answer(key, json.dumps(content, allow_nan=False).encode())


def _entries(
    scored: ScoredRows, messages: Sequence[Message], good: Sequence[int], requested: datetime, topic_id: str
) -> pa.RecordBatch:
    places = [place_of(messages[index], topic_id) for index in good]
    return prediction_log.entries(
        scored.model, scored.rows, scored.outputs, scored.predictions, requested, places=places
    )


def place_of(message: Message, topic_id: str) -> StreamPlace:
    """Return where a message is, for the log of predictions."""
    return StreamPlace(f"{message.partition}-{topic_id}", message.offset)


def first_places(messages: Sequence[Message], topic_id: str) -> list[StreamPlace]:
    """Return the first offset of each partition among messages."""
    first: dict[int, Message] = {}
    for message in messages:
        if message.partition not in first or message.offset < first[message.partition].offset:
            first[message.partition] = message
    return [place_of(message, topic_id) for message in first.values()]
