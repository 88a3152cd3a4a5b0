"""The log of predictions: version, entity, event time, the prediction, time of the request and its source."""

import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Literal, NamedTuple

import pyarrow as pa

from ml_platform.evaluation.task import Outputs, Values
from ml_platform.registry.loaded_model import LoadedModel
from ml_platform.storage.database import rows as fetched

Source = Literal["http", "batch", "stream"]
TIMESTAMP = pa.timestamp("us", tz="UTC")
SCHEMA = pa.schema(
    [
        ("model", pa.string()), ("model_version", pa.int64()), ("entity_key", pa.string()), ("event_time", TIMESTAMP),
        ("probability", pa.float64()), ("prediction", pa.string()), ("low", pa.float64()), ("high", pa.float64()),
        ("requested_at", TIMESTAMP), ("stream_partition", pa.string()), ("stream_offset", pa.int64()),
    ]
)  # fmt: skip


class StreamPlace(NamedTuple):
    """Where a row is in a stream: its partition, which is named with the id of the topic, and its offset."""

    partition: str
    offset: int


def entries(
    model: LoadedModel,
    rows: pa.RecordBatch,
    outputs: Outputs,
    predictions: Values,
    requested: datetime,
    places: Sequence[StreamPlace] = (),
) -> pa.RecordBatch:
    """Return the log entries of scored rows.

    Args:
        model: the model that scored them.
        rows: typed, shape (n_rows, n_columns).
        outputs: as `LoadedModel.predict` returns them.
        predictions: as `LoadedModel.predict` returns them, shape (n_rows,).
        requested: when the predictions were requested; also the event time of rows that have none.
        places: of rows of a stream, shape (n_rows,).
    """
    dataset, n_rows = model.dataset, rows.num_rows
    keys = zip(*(rows.column(key).to_pylist() for key in dataset.keys), strict=True)
    times = rows.column(dataset.event_time).to_pylist() if dataset.event_time else [None] * n_rows
    nothing = [None] * n_rows
    columns = {
        "model": [model.name] * n_rows,
        "model_version": [model.version] * n_rows,
        "entity_key": [json.dumps(dict(zip(dataset.keys, key, strict=True))) for key in keys],
        "event_time": [time or requested for time in times],
        "requested_at": [requested] * n_rows,
        **model.task.log_columns(outputs, predictions),
        "stream_partition": [place.partition for place in places] or nothing,
        "stream_offset": [place.offset for place in places] or nothing,
    }
    arrays = [pa.array(columns.get(field.name, nothing), field.type) for field in SCHEMA]
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


class LogBuffer:
    """Keeps log entries in a file on disk until they are written to Postgres."""

    def __init__(self, file: Any) -> None:
        """Start with no entries.

        Args:
            file: binary, open for reading and writing, at its beginning.
        """
        self._file = file
        self._writer = pa.ipc.new_stream(file, SCHEMA)

    def add(self, batch: pa.RecordBatch) -> None:
        """Append entries."""
        self._writer.write_batch(batch)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield all entries; after this nothing can be added."""
        self._writer.close()
        self._file.seek(0)
        yield from pa.ipc.open_stream(self._file)


@contextmanager
def open_buffer() -> Iterator[LogBuffer]:
    """Open a buffer on a temporary file, which is removed at the end."""
    with tempfile.TemporaryFile() as file:
        yield LogBuffer(file)


def write(cursor: Any, batches: Iterable[pa.RecordBatch], source: Source, result_key: str | None = None) -> None:
    """Write entries to the log; entries of a result file replace those logged for it before.

    Args:
        cursor: of a transaction.
        batches: entries, in the schema `SCHEMA`.
        source: how the predictions were requested.
        result_key: of the result file, if there is one.
    """
    reader = pa.RecordBatchReader.from_batches(SCHEMA, batches)
    cursor.adbc_ingest("predicted", reader, mode="create", temporary=True)
    if result_key is not None:
        cursor.execute("DELETE FROM predictions.log WHERE result_key = $1", (result_key,))
    names = ", ".join(SCHEMA.names)
    selected = names.replace("entity_key", "entity_key::jsonb")
    cursor.execute(
        f"INSERT INTO predictions.log ({names}, source, result_key)"  # noqa: S608 – names of columns
        f" SELECT {selected}, $1::text, $2::text FROM pg_temp.predicted",
        (source, result_key),
    )
    cursor.execute("DROP TABLE pg_temp.predicted")


def forget_stream(cursor: Any, model: str, starts: Iterable[StreamPlace]) -> None:
    """Remove the entries of a stream from some offsets on: of an attempt that did not commit its predictions.

    Args:
        cursor: of the transaction that writes the entries of the next attempt.
        model: name of the model.
        starts: the first offset of each partition.
    """
    for partition, offset in starts:
        fetched(cursor, "SELECT predictions.forget_stream($1, $2, $3)", model, partition, offset)
