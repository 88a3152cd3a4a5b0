"""Opening a file: the detected format, the rows, and the reason if a file cannot be read."""

import gc
import io
from collections.abc import Callable
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_platform.exceptions import ContractError
from ml_platform.files.reading import open_rows
from tests.ml_platform.files.file_cases import CSV, compress, json_lines, opened, parquet


def drain(stream: BinaryIO) -> None:
    rows = open_rows(stream, "a.file")
    try:
        list(rows)
    finally:
        rows.close()


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (CSV, "CSV, separated by commas, UTF-8"),
        (b"\xef\xbb\xbf" + CSV, "CSV, separated by commas, UTF-8"),
        (CSV.replace(b",", b";"), "CSV, separated by semicolons, UTF-8"),
        (CSV.replace(b",", b"\t"), "CSV, separated by tabs, UTF-8"),
        (CSV.replace(b",", b"|"), "CSV, separated by bars, UTF-8"),
        (CSV.decode().encode("utf-16"), "CSV, separated by commas, UTF-16"),
        (b"\xfe\xff" + CSV.decode().encode("utf-16-be"), "CSV, separated by commas, UTF-16"),
        (compress(CSV), "CSV, separated by commas, UTF-8, gzip"),
        (compress(b"a,b\n") + compress(b"1,2\n"), "CSV, separated by commas, UTF-8, gzip"),
        (b'{"a": 1, "b": 2}', "JSON lines, UTF-8"),
        (b' \n\n {"a": "1", "b": 2}\r\n', "JSON lines, UTF-8"),
        ('{"a": 1, "b": 2}'.encode("utf-16"), "JSON lines, UTF-16"),
        (compress(b'{"a": 1, "b": 2}'), "JSON lines, UTF-8, gzip"),
        (parquet({"a": [1], "b": [2]}), "Parquet"),
    ],
)
def test_a_file_is_what_its_bytes_say(data: bytes, text: str) -> None:
    rows = opened(data)
    assert (str(rows.format), rows.header) == (text, ["a", "b"])
    assert list(rows) == [["1", "2"]]


@pytest.mark.parametrize("data", [CSV, compress(CSV), json_lines({"a": 1}), parquet({"a": [1]})])
def test_the_stream_is_read_from_its_beginning_and_stays_open(data: bytes) -> None:
    stream = io.BytesIO(data)
    for _ in range(2):
        rows = open_rows(stream, "a.file")
        assert len(list(rows)) == 1
        rows.close()
    assert not stream.closed


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "the file is empty"),
        (b"PK\x03\x04..xl/", "Excel workbook; save it as CSV in UTF-8, JSON lines or Parquet"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "old Excel workbook"),
        (b"BZh91AY&SY...", "bzip2"),
        (b"\xff\xfe\x00\x00a\x00\x00\x00", "UTF-32"),
        (CSV.decode().encode("utf-16-le"), "line 1: has NUL characters: .* declare its `encoding`"),
        (b'[{"a": 1}]', "JSON array; write one object per line"),
        (b'\n[\n  {"a": 1}]', "JSON array"),
        (b'{\n  "a": 1\n}', "goes over several lines"),
        (compress(compress(CSV)), "gzip inside gzip"),
        (compress(parquet({"a": [1]})), "Parquet inside gzip"),
        (compress(b"PK\x03\x04"), "a zip archive"),
        (b"PARE\x10\x00\x00\x00", "encrypted"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(data: bytes, problem: str) -> None:
    stream = io.BytesIO(data)
    with pytest.raises(ContractError, match=f"^a.file: .*({problem})"):
        drain(stream)
    gc.collect()
    assert not stream.closed


def test_the_name_does_not_decide_the_format() -> None:
    assert str(open_rows(io.BytesIO(json_lines({"a": 1})), "table.csv").format) == "JSON lines, UTF-8"
    assert str(open_rows(io.BytesIO(CSV), "table.parquet").format).startswith("CSV")


def test_what_is_declared_is_not_detected() -> None:
    assert opened(b"a;b\n1;2\n", delimiter=",").header == ["a;b"]
    assert opened("ä,b\n".encode("cp1252"), encoding="cp1252").header == ["ä", "b"]
    assert opened("ä,b\n".encode("utf-16-be"), encoding="utf-16-be").header == ["ä", "b"]


def test_a_byte_order_mark_has_precedence_over_the_declared_encoding() -> None:
    assert opened("ä,b\n".encode("utf-8-sig"), encoding="cp1252").header == ["ä", "b"]
    assert opened("ä,b\n".encode("utf-16"), encoding="cp1252").header == ["ä", "b"]


def test_the_expected_columns_help_to_detect_the_delimiter() -> None:
    data = b"a;b,c\n1;2\n"
    assert opened(data, wanted=("b,c",)).header == ["a", "b,c"]
    assert opened(data, wanted=("a;b",)).header == ["a;b", "c"]


def test_a_file_of_rejected_rows_is_recognised_by_its_headers() -> None:
    rows = opened(b"rejected: line;rejected: reason;a,b\n2;x;1,2\n")
    assert (rows.format.delimiter, rows.header, list(rows)) == (";", ["a,b"], [["1,2"]])


def mangled(make: Callable[[], bytes]) -> st.SearchStrategy[bytes]:
    whole = make()
    cut = st.integers(0, len(whole)).map(lambda end: whole[:end])
    changed = st.tuples(st.integers(0, len(whole) - 1), st.integers(0, 255)).map(
        lambda change: whole[: change[0]] + bytes([change[1]]) + whole[change[0] + 1 :]
    )
    return cut | changed


BROKEN = st.one_of(
    mangled(lambda: compress(CSV * 50)),
    mangled(lambda: parquet({"a": [1, 2], "b": ["x", None], "c": [0.5, 1.5]})),
    mangled(lambda: json_lines({"a": 1, "b": "ä"}, {"a": 2.5, "c": None})),
    mangled(lambda: (CSV * 5).decode().encode("utf-16")),
    st.binary(max_size=200),
)


@given(BROKEN)
def test_any_bytes_are_read_or_refused_with_a_reason(data: bytes) -> None:
    try:
        assert all(isinstance(cell, str) for row in opened(data) for cell in row)
    except ContractError as error:
        assert str(error).startswith("a.file: ")  # noqa: PT017
