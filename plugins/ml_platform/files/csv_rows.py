"""The rows of a CSV file, each with the physical line it begins on.

The reader is the standard library's `csv`, strict: it keeps exact line numbers through quoted line breaks. A quote that
is never closed, or is followed by text, rejects the whole file: where the row ends could only be guessed.
Rejected rows that come in again are the rows that they were, on the lines of this file.
"""

import csv
import io
from collections.abc import Collection, Iterator
from itertools import islice

from ml_platform.exceptions import ContractError
from ml_platform.files.formats import DELIMITERS, Fault, Format, shown
from ml_platform.files.returned import are_returned, own_cells
from ml_platform.files.text_lines import ROW_CHARACTERS, TextLines

SAMPLE_ROWS = 20  # so many tell what separates the cells


class CsvRows:
    """The rows of a CSV file; see `formats.Rows`.

    Attributes:
        raw: the latest row's text, by physical line.
    """

    nested: frozenset[str] = frozenset()
    native: frozenset[str] = frozenset()

    def __init__(self, lines: TextLines, name: str, form: Format) -> None:
        """Read the header.

        Raises:
            ContractError: the file is empty, or its header is broken.
        """
        self.name, self.format = name, form
        self.raw: list[str] = []
        self.size = 0
        self.line = 1
        self.faults: tuple[Fault, ...] = ()
        self._text = lines
        self._reader = csv.reader(self._lines(), delimiter=form.delimiter or ",", strict=True)
        self._rows = self._split()
        try:
            header = self._named_columns()
        except ContractError:
            self.close()
            raise
        self._is_returned = are_returned(header)
        self.header = self._own(header)

    def _own(self, cells: list[str]) -> list[str]:
        return own_cells(cells) if self._is_returned else cells

    def _named_columns(self) -> list[str]:
        header = next(self._rows, None)
        if header is None:
            raise ContractError(f"{self.name}: the file is empty; its first line must name the columns")
        return header

    def close(self) -> None:
        """Let go of the stream without closing it."""
        self._text.close()

    def _lines(self) -> Iterator[str]:
        while line := self._text.read(self.line + len(self.raw)):
            self.raw.append(line)
            self.size += len(line)
            if self.size >= ROW_CHARACTERS:
                raise self._error(self.line, f"the row is longer than {ROW_CHARACTERS:,} characters{self._hint()}")
            yield line

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

    def _split(self) -> Iterator[list[str]]:
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

    def __iter__(self) -> Iterator[list[str]]:
        """Yield the cells of each row; blank lines are skipped.

        Raises:
            ContractError: the quoting is broken or a row or cell is too long.
        """
        width = len(self.header)
        for cells in map(self._own, self._rows):
            self.faults = () if len(cells) == width else (self._misfit(cells),)
            yield cells

    def _misfit(self, cells: list[str]) -> Fault:
        """Return why a row with the wrong number of cells is bad."""
        counts, raw = f"{len(cells)} cells, but the header names {len(self.header)} columns", "".join(self.raw)
        if len(cells) > len(self.header):
            return Fault("", shown(raw), counts)
        cut = "" if raw.endswith(("\n", "\r")) else "; the file ends here without a line break, so it may be cut off"
        return Fault(shown(self.header[len(cells)].strip()), shown(raw), counts + cut)


def detected_delimiter(start: str, wanted: Collection[str] = ()) -> str:
    """Return what separates the cells of a CSV file.

    Args:
        start: the beginning of the file.
        wanted: headers that are looked for; what finds most of them is it.

    Returns:
        One of `DELIMITERS`; where no header tells, the one that splits the first rows into the same number of cells.
    """
    return max(DELIMITERS, key=lambda delimiter: _fit(start, delimiter, wanted))  # of equals, the first


def _fit(start: str, delimiter: str, wanted: Collection[str]) -> tuple[int, float, int]:
    """Return how well a delimiter fits: the wanted headers it finds, the share of like rows, the columns."""
    header, *rows = _first_rows(start, delimiter) or [[]]
    found = len({cell.strip() for cell in header} & set(wanted))
    if len(header) < 2:
        return found, 0.0, 1
    like = sum(len(row) == len(header) for row in rows)
    return found, like / len(rows) if rows else 1.0, len(header)


def _first_rows(start: str, delimiter: str) -> list[list[str]]:
    found: list[list[str]] = []
    reader = csv.reader(io.StringIO(start, newline=""), delimiter=delimiter)
    try:
        found.extend(islice((row for row in reader if row), SAMPLE_ROWS))
    except csv.Error:
        return found
    # The last row may be cut off where the beginning ends.
    return found if len(found) == SAMPLE_ROWS or len(found) < 2 or start.endswith(("\n", "\r")) else found[:-1]
