"""A request's rows become predictions: by the parser of files, the checks of files, and the model that scores files."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ml_platform.exceptions import ConfigurationError, ContractError
from ml_platform.files.formats import display_text
from ml_platform.files.json_rows import ListRows, decode_json
from ml_platform.parsing.batches import BadValue, typed_batches
from ml_platform.parsing.layout import columns_of, needed_columns
from ml_platform.registry.loaded_model import LoadedModel
from ml_platform.scoring.model_rows import model_rows
from ml_platform.serving.settings import MOST_ROWS
from ml_platform.specs.spec import Dataset, Table

REQUEST = "the request"
FORMS = 'not of the form {"rows": [{...}, ...]} or {"entities": [{...}, ...]}'
LACKS = "the row does not name it; null says that the value is missing"
TOO_LARGE = "a value is so large that the model gives no probability"


class Asked(NamedTuple):
    """What a request holds: whole rows, or the keys of entities; numbers are the texts that stand there."""

    kind: Literal["rows", "entities"]
    rows: list[Any]


class BadRequestError(ContractError):
    """A request that breaks the contract: what is wrong with it, and with which of its rows."""

    def __init__(self, problem: str, bad: tuple[BadValue, ...] = ()) -> None:
        """Say what is wrong; `line` of a bad value is the number of the row, from 1."""
        super().__init__(problem)
        self.bad = bad


@dataclass(frozen=True)
class Scored:
    """What a model said of rows.

    Attributes:
        model: that said it.
        rows: typed, in the order of the request.
        probabilities: as `LoadedModel.predict` returns them.
        predictions: class indices, shape (n_rows,).
    """

    model: LoadedModel
    rows: pa.RecordBatch
    probabilities: NDArray[np.float64]
    predictions: NDArray[np.int64]

    def each(self) -> Iterator[tuple[dict[str, Any], float, str, dict[str, float] | None]]:
        """Yield of each row its key, the probability, the predicted class and, of several classes, that of each.

        As in a result file the probability is that of the positive class, of several classes that of the predicted one.
        """
        dataset, classes = self.model.dataset, self.model.classes
        keys = [self.rows.column(key).to_pylist() for key in dataset.keys]
        headers = [dataset.header(key) for key in dataset.keys]
        values = self.probabilities.tolist()
        for i, (prediction, *key) in enumerate(zip(self.predictions.tolist(), *keys, strict=True)):
            each = None if self.model.threshold is not None else dict(zip(classes, values[i], strict=True))
            probability = values[i] if each is None else values[i][prediction]
            yield dict(zip(headers, key, strict=True)), probability, classes[prediction], each


def asked(body: bytes) -> Asked:
    """Return what a request's body asks for: `{"rows": [{...}, ...]}` or `{"entities": [{...}, ...]}`.

    Raises:
        BadRequestError: it is no such JSON, or has no rows or too many.
    """
    try:
        said = decode_json(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise BadRequestError(f"{REQUEST}: not valid UTF-8 at byte {error.start + 1}") from None
    except ValueError as error:
        raise BadRequestError(f"{REQUEST}: {error}") from None
    if not isinstance(said, dict) or set(said) not in ({"rows"}, {"entities"}):
        raise BadRequestError(f"{REQUEST}: {FORMS}")
    ((kind, rows),) = said.items()
    if not isinstance(rows, list):
        raise BadRequestError(f"{REQUEST}: {FORMS}")
    if not 1 <= len(rows) <= MOST_ROWS:
        raise BadRequestError(f"{REQUEST}: has {len(rows):,} {kind}; allowed are 1 to {MOST_ROWS:,}")
    return Asked(kind, rows)


def typed_rows(dataset: Dataset, asked: Asked) -> pa.RecordBatch:
    """Return the rows that are to be scored, typed as those of a `test` file are.

    Args:
        dataset: the spec that the model was trained by.
        asked: rows, or keys of entities, whose newest rows are looked up in the online store.

    Raises:
        BadRequestError: a row is bad (all of them are named), the rows lack a column, or an entity is not known.
        psycopg.Error: the online store is away.
    """
    if asked.kind == "rows":
        return _typed(dataset, asked.rows)
    from ml_platform.feature_store import online_rows  # here, for it brings Feast, whose import takes seconds

    keys = _typed_keys(dataset, asked.rows)
    try:
        rows, unknown = online_rows.newest_rows(dataset, keys)
    except ConfigurationError as error:
        raise BadRequestError(f"{REQUEST}: {error}") from None
    if unknown:
        bad = tuple(_unknown(dataset, keys, i) for i in unknown)
        raise BadRequestError(f"{REQUEST}: {len(bad):,} of {len(asked.rows):,} entities are unknown", bad)
    return rows


def _typed(table: Table, rows: list[Any]) -> pa.RecordBatch:
    wanted = [table.header(column) for column in columns_of(table, "test")]
    try:
        batches = list(typed_batches(ListRows(rows, REQUEST, wanted), table, "test"))
    except ContractError as error:
        raise BadRequestError(str(error)) from None
    found = {(value.line, value.column): value for batch in batches for value in batch.bad}
    found |= {(value.line, value.column): value for value in _lacking(table, rows)}
    if bad := tuple(found[place] for place in sorted(found, key=lambda place: place[0])):
        raise BadRequestError(f"{REQUEST}: {len({b.line for b in bad}):,} of {len(rows):,} rows are bad", bad)
    return pa.Table.from_batches([batch.rows for batch in batches]).combine_chunks().to_batches()[0]


def _lacking(table: Table, rows: list[Any]) -> Iterator[BadValue]:
    """Yield what a row lacks that another brings: alone it would be refused, and company is no reason to guess."""
    needed = {table.header(name).strip() for name in needed_columns(table, "test")}
    for number, row in enumerate(rows, start=1):
        if isinstance(row, dict) and not needed.issubset(row):
            for header in sorted(needed.difference(name.strip() for name in row)):
                yield BadValue(number, header, "", LACKS)


def _typed_keys(dataset: Dataset, rows: list[Any]) -> pa.RecordBatch:
    headers = [dataset.header(key) for key in dataset.keys]
    given = {name.strip() for row in rows if isinstance(row, dict) for name in row}
    if more := sorted(map(display_text, given - set(headers))):
        raise BadRequestError(f"{REQUEST}: an entity is its key ({', '.join(headers)}) and no more: {', '.join(more)}")
    columns = {key: dataset.columns[key] for key in dataset.keys}
    said = dataset.model_dump(include={"name", "description", "entity", "missing"})
    return _typed(Table(**said, columns=columns), rows)


def _unknown(dataset: Dataset, keys: pa.RecordBatch, row: int) -> BadValue:
    cells = [str(keys.column(key)[row].as_py()) for key in dataset.keys]
    headers = ", ".join(dataset.header(key) for key in dataset.keys)
    reason = f"no {dataset.entity.name} of this key is in the online store; send its row"
    return BadValue(row + 1, headers, display_text(", ".join(cells)), reason)


def scored(model: LoadedModel, rows: pa.RecordBatch, requested: datetime) -> Scored:
    """Score typed rows, as `scoring` does with those of a file.

    Args:
        model: that answers.
        rows: as `typed_rows` returns them.
        requested: the moment that stands in where the data set has no event time.

    Raises:
        BadRequestError: a row has no probability.
        RegistryError: the model cannot score.
    """
    probabilities, predictions = model.predict(model_rows(model.dataset, rows, requested))
    finite = np.isfinite(probabilities.reshape(len(predictions), -1)).all(axis=1)
    if not finite.all():
        bad = tuple(BadValue(int(row) + 1, "", "", TOO_LARGE) for row in np.flatnonzero(~finite))
        raise BadRequestError(f"{REQUEST}: {len(bad):,} of {len(predictions):,} rows are bad", bad)
    return Scored(model, rows, probabilities, predictions)
