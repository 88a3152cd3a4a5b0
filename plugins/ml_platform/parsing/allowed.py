"""What a spec allows in a file: a sentence for each column, and a template with an example row."""

import csv
import io
from collections.abc import Iterator
from datetime import datetime

import pyarrow as pa

from ml_platform.parsing.conversion import convert, value_text
from ml_platform.parsing.labels import class_text
from ml_platform.parsing.layout import check_values, columns_of, needed_columns, required_columns
from ml_platform.specs.parts import NUMERIC_TYPES, Column, Purpose
from ml_platform.specs.spec import Dataset, Table

EXAMPLE_TIME = datetime(2026, 1, 31, 12)
LISTED = 50  # allowed values that a sentence lists
_TYPES = {
    "integer": "a whole number",
    "number": "a number",
    "money": "an amount of money",
    "boolean": "yes or no (also true and false, 1 and 0, y and n, t and f)",
    "category": "a text (category)",
    "text": "a text",
    "timestamp": "a time",
}


def allowed_texts(table: Table, purpose: Purpose) -> list[str]:
    """Return a sentence for each column that is read: its name in the file, and the values that are allowed.

    Args:
        table: the spec.
        purpose: of the file; a test file needs neither label nor leaks.
    """
    required, needed = required_columns(table, purpose), needed_columns(table, purpose)
    columns = columns_of(table, purpose)
    return [
        f"{table.header(name)}: {', '.join(_parts(table, column, is_required=name in required))}{_label(table, name)}"
        f"{'' if name in needed else '; the column may be missing'}"
        for name, column in columns.items()
    ]


def _label(table: Table, name: str) -> str:
    """Return what is special about a label of which the spec names only the positive value."""
    if not isinstance(table, Dataset) or name != table.label.column or not table.label.names_positive_only:
        return ""
    return f"; it has two values, of which {class_text(table.label.positive)} is the positive one"


def _parts(table: Table, column: Column, *, is_required: bool) -> Iterator[str]:
    comma = " with a decimal comma" if column.decimal == "," else ""
    yield f"{_TYPES[column.type]}{comma}"
    if column.type == "timestamp":
        yield f"of the form {column.format}" if column.format else "such as 2026-01-31 or 2026-01-31T23:59:00Z"
        yield f"in {column.zone} unless it has an offset"
    yield from _limits(column)
    if column.values is not None:
        shown = ", ".join(value_text(value, column.decimal) for value in column.values[:LISTED])
        more = len(column.values) - LISTED
        yield f"one of {shown}{f' and {more:,} more' if more > 0 else ''}"
    if column.strip_prefix:
        yield f"of which a leading {column.strip_prefix} is removed"
    words = [value_text(word, column.decimal) for word in (*table.missing, *column.missing)]
    yield "never missing" if is_required else f"or missing ({', '.join(['an empty cell', *words])})"


def _limits(column: Column) -> Iterator[str]:
    if column.min is not None and column.max is not None:
        yield f"from {column.min:g} to {column.max:g}"
    elif column.min is not None:
        yield f"{column.min:g} or more"
    elif column.max is not None:
        yield f"{column.max:g} or less"


def template(table: Table) -> bytes:
    """Return a training file with the header and one example row, which the spec allows, as CSV.

    Raises:
        ConfigurationError: the spec allows a value that is not of its column's type.
    """
    check_values(table, "train")
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=table.delimiter or ",")
    columns = columns_of(table, "train")
    writer.writerow([table.header(name) for name in columns])
    writer.writerow([_example(table, name, column) for name, column in columns.items()])
    return text.getvalue().encode(table.encoding or "utf-8")


def _example(table: Table, name: str, column: Column) -> str:
    """Return the first plausible text that the column allows; "" if none is."""
    texts = pa.array(_plausible(table, name, column), pa.string())
    _, reasons = convert(texts, column, required=True, missing=table.missing)
    return next((text for i, text in enumerate(texts.to_pylist()) if i not in reasons), "")


def _plausible(table: Table, name: str, column: Column) -> list[str]:
    texts = [value_text(value, column.decimal) for value in column.values or ()]
    if isinstance(table, Dataset) and name == table.label.column and table.label.positive is not None:
        texts.insert(0, class_text(table.label.positive))
    if column.type in NUMERIC_TYPES:
        limits = [limit for limit in (column.min, column.max) if limit is not None]
        middle = [sum(limits) / 2] if len(limits) == 2 else []
        numbers = [int(value) if value == int(value) else value for value in (*middle, 1.0, *limits, 2.0)]
        texts += [value_text(value, column.decimal) for value in numbers]
    elif column.type == "timestamp":
        texts.append(EXAMPLE_TIME.strftime(column.format) if column.format else EXAMPLE_TIME.isoformat())
    else:
        texts += ["yes"] if column.type == "boolean" else [f"{column.strip_prefix}example", "another example"]
    return texts
