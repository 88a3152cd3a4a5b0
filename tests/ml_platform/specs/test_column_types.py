"""Every column type has an Arrow type."""

from typing import get_args

import pyarrow as pa

from ml_platform.specs.column_types import ARROW_TYPES, TIMESTAMP
from ml_platform.specs.parts import ColumnType
from ml_platform.storage.tables import SQL_TYPES


def test_every_column_type_has_an_arrow_type_and_an_sql_type() -> None:
    assert set(ARROW_TYPES) == set(get_args(ColumnType))
    assert set(ARROW_TYPES.values()) == set(SQL_TYPES)


def test_timestamps_have_microseconds_and_are_in_utc() -> None:
    assert ARROW_TYPES["timestamp"] == TIMESTAMP == pa.timestamp("us", tz="UTC")


def test_numbers_and_money_have_the_same_type_and_so_have_categories_and_texts() -> None:
    assert ARROW_TYPES["number"] == ARROW_TYPES["money"]
    assert ARROW_TYPES["category"] == ARROW_TYPES["text"]
