"""Which cell of a file's rows belongs to which column of a table, and whether its header keeps the contract."""

from collections import Counter
from dataclasses import dataclass

from ml_platform.exceptions import ContractError
from ml_platform.files.formats import DELIMITERS, storable
from ml_platform.files.reading import Rows
from ml_platform.specs.parts import Column, Purpose
from ml_platform.specs.spec import Dataset, Table


@dataclass(frozen=True)
class Layout:
    """How a file's rows are read.

    Attributes:
        header: the columns as the file calls them, without blanks around.
        columns: how each column of the table is read from this file.
        native: how a cell is read that is `Native`, for the columns where that makes a difference.
        positions: per column the place of its cell; a column that is not there has none, and is all missing.
    """

    header: list[str]
    columns: dict[str, Column]
    native: dict[str, Column]
    positions: dict[str, int]


def columns_of(table: Table, purpose: Purpose) -> dict[str, Column]:
    """Return the columns that are read: all declared ones, but of a test file neither the label's nor the known time.

    What the label may be is among its column's `values`.
    """
    columns = dict(table.columns)
    if isinstance(table, Dataset) and table.label.values:
        label = columns[table.label.column]
        columns[table.label.column] = label.model_copy(update={"values": table.label.values})
    later = () if table.known_at == table.event_time else (table.known_at,)
    skipped = (*table.label_columns, *later) if purpose == "test" else ()
    return {name: column for name, column in columns.items() if name not in skipped}


def required_columns(table: Table, purpose: Purpose) -> frozenset[str]:
    """Return the columns without an empty cell: the key; for training also the label and the clocks.

    In a test file the event time is required where it decides what is joined from other tables.
    """
    required = {*table.keys, *(name for name, column in table.columns.items() if column.required)}
    if purpose == "train":
        required |= _timestamps(table) | ({table.label.column} if isinstance(table, Dataset) else set())
    elif isinstance(table, Dataset) and table.tables and table.event_time:
        required.add(table.event_time)
    return frozenset(required)


def _timestamps(table: Table) -> set[str]:
    return {name for name in table.columns if name in (table.event_time, table.known_at)}


def needed_columns(table: Table, purpose: Purpose) -> frozenset[str]:
    """Return the columns that the header must name: all, or with `on_missing_column: missing_values` the least."""
    columns = frozenset(columns_of(table, purpose))
    least = required_columns(table, purpose) | (_timestamps(table) & columns)
    return least if table.on_missing_column == "missing_values" else columns


def lay_out(rows: Rows, table: Table, purpose: Purpose) -> Layout:
    """Find the columns of a table in the header of a file.

    Raises:
        ContractError: columns are missing, named twice, or more than the table allows.
    """
    where = f"{rows.name}: line {rows.line}" if rows.format.kind == "csv" else rows.name
    names = [storable(cell.strip()) for cell in rows.header]
    columns = columns_of(table, purpose)
    headers = {name: table.header(name).strip() for name in columns}
    needed = needed_columns(table, purpose)
    if missing := [header for name, header in headers.items() if name in needed and header not in names]:
        raise ContractError(f"{where}: {_missing_text(missing, names, rows, table)}")
    counts = Counter(name for name in names if name and name not in table.ignore)
    if twins := sorted(name for name, count in counts.items() if count > 1):
        raise ContractError(f"{where}: the header names a column twice: {', '.join(twins)}")
    known = {*(table.header(name).strip() for name in table.columns), *table.ignore}
    extra = [name or "(no name)" for name in names if name not in known]
    if extra and table.on_extra_column == "reject_file":
        raise ContractError(f"{where}: columns that datasets/{table.name}.yaml does not list: {', '.join(extra)}")
    positions = {name: names.index(header) for name, header in headers.items() if header in names}
    native = {storable(name.strip()) for name in rows.native}
    as_read = {name: _native(column) if headers[name] in native else column for name, column in columns.items()}
    otherwise = {name: _native(column) for name, column in as_read.items() if _has_notation(column)}
    return Layout(names, as_read, otherwise, positions)


def _has_notation(column: Column) -> bool:
    return column.type == "money" or column.decimal != "." or column.format is not None


def _native(column: Column) -> Column:
    """Return how floats and times of the file's own kind are read: they are written in one way only."""
    # Three decimals of an amount would be ambiguous, in a text.
    kind = "number" if column.type == "money" else column.type
    return column.model_copy(update={"type": kind, "decimal": ".", "format": None})


def _missing_text(missing: list[str], names: list[str], rows: Rows, table: Table) -> str:
    for sign, word in DELIMITERS.items():
        if table.delimiter and sign != rows.format.delimiter and len(names) == 1 and sign in names[0]:
            return (
                f"the cells seem to be separated by {word}, but datasets/{table.name}.yaml says {table.delimiter!r}; "
                f"save the file with that, or set `delimiter: {sign!r}` there"
            )
    found = {name.lower(): name for name in names}
    hints = [f" ({found[name.lower()]} is there: case counts)" if name.lower() in found else "" for name in missing]
    listed = ", ".join(f"{name}{hint}" for name, hint in zip(missing, hints, strict=True))
    broken = any("\udc80" <= character <= "\udcff" for cell in rows.header for character in cell)
    encoding = f"; it is not valid {rows.format.encoding}: declare the file's `encoding`" if broken else ""
    what = "the header lacks {}; it names {}" if rows.format.kind == "csv" else "the rows lack {}; they name {}"
    return what.format(listed, ", ".join(names)) + encoding
