"""The file of a result: its columns, and how they are written as CSV or Parquet and read again.

A spreadsheet runs a text that begins like a formula, and people open CSV files in one. So such texts are guarded in
CSV, as in a file of rejected rows. Parquet holds every value as it is.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, BinaryIO, NamedTuple, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from ml_platform.evaluation.task import Outputs, Values
from ml_platform.files.rejected_rows import escape_cell
from ml_platform.registry.loaded_model import LoadedModel
from ml_platform.scoring.reasons import Reasons, no_reasons
from ml_platform.scoring.row_identity import identity_fields, identity_values
from ml_platform.specs.parts import ResultFormat

CONTENT_TYPES: dict[ResultFormat, str] = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}
VERSION = "model_version"


def result_schema(model: LoadedModel, n_reasons: int = 0) -> pa.Schema:
    """Return the columns of a result: the key or, without one, the row's number; then prediction and reasons."""
    columns = model.task.result_columns(*model.task.no_rows(), model.version)
    if n_reasons:
        columns |= no_reasons(model, n_reasons).columns()
    predicted = [pa.field(name, column.type) for name, column in columns.items()]
    return pa.schema([*identity_fields(model.dataset), *predicted])


def result_batch(
    model: LoadedModel, rows: pa.RecordBatch, outputs: Outputs, predictions: Values, reasons: Reasons | None = None
) -> pa.RecordBatch:
    """Return the rows of a result, in the schema `result_schema`.

    Args:
        model: the model that scored them.
        rows: typed, shape (n_rows, n_columns).
        outputs: as `LoadedModel.predict` returns them.
        predictions: as `LoadedModel.predict` returns them, shape (n_rows,).
        reasons: of these rows, or None.
    """
    schema = result_schema(model, reasons.order.shape[1] if reasons else 0)
    predicted = model.task.result_columns(outputs, predictions, model.version)
    explained = reasons.columns() if reasons else {}
    columns = [*identity_values(model.dataset, rows), *predicted.values(), *explained.values()]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


class ResultFile(Protocol):
    """A result that is being written.

    Attributes:
        cells_guarded: texts that got an apostrophe, because a spreadsheet would run them.
    """

    cells_guarded: int

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows."""

    def close(self) -> None:
        """Write what is left; the stream stays open."""


class CsvResult:
    """A result as CSV, in UTF-8; floats have the shortest text that gives the same float again."""

    def __init__(self, file: BinaryIO, schema: pa.Schema) -> None:
        """Write the header."""
        self.cells_guarded = 0
        self._text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        self._writer = csv.writer(self._text, lineterminator="\n")
        # Before Python 3.13, the other leaves a carriage return without quotes, and readers end the row there.
        self._quoting_writer = csv.writer(self._text, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
        self._writer.writerow(self._guarded(schema.names))

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows."""
        columns = [self._cells(column) for column in batch.columns]
        has_return = any("\r" in cell for column in columns for cell in column if isinstance(cell, str))
        writer = self._quoting_writer if has_return else self._writer
        writer.writerows(zip(*columns, strict=True))

    def close(self) -> None:
        """Detach from the stream."""
        self._text.detach()

    def _cells(self, column: pa.Array) -> list[Any]:
        values: list[Any] = column.to_pylist()
        return self._guarded(values) if pa.types.is_string(column.type) else values  # csv writes a float as its repr

    def _guarded(self, texts: list[str]) -> list[str]:
        cells = list(map(escape_cell, texts))
        self.cells_guarded += sum(cell != text for cell, text in zip(cells, texts, strict=True))
        return cells


class ParquetResult:
    """A result as Parquet, with the values as they are."""

    cells_guarded = 0

    def __init__(self, file: BinaryIO, schema: pa.Schema) -> None:
        """Begin the file."""
        self._writer = pq.ParquetWriter(file, schema)

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows."""
        self._writer.write_batch(batch)

    def close(self) -> None:
        """Write the metadata."""
        self._writer.close()


def open_result(file: BinaryIO, form: ResultFormat, schema: pa.Schema) -> ResultFile:
    """Begin a result in a stream, which stays open."""
    return ParquetResult(file, schema) if form == "parquet" else CsvResult(file, schema)


def read_rows(file: BinaryIO, key: str) -> Iterator[list[Any]]:
    """Yield the rows of a result as they are in the file, first the names of the columns.

    Args:
        file: the result, seekable.
        key: of its object; the ending names the format.
    """
    if not key.endswith(".parquet"):
        with io.TextIOWrapper(file, encoding="utf-8", newline="") as text:
            yield from csv.reader(text)
        return
    parquet = pq.ParquetFile(file)
    yield parquet.schema_arrow.names
    for batch in parquet.iter_batches():
        yield from map(list, zip(*(column.to_pylist() for column in batch.columns), strict=True))


class Origin(NamedTuple):
    """How a result was written: by which version of the model, and with how many reasons per row."""

    model_version: int
    n_reasons: int


def origin_of(file: BinaryIO, key: str) -> Origin | None:
    """Return how a result was written; None if the result has no rows."""
    header, *first = islice(read_rows(file, key), 2)
    if not first:
        return None
    position = header.index(VERSION)
    return Origin(int(first[0][position]), sum(name.endswith("_effect") for name in header[position:]))


def card_json(card: Mapping[str, Any]) -> bytes:
    """Return the content of a card."""
    return json.dumps(card, indent=2).encode() + b"\n"
