"""A source's rows as lines: the same bytes for the same rows, every digit kept, and what is no row comes back."""

import gzip
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_platform.files.json_rows import decode_json
from ml_platform.files.reading import open_rows
from ml_platform.files.source_rows import FAULT, POSITION, VALUE
from ml_platform.sources.row_files import fault_line, row_line, text_line, write_lines

PLACE = "topic t, partition 0, offset 7"
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5)


def written(lines: list[bytes]) -> bytes:
    file = io.BytesIO()
    assert write_lines(lines, file) == len(lines)
    return file.getvalue()


def test_the_same_lines_are_the_same_bytes() -> None:
    lines = [b'{"a":1}', b'{"a":2}']
    assert written(lines) == written(lines)
    assert gzip.decompress(written(lines)) == b'{"a":1}\n{"a":2}\n'


@given(st.dictionaries(st.text(), values), st.sampled_from([None, 0, 2]))
def test_an_object_keeps_its_values_whatever_its_layout(row: dict[str, Any], indent: int | None) -> None:
    line = text_line(json.dumps(row, indent=indent, ensure_ascii=False).encode("utf-8", "backslashreplace"), PLACE)
    assert b"\n" not in line
    assert b"\r" not in line
    found = decode_json(line.decode())
    assert found.pop(POSITION, PLACE) == row.get(POSITION, PLACE)
    row.pop(POSITION, None)
    assert found == decode_json(json.dumps(row))


def test_digits_stay_as_they_are() -> None:
    line = text_line(b'{"a": 0.10, "b": 1E400,\n "c": 12345678901234567890123, "d": "1\\n2"}', PLACE)
    assert b'"a": 0.10, "b": 1E400,  "c": 12345678901234567890123, "d": "1\\n2"}' in line


def test_values_from_elsewhere_are_added_unless_the_object_has_them() -> None:
    assert decode_json(text_line(b'{"a": 1}', PLACE, {"a": "2", "k": "3", "n": None}).decode()) == {
        POSITION: PLACE, "k": "3", "n": None, "a": "1",
    }  # fmt: skip
    assert decode_json(text_line(b"{}", PLACE, {"k": "3"}).decode()) == {POSITION: PLACE, "k": "3"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not valid JSON"),
        (b"7", "not a JSON object"),
        (b"[1]", "not a JSON object"),
        (b'{"a": NaN}', "NaN is no number"),
        (b'{"a": 1, "a": 2}', "names a key twice"),
        (b'{"a": "\xff"}', "not valid UTF-8 at byte 8"),
        (b"\x00\x00\x00\x00\x05binary", "not valid JSON"),
    ],
)
def test_what_is_no_row_comes_back_with_reason_and_place(content: bytes, reason: str) -> None:
    line = decode_json(text_line(content, PLACE).decode())
    assert line[POSITION] == PLACE
    assert reason in line[FAULT]
    rows = open_rows(io.BytesIO(text_line(content, PLACE) + b"\n" + text_line(b'{"a": 1}', PLACE)), "x")
    (_, first), (_, second) = [(cells, rows.faults) for cells in rows]
    assert reason in first[0].reason
    assert second == ()


def test_bytes_that_are_no_text_are_shown() -> None:
    assert decode_json(fault_line(b"\xffa", PLACE, "why").decode())[VALUE] == "\\xffa"


def test_a_row_is_a_line() -> None:
    assert row_line({"a": 10**30, "b": None, "c": "ä\n"}, PLACE) == (
        f'{{"_position":"{PLACE}","a":{10**30},"b":null,"c":"ä\\n"}}'.encode()
    )
