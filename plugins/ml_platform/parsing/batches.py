"""A file becomes typed Arrow batches; every bad value gets a line, a column and a reason.

A broken header or broken quoting rejects the file; any other problem is a bad value of one row. The only I/O is the
given stream.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from ml_platform.exceptions import ContractError
from ml_platform.files.formats import Native, display_text
from ml_platform.files.reading import Rows, open_rows
from ml_platform.files.source_rows import POSITION
from ml_platform.parsing.conversion import MISSING, convert
from ml_platform.parsing.layout import Layout, check_values, columns_of, find_layout, required_columns
from ml_platform.parsing.row_ids import row_ids
from ml_platform.specs.column_types import ARROW_TYPES
from ml_platform.specs.parts import Purpose
from ml_platform.specs.spec import ROW_ID, Table

BATCH_ROWS = 20_000
BATCH_CHARACTERS = 16 * 2**20
KEY_CHARACTERS = 500  # longer keys may not fit into an index


@dataclass(frozen=True)
class BadValue:
    """A bad value: its line (`Rows.line`), the column's name in the file ("": the whole row), value and reason."""

    line: int
    column: str
    value: str
    reason: str


@dataclass(frozen=True)
class Batch:
    """Consecutive rows of a file, in file order.

    Attributes:
        rows: the good rows, with the schema of `arrow_schema`.
        bad: the bad values, sorted by line; one row may have several.
        rows_read: number of good and bad rows together.
    """

    rows: pa.RecordBatch
    bad: tuple[BadValue, ...]
    rows_read: int


def arrow_schema(table: Table, purpose: Purpose) -> pa.Schema:
    """Return the schema of the typed rows: `line` (int64, as `Rows.line`), then the columns in the spec's order.

    Rows without a key have their id (see `row_ids`) between the two.
    """
    typed = [(name, ARROW_TYPES[column.type]) for name, column in columns_of(table, purpose).items()]
    row_id = [] if table.has_key else [(ROW_ID, pa.string())]
    return pa.schema([("line", pa.int64()), *row_id, *typed])


def _texts(cells: Sequence[str], undecodable: str) -> tuple[pa.Array, dict[int, str]]:
    """Return the cells as an Arrow array, null where a cell is no valid text, and per such cell the reason."""
    try:
        return pa.array(cells, pa.string()), {}
    except UnicodeEncodeError:
        invalid = {i: reason for i, cell in enumerate(cells) if (reason := _surrogate_reason(cell, undecodable))}
        return pa.array([None if i in invalid else cell for i, cell in enumerate(cells)], pa.string()), invalid


def _surrogate_reason(cell: str, undecodable: str) -> str:
    surrogates = [character for character in cell if "\ud800" <= character <= "\udfff"]
    if any("\udc80" <= surrogate <= "\udcff" for surrogate in surrogates):
        return undecodable
    return "has half of a character (a lone surrogate)" if surrogates else ""


def _undecodable_reason(rows: Rows, table: Table) -> str:
    encoding = rows.format.encoding or "utf-8"
    hint = "" if table.encoding or encoding != "utf-8" else "; declare the file's `encoding` if it is another"
    return f"not valid {encoding.removesuffix('-sig').upper()}{hint}"


