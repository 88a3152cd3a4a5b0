"""The lines of a text file: their ends, their length, and bytes that cannot be decoded."""

import io

import pytest

from ml_platform.exceptions import ContractError
from ml_platform.files import text_lines
from ml_platform.files.text_lines import TextLines
from tests.ml_platform.files.file_cases import opened, rows_of


def lines_of(data: bytes, encoding: str = "utf-8") -> list[str]:
    lines, found = TextLines(io.BytesIO(data), encoding, "a.txt"), []
    while line := lines.read(len(found) + 1):
        found.append(line)
    return found


def test_a_line_keeps_its_end() -> None:
    assert lines_of(b"a\nb\r\nc\rd") == ["a\n", "b\r\n", "c\r", "d"]


def test_an_empty_file_has_no_lines() -> None:
    assert lines_of(b"") == []


def test_a_byte_order_mark_is_no_text() -> None:
    assert lines_of("ä\n".encode("utf-8-sig"), "utf-8-sig") == ["ä\n"]
    assert lines_of("ä\n".encode("utf-16"), "utf-16") == ["ä\n"]


def test_a_long_line_is_read_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_lines, "ROW_CHARACTERS", 4)
    assert lines_of(b"abcdefgh\nxy\n") == ["abcd", "efgh", "\n", "xy\n"]


def test_the_stream_stays_open() -> None:
    stream = io.BytesIO(b"a\n")
    lines = TextLines(stream, "utf-8", "a.txt")
    lines.read(1)
    lines.close()
    assert not stream.closed


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_bytes_that_are_no_utf_16_reject_the_file_with_their_line(end: str) -> None:
    lines = end.join(["a,b", *(f"{i},{i}" for i in range(5000)), "x"]).encode("utf-16")
    with pytest.raises(ContractError, match=r"^a.file: line 5002: the bytes 00 d8 are not valid UTF-16"):
        list(opened(lines + b"\x00\xd8,\x00"))
    with pytest.raises(ContractError, match=r"line 5002: .*not valid UTF-16"):
        list(opened(lines + b"\x00"))


def test_bytes_that_the_encoding_lacks_stay_in_their_cell() -> None:
    assert rows_of(b"a,b\n\xff,1\n") == [(2, ["\udcff", "1"])]
    assert rows_of(b"a,b\n\x81\xe4,1\n", encoding="cp1252") == [(2, ["\udc81ä", "1"])]
