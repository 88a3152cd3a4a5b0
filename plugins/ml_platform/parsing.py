"""A CSV file becomes typed Arrow batches, and every bad value gets a line, a column and a reason.

A contract broken by the header or by the quoting rejects the file; anything else is a bad value of one row. No I/O but
the stream that is given.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from ml_platform.conversion import KINDS, convert
from ml_platform.csv_rows import Rows, shown
from ml_platform.exceptions import ContractError
from ml_platform.spec import Column, Dataset, Purpose

BATCH_ROWS = 20_000
BATCH_CHARACTERS = 16 * 2**20
KEY_CHARACTERS = 500  # what an index can hold
DELIMITERS = {";": "semicolon", "\t": "tab", "|": "bar", ",": "comma"}


@dataclass(frozen=True)
class BadValue:
    """One thing wrong with one row: the physical line it begins on, the column ("" for the whole row), why."""

    line: int
    column: str
    value: str
    reason: str


@dataclass(frozen=True)
class Batch:
    """A stretch of a file, in file order.

    Attributes:
        rows: the good rows, in the schema of `arrow_schema`.
        bad: everything wrong with the others, by line; one row may have several entries.
        rows_read: good and bad rows together.
    """

    rows: pa.RecordBatch
    bad: tuple[BadValue, ...]
    rows_read: int


def columns_of(dataset: Dataset, purpose: Purpose) -> dict[str, Column]:
    """Return the columns that are read: all declared ones, but in a test file not those of the label."""
    skipped = dataset.label_columns if purpose == "test" else ()
    return {name: column for name, column in dataset.columns.items() if name not in skipped}


def required_columns(dataset: Dataset, purpose: Purpose) -> frozenset[str]:
    """Return the columns without an empty cell: the key; for training also the label and the clocks."""
    clocks = {name for name in dataset.columns if name in (dataset.event_time, dataset.known_at)}
    label = {dataset.label.column, *clocks} if purpose == "train" else set()
    return frozenset({dataset.entity.key, *label} | {n for n, c in dataset.columns.items() if c.required})


def arrow_schema(dataset: Dataset, purpose: Purpose) -> pa.Schema:
    """Return the schema of the typed rows: `line` (int64, the physical line), then the columns as declared."""
    typed = [(name, KINDS[column.type].arrow) for name, column in columns_of(dataset, purpose).items()]
    return pa.schema([("line", pa.int64()), *typed])


@dataclass(frozen=True)
class _Layout:
    """Which cell of a row belongs to which column."""

    header: list[str]
    positions: dict[str, int]
    width: int


def _layout(header: list[str], dataset: Dataset, purpose: Purpose, where: str) -> _Layout:
    names = [shown(cell.strip()) for cell in header]
    wanted = columns_of(dataset, purpose)
    if missing := [name for name in wanted if name not in names]:
        raise ContractError(_missing_text(missing, names, dataset, where))
    if twins := sorted({name for name in names if name and names.count(name) > 1}):
        raise ContractError(f"{where}: the header names a column twice: {', '.join(twins)}")
    extra = [name or "(no name)" for name in names if name not in dataset.columns]
    if extra and dataset.on_extra_column == "reject_file":
        raise ContractError(f"{where}: columns that datasets/{dataset.name}.yaml does not list: {', '.join(extra)}")
    return _Layout(names, {name: names.index(name) for name in wanted}, len(names))


def _missing_text(missing: list[str], names: list[str], dataset: Dataset, where: str) -> str:
    for sign, word in DELIMITERS.items():
        if sign != dataset.delimiter and len(names) == 1 and sign in names[0]:
            return (
                f"{where}: the cells seem to be separated by a {word}, but datasets/{dataset.name}.yaml says "
                f"{dataset.delimiter!r}; save the file with that, or set `delimiter: {sign!r}` there"
            )
    found = {name.lower(): name for name in names}
    hints = [f" ({found[name.lower()]} is there: case counts)" if name.lower() in found else "" for name in missing]
    listed = ", ".join(f"{name}{hint}" for name, hint in zip(missing, hints, strict=True))
    return f"{where}: the header lacks {listed}; it names {', '.join(names)}"


def _misfit(rows: Rows, cells: list[str], layout: _Layout) -> BadValue:
    """Return why a row with the wrong number of cells is bad."""
    counts, raw = f"{len(cells)} cells, but the header names {layout.width} columns", "".join(rows.raw)
    if len(cells) > layout.width:
        return BadValue(rows.line, "", shown(raw), counts)
    cut = "" if raw.endswith(("\n", "\r")) else "; the file ends here without a line break, so it may be cut off"
    return BadValue(rows.line, layout.header[len(cells)], shown(raw), counts + cut)


def _texts(cells: Sequence[str]) -> tuple[pa.Array, dict[int, str]]:
    """Return the cells as an Arrow array, null where a cell is not UTF-8, and those cells' reasons."""
    try:
        return pa.array(cells, pa.string()), {}
    except UnicodeEncodeError:
        wrong = {i: "not valid UTF-8" for i, cell in enumerate(cells) if any("\udc80" <= c <= "\udcff" for c in cell)}
        return pa.array([None if i in wrong else cell for i, cell in enumerate(cells)], pa.string()), wrong


