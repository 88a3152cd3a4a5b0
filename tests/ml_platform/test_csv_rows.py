import io

import pytest

from ml_platform.csv_rows import SHOWN_CHARACTERS, Rows, shown
from ml_platform.exceptions import ContractError


def read(data: bytes, delimiter: str = ",") -> list[tuple[int, list[str]]]:
    rows = Rows(io.BytesIO(data), delimiter, "a.csv")
    return [(rows.line, cells) for cells in rows]


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
    rows = Rows(io.BytesIO(b'a,b\n1,"x\ny"\n2,z'), ",", "a.csv")
    assert ["".join(rows.raw) for _ in rows] == ["a,b\n", '1,"x\ny"\n', "2,z"]


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
        list(Rows(io.BufferedReader(endless), ",", "a.csv"))
    assert endless.given < 10 * 2**20


def test_cells_are_shown_so_that_tables_and_reports_can_hold_them() -> None:
    assert shown("a\0\udcff") == "a\\x00\\xff"
    assert shown("x" * SHOWN_CHARACTERS) == "x" * SHOWN_CHARACTERS
    assert len(shown("x" * 10_000)) < SHOWN_CHARACTERS + 30
