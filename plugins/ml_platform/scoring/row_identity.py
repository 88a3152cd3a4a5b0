"""What identifies a row in results and in answers: its key or, without one, its number in the file or request."""

import pyarrow as pa

from ml_platform.parsing.row_ids import NUMBER, row_numbers
from ml_platform.specs.column_types import ARROW_TYPES
from ml_platform.specs.spec import ROW_ID, Dataset


def identity_fields(dataset: Dataset) -> list[pa.Field]:
    """Return name and type of the columns that identify a row: the key as in the files, or `row` (int64)."""
    if not dataset.has_key:
        return [pa.field(NUMBER, pa.int64())]
    columns = dataset.key_columns.items()
    return [pa.field(dataset.header(key), ARROW_TYPES[column.type]) for key, column in columns]


def identity_values(dataset: Dataset, rows: pa.RecordBatch) -> list[pa.Array]:
    """Return the values of `identity_fields` for typed rows, each of shape (n_rows,)."""
    if not dataset.has_key:
        return [row_numbers(rows.column(ROW_ID))]
    return [rows.column(key) for key in dataset.keys]
