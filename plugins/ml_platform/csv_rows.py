"""The rows of a CSV file, each with the physical line it begins on.

The reader is the standard library's `csv`, strict: it keeps exact line numbers through quoted line breaks. A quote that
is never closed, or is followed by text, rejects the whole file: where the row ends could only be guessed.
"""

import csv
import io
from collections.abc import Iterator
from typing import BinaryIO

from ml_platform.exceptions import ContractError

ROW_CHARACTERS = 4 * 2**20  # a longer row rejects the file, so that memory stays bounded
SHOWN_CHARACTERS = 200
FOREIGN_STARTS = {
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"\x1f\x8b": "compressed with gzip",
    b"PAR1": "Parquet",
}


def shown(text: str) -> str:
    """Return a cell as it can stand in a report and a table: short, without NUL and undecodable bytes."""
    clean = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace").replace("\x00", "\\x00")
    return clean if len(clean) <= SHOWN_CHARACTERS else f"{clean[:SHOWN_CHARACTERS]}… ({len(text):,} characters)"


class Rows:
    """The rows of a text stream.

    Attributes:
        name: what errors call the file.
        line: physical line on which the latest row begins; the first is 1.
        raw: the latest row's text, by physical line; bytes that are not UTF-8 are surrogates.
        size: its characters.
    """

    def __init__(self, stream: BinaryIO, delimiter: str, name: str) -> None:
        """Read from a stream of bytes, which stays open; `name` is what errors call it."""
        self.name = name
        self.raw: list[str] = []
        self.size = 0
        self.line = 1
        self._text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
        self._reader = csv.reader(self._lines(), delimiter=delimiter, strict=True)

    def close(self) -> None:
        """Let go of the stream without closing it."""
        self._text.detach()

    def _lines(self) -> Iterator[str]:
        while line := self._text.readline(ROW_CHARACTERS):
            if not self.raw and self._reader.line_num == 0:
                self._refuse_foreign(line)
            self.raw.append(line)
            self.size += len(line)
            if self.size >= ROW_CHARACTERS:
                raise self._error(self.line, f"the row is longer than {ROW_CHARACTERS:,} characters{self._hint()}")
            yield line

    def _refuse_foreign(self, start: str) -> None:
        for signature, what in FOREIGN_STARTS.items():
            if start.encode("utf-8", "surrogateescape").startswith(signature):
                raise self._error(1, f"the file is {what}; save it as CSV in UTF-8")

    def _error(self, line: int, problem: str) -> ContractError:
        return ContractError(f"{self.name}: line {line}: {problem}")

    def _hint(self) -> str:
        opened = self._open_quote()
        return f"; the quote opened on line {opened} is not closed" if opened and len(self.raw) > 1 else ""

    def _open_quote(self) -> int | None:
        """Return the physical line of the quote that is still open at the end of the raw row."""
        opened: int | None = None
        for line, text in enumerate(self.raw, self.line):
            for _ in range(text.count('"')):
                opened = line if opened is None else None
        return opened

    def _broken(self, error: csv.Error) -> ContractError:
        if "unexpected end" in str(error):
            return self._error(self._open_quote() or self.line, "a quote opens here and is never closed")
        if "field larger" in str(error):
            limit = f"a cell is longer than {csv.field_size_limit():,} characters"
            return self._error(self.line, f"{limit}{self._hint()}")
        line, text = self.line + len(self.raw) - 1, shown("".join(self.raw))
        began = f" (the row begins on line {self.line})" if line > self.line else ""
        return self._error(line, f"text follows a closing quote; write a quote inside a cell twice{began}: {text}")

    def __iter__(self) -> Iterator[list[str]]:
        """Yield the cells of each row; blank lines are skipped.

        Raises:
            ContractError: the quoting is broken or a row or cell is too long.
        """
        while True:
            self.line, self.size = self._reader.line_num + 1, 0
            self.raw.clear()
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise self._broken(error) from None
            if len(cells) > 1 or (cells and cells[0].strip()):
                yield cells
