"""The layout of a file: the position of each column of the spec, and the checks of the header."""

from dataclasses import dataclass

from ml_platform.exceptions import ConfigurationError
from ml_platform.files.formats import escape_text
from ml_platform.files.reading import Rows
from ml_platform.files.source_rows import POSITION
from ml_platform.parsing.conversion import allowed_values
from ml_platform.parsing.header_check import check_header
from ml_platform.specs.parts import Column, Purpose
from ml_platform.specs.spec import Dataset, Table


@dataclass(frozen=True)
class Layout:
    """How the rows of one file are parsed.

    Attributes:
        header: the column names in the file, stripped.
        columns: per column of the table, the spec for its cells in this file.
        native: per column, the spec for `Native` cells if it differs.
        positions: per column, the index of its cell; a column that the file lacks has none, and its values are missing.
    """

    header: list[str]
    columns: dict[str, Column]
    native: dict[str, Column]
    positions: dict[str, int]


def columns_of(table: Table, purpose: Purpose) -> dict[str, Column]:
    """Return the columns to read: all of the spec; in a test file only what its rows are scored with.

    That is without label, leaks, availability time and withheld columns.

    The label column gets the label's values as its allowed `values`.
    """
    columns = dict(table.columns)
    if isinstance(table, Dataset) and table.label.values:
        label = columns[table.label.column]
        columns[table.label.column] = label.model_copy(update={"values": table.label.values})
    later = () if table.known_at == table.event_time else (table.known_at,)
    withheld = set(table.withheld) - set(table.stored_columns)
    skipped = (*table.label_columns, *later, *withheld) if purpose == "test" else ()
    return {name: column for name, column in columns.items() if name not in skipped}


def check_values(table: Table, purpose: Purpose) -> None:
    """Check that the allowed values of each column are of its type.

    Raises:
        ConfigurationError: one is not; the text names the column and the value.
    """
    for name, column in columns_of(table, purpose).items():
        try:
            allowed_values(column)
        except ConfigurationError as error:
            raise ConfigurationError(f"datasets/{table.name}.yaml: columns.{name}: {error}") from None


def required_columns(table: Table, purpose: Purpose) -> frozenset[str]:
    """Return the columns in which every cell needs a value: the key; for training also the timestamps and the label.

    The label may be missing if it comes later.

    A test file needs the event time if feature tables are joined as of it.
    """
    required = {*table.entity.key, *(name for name, column in table.columns.items() if column.required)}
    if isinstance(table, Dataset) and table.label.late:
        required -= {*table.label_columns}
    if purpose == "train":
        has_label = isinstance(table, Dataset) and not table.label.late
        required |= _timestamps(table) | (set(table.label_columns[:1]) if has_label else set())
    elif isinstance(table, Dataset) and table.tables and table.event_time:
        required.add(table.event_time)
    return frozenset(required & columns_of(table, purpose).keys())


def _timestamps(table: Table) -> set[str]:
    return {name for name in table.columns if name in (table.event_time, table.known_at)}


def needed_columns(table: Table, purpose: Purpose) -> frozenset[str]:
    """Return the columns that the header must name.

    These are all, or with `on_missing_column: missing_values` only those in which every cell needs a value. A label
    that comes later, and what comes with it, may be missing.
    """
    columns = frozenset(columns_of(table, purpose))
    if isinstance(table, Dataset) and table.label.late:
        columns -= {*table.label_columns}
    least = required_columns(table, purpose) | (_timestamps(table) & columns)
    return least if table.on_missing_column == "missing_values" else columns


def find_layout(rows: Rows, table: Table, purpose: Purpose) -> Layout:
    """Match the columns of a table to the header of a file.

    Raises:
        ContractError: columns are missing or duplicate, or the file has columns that the spec does not allow.
    """
    names = [escape_text(cell.strip()) for cell in rows.header]
    columns = columns_of(table, purpose)
    headers = {name: table.header(name).strip() for name in columns}
    # rows of a source have keys of their own: which of them come together in a file is chance
    needed = frozenset() if POSITION in names else needed_columns(table, purpose)
    check_header(names, [headers[name] for name in columns if name in needed], rows, table)
    positions = {name: names.index(header) for name, header in headers.items() if header in names}
    native = {escape_text(name.strip()) for name in rows.native}
    specs = {name: _native(column) if headers[name] in native else column for name, column in columns.items()}
    differing = {name: _native(column) for name, column in specs.items() if _has_notation(column)}
    return Layout(names, specs, differing, positions)


def _has_notation(column: Column) -> bool:
    return column.type == "money" or column.decimal != "." or column.format is not None


def _native(column: Column) -> Column:
    """Return the spec for `Native` cells, which have only one notation."""
    # In a text, an amount with three decimals would be ambiguous; in a `Native` cell it is not.
    kind = "number" if column.type == "money" else column.type
    return column.model_copy(update={"type": kind, "decimal": ".", "format": None})
