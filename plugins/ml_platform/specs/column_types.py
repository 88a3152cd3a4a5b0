"""The Arrow type of each column type."""

import pyarrow as pa

from ml_platform.specs.parts import ColumnType

TIMESTAMP = pa.timestamp("us", tz="UTC")
ARROW_TYPES: dict[ColumnType, pa.DataType] = {
    "integer": pa.int64(),
    "number": pa.float64(),
    "money": pa.float64(),
    "boolean": pa.bool_(),
    "timestamp": TIMESTAMP,
    "category": pa.string(),
    "text": pa.string(),
}
