"""CSV files: physical lines, quotes, the width of rows, and the detected delimiter."""

import io
from typing import BinaryIO

import pytest

from ml_platform.exceptions import ContractError
from ml_platform.files.csv_rows import CsvRows, detect_delimiter
from ml_platform.files.formats import Format
from ml_platform.files.text_lines import TextLines


def opened(stream: BinaryIO, delimiter: str = ",") -> CsvRows:
    return CsvRows(TextLines(stream, "utf-8", "a.csv"), "a.csv", Format("csv", delimiter, "utf-8"))


def read(data: bytes, delimiter: str = ",") -> list[tuple[int, list[str]]]:
    rows = opened(io.BytesIO(data), delimiter)
    return [(rows.line, rows.header), *((rows.line, cells) for cells in rows)]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_each_row_has_the_line_it_begins_on(end: bytes) -> None:
    data = end.join([b"a,b", b"", b'1,"x', b'y"', b"2,z"])
    line_break = end.decode()
    assert read(data) == [(1, ["a", "b"]), (3, ["1", f"x{line_break}y"]), (5, ["2", "z"])]


def test_a_quote_is_written_twice() -> None:
    assert read(b'"say ""hi""",5" tall\n') == [(1, ['say "hi"', '5" tall'])]


def test_other_delimiters() -> None:
    assert read(b"a;b,c\n", ";") == [(1, ["a", "b,c"])]


@pytest.mark.parametrize(
    ("data", "line"),
    [(b'a\n"b', 2), (b'a\n"b\n\nc', 2), (b'a\n"x\ny","b\n', 3), (b'"', 1), (b'a\n"""', 2)],
)
def test_an_open_quote_is_named_by_the_line_it_opens_on(data: bytes, line: int) -> None:
    with pytest.raises(ContractError, match=rf"^a.csv: line {line}: a quote opens here and is never closed$"):
        read(data)


def test_the_raw_text_is_that_of_the_latest_row() -> None:
    rows = opened(io.BytesIO(b'a,b\n1,"x\ny"\n2,z'))
    assert ["".join(rows.raw), *("".join(rows.raw) for _ in rows)] == ["a,b\n", '1,"x\ny"\n', "2,z"]


def test_an_endless_row_stops_early() -> None:
    class Endless(io.RawIOBase):
        given = 0

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            self.given += len(buffer)
            buffer[:] = (b'"\n",' * len(buffer))[: len(buffer)]
            return len(buffer)

    endless = Endless()
    with pytest.raises(ContractError, match="line 1: the row is longer than"):
        opened(io.BufferedReader(endless))
    assert endless.given < 10 * 2**20


def test_a_row_of_another_width_is_at_fault() -> None:
    rows = opened(io.BytesIO(b"a,b\n1\n1,2,3\n1,2\n1"))
    assert [(rows.line, [fault.column for fault in rows.faults]) for _ in rows] == [
        (2, ["b"]),
        (3, [""]),
        (4, []),
        (5, ["b"]),
    ]
    assert "may be cut off" in rows.faults[0].reason


@pytest.mark.parametrize(
    ("start", "wanted", "delimiter"),
    [
        ("a;b\n1,5;2,5\n", (), ";"),
        ("a;b,c\n1;2\n", ("a",), ";"),
        ("a,b;c\n", ("a", "b;c"), ","),
        ("a b|c\n1|2\n", (), "|"),
        ('"a;x","b;y"\n1,2\n', (), ","),
        ('a\tb\n"x\n,y"\t2\n', (), "\t"),
        ("a\n1\n", (), ","),
        ("a\n1;2\n", ("a",), ","),
        ("note;more\nx, y;z\nx, y, w;z\n", (), ";"),
        ("\n\na;b\n1;2", (), ";"),
    ],
)
def test_the_delimiter_is_detected(start: str, wanted: tuple[str, ...], delimiter: str) -> None:
    assert detect_delimiter(start, wanted) == delimiter


def test_of_equally_good_delimiters_the_first_is_chosen() -> None:
    assert detect_delimiter("") == detect_delimiter("a\n") == detect_delimiter("a;b,c\n1;2,3\n") == ","


def test_a_sample_that_ends_within_a_row_is_enough() -> None:
    assert detect_delimiter('a;b;c\n1;2;3\n4;"5\n6', ()) == ";"


def test_an_empty_file_is_rejected_and_its_stream_stays_open() -> None:
    stream = io.BytesIO(b"\n \n")
    with pytest.raises(ContractError, match=r"^a.csv: the file is empty; its first line must name the columns$"):
        opened(stream)
    assert not stream.closed
