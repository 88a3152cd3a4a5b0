"""The rows that the live model has scored, read again from their files, and those of them that may be asked about."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from ml_platform.monitoring import window
from ml_platform.monitoring.window import Window
from ml_platform.parsing.batches import read_batches
from ml_platform.registry.loaded_model import LoadedModel
from ml_platform.scoring.model_rows import model_frame, reading_spec
from ml_platform.specs.holdout import holdout_by_entity
from ml_platform.specs.spec import Dataset
from ml_platform.storage import object_store
from ml_platform.storage.database import fetch, identifier, rows
from ml_platform.training.training_set import entity_ids

MOST_ROWS = 50_000  # the rows of older files are not looked at
HOLDOUT, LABELLED, ASKED, AGAIN = "in the hold-out", "labelled", "asked about before", "scored again later"
BEGINNING = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True)
class ScoredFile:
    """Rows of one file.

    Attributes:
        rows: typed, as they were read to be scored, shape (n_rows, n_columns).
        uploaded: when the file came into the bucket.
    """

    rows: pa.RecordBatch
    uploaded: datetime

    def filter(self, mask: NDArray[np.bool_]) -> "ScoredFile":
        """Return the rows of a mask of shape (n_rows,)."""
        return ScoredFile(self.rows.filter(pa.array(mask)), self.uploaded)


@dataclass(frozen=True)
class ScoredRow:
    """What identifies a row: its key, its moment, and the id by which a person is asked about it.

    Attributes:
        key: the typed values of the key columns, by name.
        moment: event time; without one, when its file came into the bucket.
        ask_id: the same for the same row, however often it is scored.
    """

    key: dict[str, Any]
    moment: datetime
    ask_id: str


def scored_files(model: LoadedModel, current: Dataset) -> Iterator[ScoredFile]:
    """Yield the rows that a model has scored in files, the newest file first, `MOST_ROWS` or a few more.

    Files that are not in the bucket any more are left out.

    Args:
        model: that scored them.
        current: the spec in `datasets/*.yaml` now.

    Raises:
        ContractError: a file is not what it was when it was scored.
        ServiceError: a server failed.
    """
    ever, count = Window(model.name, model.version, BEGINNING, datetime.now(UTC)), 0
    for report in reversed(window.files(ever)):
        if (version := window.stored(report)) is None:
            continue
        uploaded = datetime.fromisoformat(report["last_modified"])
        spec = reading_spec(model.dataset, current)
        with object_store.local_copy(version) as copy:
            for batch in read_batches(copy.file, spec, "test", repr(report["key"])):
                yield ScoredFile(batch.rows, uploaded)
                count += batch.rows.num_rows
        if count >= MOST_ROWS:
            return


def rows_without_file(model: LoadedModel) -> int:
    """Return how many rows a model has scored over HTTP or in a stream; their features are not kept."""
    statement = "SELECT count(*) FROM predictions.log WHERE model = $1 AND model_version = $2 AND source <> 'batch'"
    return int(fetch(statement, model.name, model.version)[0][0])


def identities(dataset: Dataset, file: ScoredFile) -> list[ScoredRow]:
    """Return what identifies each row of a file."""
    columns = [file.rows.column(key).to_pylist() for key in dataset.keys]
    times = file.rows.column(dataset.event_time).to_pylist() if dataset.event_time else [None] * file.rows.num_rows
    found = []
    for *values, time in zip(*columns, times, strict=True):
        key = dict(zip(dataset.keys, values, strict=True))
        identity = json.dumps([dataset.name, key, time and time.isoformat()])
        digest = sha256(identity.encode()).hexdigest()[:16]
        found.append(ScoredRow(key, time or file.uploaded, f"ask-{digest}"))
    return found


def candidates(
    cursor: Any, dataset: Dataset, files: Sequence[ScoredFile], identified: Sequence[ScoredRow]
) -> tuple[NDArray[np.bool_], Counter[str]]:
    """Return which of all rows may be asked about, as a mask, and for how many the others are left out, by reason.

    Args:
        cursor: of the transaction that will record what is asked.
        dataset: the spec in `datasets/*.yaml`; its hold-out is that of the next training.
        files: the rows.
        identified: what identifies them, in the same order.
    """
    is_labelled, is_asked = _labelled(cursor, dataset, files, identified), _asked_before(cursor, dataset)
    left_out, seen, reasons = _in_holdout(dataset, files), set(), []
    for position, row in enumerate(identified):
        reason = ""
        if row.ask_id in seen:
            reason = AGAIN
        elif left_out[position]:
            reason = HOLDOUT
        elif position in is_labelled:
            reason = LABELLED
        elif row.ask_id in is_asked:
            reason = ASKED
        seen.add(row.ask_id)
        reasons.append(reason)
    return np.array([not reason for reason in reasons], dtype=bool), Counter(filter(None, reasons))


def _keys(dataset: Dataset, files: Sequence[ScoredFile]) -> pa.Table:
    return pa.concat_tables(pa.table({key: file.rows.column(key) for key in dataset.keys}) for file in files)


def _in_holdout(dataset: Dataset, files: Sequence[ScoredFile]) -> NDArray[np.bool_]:
    ids = entity_ids(dataset, _keys(dataset, files).to_pandas())
    return holdout_by_entity(ids, dataset.name, dataset.gate.holdout)


def _labelled(cursor: Any, dataset: Dataset, files: Sequence[ScoredFile], identified: Sequence[ScoredRow]) -> set[int]:
    """Return the positions of rows with a label: of their key and event time or, without a key, of equal features."""
    moments = pa.array([row.moment for row in identified], pa.timestamp("us", tz="UTC"))
    places = _keys(dataset, files).append_column("event_timestamp", moments)
    places = places.append_column("position", pa.array(range(len(identified)), pa.int64()))
    cursor.adbc_ingest("places", places.to_reader(), mode="create", temporary=True)
    same = [f"l.{identifier(key)} = p.{identifier(key)}" for key in dataset.keys]
    if not dataset.has_key:
        same = [f"split_part(l.{key}, ':', 3) = split_part(p.{key}, ':', 3)" for key in map(identifier, dataset.keys)]
    elif dataset.event_time:
        same.append("l.event_timestamp = p.event_timestamp")
    found = rows(
        cursor,
        f"SELECT p.position FROM pg_temp.places p WHERE EXISTS (SELECT FROM labels.{identifier(dataset.name)} l"  # noqa: S608 – names are quoted
        f" WHERE {' AND '.join(same)})",
    )
    cursor.execute("DROP TABLE pg_temp.places")
    return {position for (position,) in found}


def _asked_before(cursor: Any, dataset: Dataset) -> set[str]:
    found = rows(cursor, "SELECT ask_id FROM labelling.asked WHERE dataset = $1", dataset.name)
    return {ask_id for (ask_id,) in found}


def frame_of(model: LoadedModel, files: Sequence[ScoredFile]) -> pd.DataFrame:
    """Return rows with the features of other tables, as the model saw them, shape (n_rows, n_columns)."""
    frames = [model_frame(model.dataset, file.rows, file.uploaded) for file in files if file.rows.num_rows]
    return pd.concat(frames, ignore_index=True)
