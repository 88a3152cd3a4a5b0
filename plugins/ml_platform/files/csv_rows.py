"""The rows of a CSV file, each with the physical line on which it begins.

The reader is the standard library's `csv` in strict mode: it keeps exact line numbers through quoted line breaks. A
quote that is never closed, or a closing quote followed by text, rejects the whole file, because the end of the row
would be a guess. A file of rejected rows gives the original rows; their lines are those of this file.
"""

import csv
import io
from collections.abc import Collection, Iterator
from itertools import islice

from ml_platform.exceptions import ContractError
from ml_platform.files.formats import DELIMITERS, Fault, Format, display_text
from ml_platform.files.rejected_rows import added_columns, original_cells
from ml_platform.files.text_lines import ROW_CHARACTERS, TextLines

SAMPLE_ROWS = 20  # rows that are used to detect the delimiter


class CsvRows:
    """The rows of a CSV file; see `formats.Rows`.

    Attributes:
        raw: the physical lines of the latest row.
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
            header = self._read_header()
        except ContractError:
            self.close()
            raise
        self._added = added_columns(header)
        self.header = self._original(header)

    def _original(self, cells: list[str]) -> list[str]:
        return original_cells(cells, self._added) if self._added else cells

    def _read_header(self) -> list[str]:
        header = next(self._rows, None)
        if header is None:
            raise ContractError(f"{self.name}: the file is empty; its first line must name the columns")
        return header

    def close(self) -> None:
        """Detach from the stream; it stays open."""
        self._text.close()

    def _lines(self) -> Iterator[str]:
        while line := self._text.read(self.line + len(self.raw)):
            self.raw.append(line)
            self.size += len(line)
            if self.size >= ROW_CHARACTERS:
                raise self._error(self.line, f"the row is longer than {ROW_CHARACTERS:,} characters{self._hint()}")
            yield line

    def _error(self, line: int, problem: str) -> ContractError:
        return ContractError(f"{self.name}: line {line}: {problem}", line=line)

    def _hint(self) -> str:
        opened = self._open_quote()
        return f"; the quote opened on line {opened} is not closed" if opened and len(self.raw) > 1 else ""

    def _open_quote(self) -> int | None:
        """Return the physical line of the quote that is still open at the end of the row."""
        opened: int | None = None
        for line, text in enumerate(self.raw, self.line):
            for _ in range(text.count('"')):
                opened = line if opened is None else None
        return opened

    def _quoting_error(self, error: csv.Error) -> ContractError:
        if "unexpected end" in str(error):
            return self._error(self._open_quote() or self.line, "a quote opens here and is never closed")
        if "field larger" in str(error):
            limit = f"a cell is longer than {csv.field_size_limit():,} characters"
            return self._error(self.line, f"{limit}{self._hint()}")
        line, text = self.line + len(self.raw) - 1, display_text("".join(self.raw))
        start = f" (the row begins on line {self.line})" if line > self.line else ""
        return self._error(line, f"text follows a closing quote; write a quote inside a cell twice{start}: {text}")

    def _split(self) -> Iterator[list[str]]:
        while True:
            self.line, self.size = self._reader.line_num + 1, 0
            self.raw.clear()
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise self._quoting_error(error) from None
            if len(cells) > 1 or (cells and cells[0].strip()):
                yield cells

    def __iter__(self) -> Iterator[list[str]]:
        """Yield the cells of each row; blank lines are skipped.

        Raises:
            ContractError: the quoting is broken, or a row or cell is too long.
        """
        width = len(self.header)
        for cells in map(self._original, self._rows):
            self.faults = () if len(cells) == width else (self._width_fault(cells),)
            yield cells

    def _width_fault(self, cells: list[str]) -> Fault:
        """Return the fault of a row with too many or too few cells."""
        counts, raw = f"{len(cells)} cells, but the header names {len(self.header)} columns", "".join(self.raw)
        if len(cells) > len(self.header):
            return Fault("", display_text(raw), counts)
        cut = "" if raw.endswith(("\n", "\r")) else "; the file ends here without a line break, so it may be cut off"
        return Fault(display_text(self.header[len(cells)].strip()), display_text(raw), counts + cut)


def detect_delimiter(start: str, wanted: Collection[str] = ()) -> str:
    """Return the delimiter of a CSV file.

    Args:
        start: the beginning of the file.
        wanted: the expected headers; the delimiter that finds most of them is chosen.

    Returns:
        One of `DELIMITERS`; if no expected header is found, the one that gives the first rows the same number of cells.
    """
    return max(DELIMITERS, key=lambda delimiter: _fit(start, delimiter, wanted))  # max returns the first of equal ones


def _fit(start: str, delimiter: str, wanted: Collection[str]) -> tuple[int, float, int]:
    """Rate a delimiter: number of expected headers, share of rows as wide as the header, number of columns."""
    header, *rows = _first_rows(start, delimiter) or [[]]
    # In any row: the reason why a file is rejected can then say on which line its header is.
    matches = max(len({cell.strip() for cell in row} & set(wanted)) for row in (header, *rows))
    if len(header) < 2:
        return matches, 0.0, 1
    equal = sum(len(row) == len(header) for row in rows)
    return matches, equal / len(rows) if rows else 1.0, len(header)


def _first_rows(start: str, delimiter: str) -> list[list[str]]:
    rows: list[list[str]] = []
    reader = csv.reader(io.StringIO(start, newline=""), delimiter=delimiter)
    try:
        rows.extend(islice((row for row in reader if row), SAMPLE_ROWS))
    except csv.Error:
        return rows
    # The sample may end within a row.
    return rows if len(rows) == SAMPLE_ROWS or len(rows) < 2 or start.endswith(("\n", "\r")) else rows[:-1]