class _Parser:
    """Collects rows and turns them into batches."""

    def __init__(self, rows: Rows, table: Table, purpose: Purpose, source: str | None) -> None:
        if source is None and not table.has_key:
            raise ValueError(f"{table.name} has no key: its rows get ids, which need the SHA-256 of their bytes")
        self._rows = rows
        self._source = source
        self._rows_before = 0  # this batch
        self._keys = table.entity.key
        self._features = table.stored_columns
        self._missing = table.missing
        self._layout: Layout = find_layout(rows, table, purpose)
        self._required = required_columns(table, purpose)
        self._schema = arrow_schema(table, purpose)
        self._undecodable = _undecodable_reason(rows, table)
        header = self._layout.header
        self._place = header.index(POSITION) if POSITION in header else None  # the cell that says where a row is
        self._start()

    def _start(self) -> None:
        self._lines: list[int] = []
        self._numbers: list[int] = []  # of the rows, from 1; bad rows count
        self._cells: list[list[str]] = []
        self._bad: list[BadValue] = []
        self._places: dict[int, str] = {}  # in the source, by line
        self._read, self._characters = 0, 0

    def add(self, cells: list[str]) -> None:
        rows = self._rows
        self._read += 1
        self._characters += rows.size
        if self._place is not None and self._place < len(cells):
            self._places[rows.line] = cells[self._place]
        if rows.faults:
            self._bad.extend(BadValue(rows.line, *fault) for fault in rows.faults)
        else:
            self._lines.append(rows.line)
            self._numbers.append(self._rows_before + self._read)
            self._cells.append(cells)

    def is_full(self) -> bool:
        return self._read >= BATCH_ROWS or self._characters >= BATCH_CHARACTERS

    def batch(self) -> Batch:
        """Return the rows collected since the last batch."""
        cells = list(zip(*self._cells, strict=True)) or [()] * len(self._layout.header)
        columns = {name: self._typed(name, cells) for name in self._layout.columns}
        self._reject_long_keys(cells)
        bad_lines = {bad.line for bad in self._bad}
        arrays = [pa.array(self._lines, pa.int64()), *self._row_ids(columns), *columns.values()]
        rows = pa.RecordBatch.from_arrays(arrays, schema=self._schema)
        if bad_lines:
            rows = rows.filter(pa.array([line not in bad_lines for line in self._lines], pa.bool_()))
        order = {name: position for position, name in enumerate(self._layout.header)}
        bad = tuple(sorted(map(self._placed, self._bad), key=lambda b: (b.line, order.get(b.column, -1))))
        batch = Batch(rows, bad, self._read)
        self._rows_before += self._read
        self._start()
        return batch

    def _placed(self, bad: BadValue) -> BadValue:
        """Return a bad value whose reason says where the row is in its source, if it is from one."""
        place = self._places.get(bad.line)
        return replace(bad, reason=f"{bad.reason} ({place})") if place else bad

    def _row_ids(self, columns: Mapping[str, pa.Array]) -> Iterator[pa.Array]:
        if self._source is not None and not self._keys:
            yield row_ids(self._source, self._numbers, {name: columns[name] for name in self._features})

    def _typed(self, name: str, cells: Sequence[Sequence[str]]) -> pa.Array:
        position, column = self._layout.positions.get(name), self._layout.columns[name]
        if position is None:
            if name in self._required:
                header = self._layout.columns[name].header or name
                self._bad.extend(BadValue(line, header, "", MISSING) for line in self._lines)
            return pa.nulls(len(self._lines), ARROW_TYPES[column.type])
        texts, undecodable = _texts(cells[position], self._undecodable)
        values, reasons = self._converted(name, texts, cells[position])
        for row, reason in (reasons | undecodable).items():
            header = self._layout.header[position]
            self._bad.append(BadValue(self._lines[row], header, display_text(cells[position][row]), reason))
        return values

    def _converted(self, name: str, texts: pa.Array, cells: Sequence[str]) -> tuple[pa.Array, dict[int, str]]:
        """Return what `convert` returns; a cell's result does not depend on other cells."""
        typed = partial(convert, required=name in self._required, missing=self._missing)
        values, reasons = typed(texts, self._layout.columns[name])
        if name not in self._layout.native or not any(mask := [isinstance(cell, Native) for cell in cells]):
            return values, reasons
        native_values, native_reasons = typed(texts.filter(pa.array(mask)), self._layout.native[name])
        native_rows = [row for row, is_native in enumerate(mask) if is_native]
        reasons = {row: reason for row, reason in reasons.items() if not mask[row]}
        reasons |= {native_rows[i]: reason for i, reason in native_reasons.items()}
        return pc.replace_with_mask(values, pa.array(mask), native_values), reasons

    def _reject_long_keys(self, cells: Sequence[Sequence[str]]) -> None:
        present = [self._layout.positions[key] for key in self._keys if key in self._layout.positions]
        for row, texts in enumerate(zip(*(cells[position] for position in present), strict=True)):
            if len("".join(texts)) > KEY_CHARACTERS:
                header = self._layout.header[present[0]]
                reason = f"a key of more than {KEY_CHARACTERS} characters"
                self._bad.append(BadValue(self._lines[row], header, display_text(texts[0]), reason))


def open_table(stream: BinaryIO, table: Table, purpose: Purpose, name: str) -> Rows:
    """Open a file of a data set or a feature table.

    Args:
        stream: the file's bytes, seekable; left open.
        table: the spec.
        purpose: `test`: label and leaks are not read and may be missing; files of feature tables are always `train`.
        name: the file's name in errors.

    Raises:
        ContractError: the file is empty or broken, or its format is not supported.
        ConfigurationError: the spec allows a value that is not of its column's type.
    """
    check_values(table, purpose)
    wanted = [table.header(column) for column in columns_of(table, purpose)]
    return open_rows(stream, name, delimiter=table.delimiter, encoding=table.encoding, wanted=wanted)


def typed_batches(rows: Rows, table: Table, purpose: Purpose, source: str | None = None) -> Iterator[Batch]:
    """Convert the rows of an open file to typed batches, and close it.

    Args:
        rows: of the file.
        table: the spec.
        purpose: as for `open_table`.
        source: SHA-256 of the file's bytes; needed if the table has no key, because the ids of its rows are made of it.

    Yields:
        Batches of at most `BATCH_ROWS` rows, in file order.

    Raises:
        ContractError: header, quoting or size break the contract, or the file has no rows.
        ValueError: the table has no key, and there is no `source`.
    """
    try:
        parser = _Parser(rows, table, purpose, source)
        has_rows = False
        for cells in rows:
            has_rows = True
            parser.add(cells)
            if parser.is_full():
                yield parser.batch()
        if not has_rows:
            where = f"{rows.name}: {rows.format.unit} {rows.line}"
            raise ContractError(f"{where}: no rows follow the header", line=rows.line)
        yield parser.batch()
    finally:
        rows.close()


def read_batches(stream: BinaryIO, table: Table, purpose: Purpose, name: str) -> Iterator[Batch]:
    """Read a file: `open_table`, then `typed_batches`."""
    source = None if table.has_key else source_of(stream)
    return typed_batches(open_table(stream, table, purpose, name), table, purpose, source)


def source_of(stream: BinaryIO) -> str:
    """Return the SHA-256 of a file's bytes, of which the ids of rows without a key are made."""
    stream.seek(0)
    return hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type] # BinaryIO lacks readinto
