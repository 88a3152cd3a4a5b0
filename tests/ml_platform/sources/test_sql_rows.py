"""Values of a database keep every digit in JSON lines, and equal rows give equal lines."""

import gzip
import io
import json
import math
import tempfile
import uuid
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_platform.sources import sql_rows
from ml_platform.sources.reader import Range
from ml_platform.sources.sql import SqlReader
from ml_platform.sources.sql_rows import encode, in_order, line_maker, line_of_object
from ml_platform.specs.sources import SqlSource
from tests.ml_platform.sources.sql_servers import sqlite_file

VALUES = [
    (None, "null"),
    (True, "true"),
    (2**200, str(2**200)),
    (0.1, "0.1"),
    (5e-324, "5e-324"),
    (float("nan"), '"nan"'),
    (float("-inf"), '"-inf"'),
    (Decimal("12345678901234567890.1234567890"), "12345678901234567890.1234567890"),
    (Decimal("NaN"), '"NaN"'),
    ('ä "quoted" \\ \n', '"ä \\"quoted\\" \\\\ \\n"'),
    (datetime(2026, 1, 2, 3, 4, 5, 6, timezone(timedelta(hours=2))), '"2026-01-02T03:04:05.000006+02:00"'),
    (datetime(2026, 1, 2), '"2026-01-02T00:00:00"'),
    (date(2026, 1, 2), '"2026-01-02"'),
    (time(3, 4, 5), '"03:04:05"'),
    (timedelta(hours=100, minutes=1, seconds=2, microseconds=3), '"100:01:02.000003"'),
    (-timedelta(minutes=1), '"-00:01:00"'),
    (b"\x00\xff", '"\\\\x00ff"'),
    (uuid.UUID(int=7), '"00000000-0000-0000-0000-000000000007"'),
    ([1, None, "a"], '[1,null,"a"]'),
    ({"a": [Decimal("1.50")]}, '{"a":[1.50]}'),
]


@pytest.mark.parametrize(("value", "text"), VALUES)
def test_values_as_json(value: Any, text: str) -> None:
    assert encode(value) == text
    json.loads(text)


def test_a_line_begins_with_the_position() -> None:
    line = line_maker(["a", 'b"'])
    assert line("table t, a 1", [1, "x"]) == b'{"_position":"table t, a 1","a":1,"b\\"":"x"}'
    assert line("t", ["\udcff", 1]) == b'{"_position":"t","a":"\xff","b\\"":1}'


def test_a_row_that_the_database_wrote_is_one_line() -> None:
    assert line_of_object("t", '{"a":{"b":\r\n1.50}}') == b'{"_position":"t","a":{"b":  1.50}}'
    assert line_of_object("t", "{}") == b'{"_position":"t"}'


@given(st.lists(st.tuples(st.integers(0, 3), st.binary(max_size=3).map(bytes.hex).map(str.encode)), max_size=30))
def test_equal_watermarks_are_in_the_order_of_their_lines(pairs: list[tuple[int, bytes]]) -> None:
    by_watermark = sorted(pairs, key=lambda pair: pair[0])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sql_rows, "LINES_IN_MEMORY", 4)
        assert list(in_order(by_watermark)) == [line for _, line in sorted(pairs)]


def test_texts_are_in_the_order_of_their_lines_whatever_the_collation() -> None:
    assert list(in_order([("a", b"a"), ("A", b"A"), ("b", b"b")])) == [b"A", b"a", b"b"]


SQLITE_VALUES = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),  # SQLite stores NaN as NULL
    st.text(st.characters(exclude_categories=["Cs"])),
    st.binary(),
)


def as_read(value: Any) -> Any:
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(SQLITE_VALUES, SQLITE_VALUES), min_size=1, max_size=20))
def test_what_is_stored_in_sqlite_is_what_comes(rows: list[tuple[Any, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder, sqlite_file(Path(folder)) as foreign:
        foreign.run("CREATE TABLE t (id INTEGER PRIMARY KEY, a, b)")
        foreign.insert("t", [{"id": number, "a": a, "b": b} for number, (a, b) in enumerate(rows)])
        file = io.BytesIO()
        spec = SqlSource(kind="sql", connection="warehouse", table="t", watermark="id")
        with SqlReader(spec, foreign.connection) as reader:
            assert reader.read(Range("", "", str(len(rows))), file).rows == len(rows)
    found = [json.loads(line) for line in gzip.decompress(file.getvalue()).decode().split("\n")[:-1]]
    assert [(row["id"], row["a"], row["b"]) for row in found] == [
        (number, as_read(a), as_read(b)) for number, (a, b) in enumerate(rows)
    ]
    assert found[0]["_position"] == "table t, id 0"


def test_utc_is_an_offset() -> None:
    assert encode(datetime(2026, 1, 2, tzinfo=UTC)) == '"2026-01-02T00:00:00+00:00"'