def _longer(texts: pa.Array, most: int) -> list[int]:
    found: list[int] = pc.indices_nonzero(
        pc.fill_null(pc.greater(pc.utf8_length(texts), most), fill_value=False)
    ).to_pylist()
    return found


class _Parser:
    """Collects rows and turns them into batches."""

    def __init__(self, dataset: Dataset, purpose: Purpose, layout: _Layout) -> None:
        self._key = dataset.entity.key
        self._columns = columns_of(dataset, purpose)
        self._required = required_columns(dataset, purpose)
        self._schema = arrow_schema(dataset, purpose)
        self._layout = layout
        self._start()

    def _start(self) -> None:
        self._lines: list[int] = []
        self._cells: list[list[str]] = []
        self._bad: list[BadValue] = []
        self._rows, self._characters = 0, 0

    def add(self, rows: Rows, cells: list[str]) -> None:
        self._rows += 1
        self._characters += rows.size
        if len(cells) == self._layout.width:
            self._lines.append(rows.line)
            self._cells.append(cells)
        else:
            self._bad.append(_misfit(rows, cells, self._layout))

    def is_full(self) -> bool:
        return self._rows >= BATCH_ROWS or self._characters >= BATCH_CHARACTERS

    def batch(self) -> Batch:
        """Return what was collected, and begin anew."""
        cells = list(zip(*self._cells, strict=True)) or [()] * self._layout.width
        columns = [self._typed(name, cells[self._layout.positions[name]]) for name in self._columns]
        wrong = {bad.line for bad in self._bad}
        rows = pa.RecordBatch.from_arrays([pa.array(self._lines, pa.int64()), *columns], schema=self._schema)
        if wrong:
            rows = rows.filter(pa.array([line not in wrong for line in self._lines], pa.bool_()))
        order = {name: position for position, name in enumerate(self._layout.header)}
        bad = tuple(sorted(self._bad, key=lambda b: (b.line, order.get(b.column, -1))))
        batch = Batch(rows, bad, self._rows)
        self._start()
        return batch

    def _typed(self, name: str, cells: Sequence[str]) -> pa.Array:
        texts, undecodable = _texts(cells)
        values, reasons = convert(texts, self._columns[name], required=name in self._required)
        if name == self._key:
            long = dict.fromkeys(_longer(texts, KEY_CHARACTERS), f"a key of more than {KEY_CHARACTERS} characters")
            reasons = long | reasons
        for row, reason in (reasons | undecodable).items():
            self._bad.append(BadValue(self._lines[row], name, shown(cells[row]), reason))
        return values


def read_batches(stream: BinaryIO, dataset: Dataset, purpose: Purpose, name: str) -> Iterator[Batch]:
    """Read a CSV file.

    Args:
        stream: the file's bytes, UTF-8 with or without a byte order mark; left open.
        dataset: what the columns mean.
        purpose: in a `test` file the label's columns are not read and may be missing.
        name: what errors call the file.

    Yields:
        Batches of at most `BATCH_ROWS` rows, in file order.

    Raises:
        ContractError: header, quoting or size break the contract, or there are no rows.
    """
    rows = Rows(stream, dataset.delimiter, name)
    try:
        yield from _batches(rows, dataset, purpose)
    finally:
        rows.close()


def _batches(rows: Rows, dataset: Dataset, purpose: Purpose) -> Iterator[Batch]:
    cells = iter(rows)
    header = next(cells, None)
    if header is None:
        raise ContractError(f"{rows.name}: the file is empty; its first line must name the columns")
    parser = _Parser(dataset, purpose, _layout(header, dataset, purpose, f"{rows.name}: line {rows.line}"))
    found = False
    for row in cells:
        found = True
        parser.add(rows, row)
        if parser.is_full():
            yield parser.batch()
    if not found:
        raise ContractError(f"{rows.name}: line {rows.line}: no rows follow the header")
    yield parser.batch()
