"""The texts of cells become typed values, or get a reason why not: no value changes silently.

Each type has two converters that agree: Arrow converts texts in the plain form column by column, and Python converts
the other texts one by one, with a reason for each bad one. The plain form is a strict subset of what the Python
converter accepts. Small inputs use only the Python converter, because it is faster there.
"""

import math
import unicodedata
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from ml_platform.exceptions import ConfigurationError
from ml_platform.parsing import numerals, timestamps
from ml_platform.specs.column_types import ARROW_TYPES, TIMESTAMP
from ml_platform.specs.parts import TEXT_TYPES, Column, ColumnType, Scalar

TRUE, FALSE = ("true", "yes", "1", "y", "t"), ("false", "no", "0", "n", "f")
MISSING = "the value is missing, but a value is required"
FEW = 128  # up to this number of texts, compiling the pattern and calling Arrow takes longer
# All that is trimmed around a text. A tab or a line break is part of its value.
BLANKS = "".join(character for character in map(chr, range(0x3001)) if unicodedata.category(character) == "Zs")
MISSING_WORDS = {"na", "n/a", "nan", "null", "none", "nil", "-", "?", ".", "inf", "+inf", "-inf", "infinity"}


@dataclass(frozen=True)
class Converter:
    """The converters of one column type.

    Attributes:
        arrow_type: type of the result.
        pattern: RE2 pattern of the texts in the plain form.
        convert_column: converts an array of such texts; may raise `pa.ArrowInvalid`.
        convert_text: converts one text of any form; raises ValueError with the reason.
    """

    arrow_type: pa.DataType
    pattern: str
    convert_column: Callable[[pa.Array], pa.Array]
    convert_text: Callable[[str], Any]


def _boolean(text: str) -> bool:
    if text.lower() in (*TRUE, *FALSE):
        return text.lower() in TRUE
    raise ValueError(f"not a yes or no; allowed are {', '.join((*TRUE, *FALSE))}")


def _booleans(texts: pa.Array) -> pa.Array:
    known = pc.is_in(pc.utf8_lower(texts), value_set=pa.array(TRUE))
    return pc.if_else(pc.is_valid(texts), known, pa.scalar(None, pa.bool_()))


def _text(text: str) -> str:
    if "\x00" in text:
        raise ValueError("has a NUL character, which no table can hold")
    return text


def _timestamps(form: str | None, zone: str) -> Converter:
    return Converter(
        TIMESTAMP,
        timestamps.plain_pattern(form, zone),
        timestamps.column_converter(form, zone),
        timestamps.text_converter(form, zone),
    )


# Each letter in both cases, because a case-insensitive RE2 pattern also accepts a long s (ſ), which Python does not.
_PLAIN_BOOLEAN = f"^({'|'.join(''.join(f'[{c}{c.upper()}]' for c in word) for word in (*TRUE, *FALSE))})$"
_TEXTS = Converter(ARROW_TYPES["text"], r"^[^\x00]*$", lambda texts: texts, _text)
CONVERTERS: dict[ColumnType, Converter] = {
    "integer": Converter(ARROW_TYPES["integer"], numerals.PLAIN_INTEGER, numerals.integers, numerals.integer),
    "number": Converter(ARROW_TYPES["number"], numerals.PLAIN_NUMBER, numerals.numbers, numerals.number),
    "money": Converter(ARROW_TYPES["money"], numerals.PLAIN_MONEY, numerals.amounts, numerals.money),
    "boolean": Converter(ARROW_TYPES["boolean"], _PLAIN_BOOLEAN, _booleans, _boolean),
    "timestamp": _timestamps(None, "UTC"),
    "category": _TEXTS,
    "text": _TEXTS,
}
_WITH_COMMA: dict[ColumnType, Converter] = {
    "number": Converter(
        ARROW_TYPES["number"],
        numerals.with_comma(numerals.PLAIN_NUMBER),
        numerals.numbers_with_comma,
        numerals.number_with_comma,
    ),
    "money": Converter(
        ARROW_TYPES["money"],
        numerals.with_comma(numerals.PLAIN_MONEY),
        numerals.amounts_with_comma,
        numerals.money_with_comma,
    ),
}


def converter_of(column: Column) -> Converter:
    """Return the converter of a column, which depends on its type, decimal sign, format and zone."""
    return _converter(column.type, column.decimal, column.format, column.zone)


@cache
def _converter(column_type: ColumnType, decimal: Literal[".", ","], form: str | None, zone: str) -> Converter:
    if decimal == ",":
        return _WITH_COMMA[column_type]
    return _timestamps(form, zone) if column_type == "timestamp" else CONVERTERS[column_type]


def _convert_column(converter: Converter, texts: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Return the values of the texts in the plain form, null elsewhere, and a mask of the texts still to convert."""
    plain = pc.fill_null(pc.match_substring_regex(texts, converter.pattern), fill_value=False)
    rest = pc.and_(pc.invert(plain), pc.is_valid(texts))
    try:
        return converter.convert_column(pc.if_else(plain, texts, pa.scalar(None, pa.string()))), rest
    except pa.ArrowInvalid:  # a value is invalid, such as a 30th of February: convert all texts one by one
        return pa.nulls(len(texts), converter.arrow_type), pc.is_valid(texts)


def _convert_texts(converter: Converter, texts: Iterable[str | None]) -> tuple[list[Any], dict[int, str]]:
    """Return the value of each text, None where missing or bad, and per bad text its index and the reason."""
    values: list[Any] = []
    reasons: dict[int, str] = {}
    for i, text in enumerate(texts):
        try:
            values.append(None if text is None else converter.convert_text(text))
        except ValueError as reason:
            values.append(None)
            hint = "; leave the cell empty if the value is missing, or list the word under `missing`"
            reasons[i] = f"{reason}{hint if str(text).lower() in MISSING_WORDS else ''}"
    return values, reasons


def _convert_few(texts: pa.Array, column: Column, words: Collection[str]) -> tuple[pa.Array, dict[int, str], list[int]]:
    """Convert with Python only: return the values, per bad row the reason, and the rows with missing values."""
    cleaned = [_clean(text, column, words) for text in texts.to_pylist()]
    values, reasons = _convert_texts(converter_of(column), cleaned)
    return (
        pa.array(values, converter_of(column).arrow_type),
        reasons,
        [i for i, text in enumerate(cleaned) if text is None],
    )


def _clean(text: str | None, column: Column, words: Collection[str]) -> str | None:
    trimmed = _trim(text or "", column)
    return None if trimmed in words else _trim(trimmed.removeprefix(column.strip_prefix), column) or None


def _trim(text: str, column: Column) -> str:
    """Remove what surrounds a value: blanks around a text, any white space around other types or on its own."""
    return text.strip(BLANKS if column.type in TEXT_TYPES and text.strip() else None)


def _convert_many(
    texts: pa.Array, column: Column, words: Collection[str]
) -> tuple[pa.Array, dict[int, str], list[int]]:
    """Convert with Arrow where possible; return the same as `_convert_few`."""
    converter = converter_of(column)
    texts = _mark_missing(_empty_to_null(texts, column), words)
    if column.strip_prefix:
        texts = _without_prefix(texts, column)
    values, rest = _convert_column(converter, texts)
    reasons: dict[int, str] = {}
    if remaining := _rows(rest):
        others, invalid = _convert_texts(converter, texts.take(pa.array(remaining)).to_pylist())
        values = pc.replace_with_mask(values, rest, pa.array(others, converter.arrow_type))
        reasons = {remaining[i]: reason for i, reason in invalid.items()}
    return values, reasons, _rows(pc.is_null(texts))


def _without_prefix(texts: pa.Array, column: Column) -> pa.Array:
    without = pc.utf8_slice_codeunits(texts, len(column.strip_prefix))
    return _empty_to_null(pc.if_else(pc.starts_with(texts, column.strip_prefix), without, texts), column)


def _empty_to_null(texts: pa.Array, column: Column) -> pa.Array:
    """Trim each text as `_trim` does; empty texts become null, and only those."""
    stripped = pc.utf8_trim_whitespace(texts)
    trimmed = pc.utf8_trim(texts, characters=BLANKS) if column.type in TEXT_TYPES else stripped
    return pc.if_else(pc.not_equal(stripped, ""), trimmed, pa.scalar(None, pa.string()))


def _rows(mask: pa.Array) -> list[int]:
    indices: list[int] = pc.indices_nonzero(mask).to_pylist()  # null counts as zero
    return indices


def value_text(value: Scalar, decimal: str = ".") -> str:
    """Return a value of a spec as it is written in files."""
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value).replace(".", decimal) if isinstance(value, float) else str(value)


def _mark_missing(texts: pa.Array, words: Collection[str]) -> pa.Array:
    """Replace texts that mean a missing value by null."""
    if not words:
        return texts
    return pc.if_else(pc.is_in(texts, value_set=pa.array(words, pa.string())), pa.scalar(None, pa.string()), texts)


@cache
def allowed_values(column: Column) -> pa.Array:
    """Return the allowed values of a column (`Column.values`), in its type.

    Raises:
        ConfigurationError: a value is not of that type.
    """
    if column.values is None:
        return pa.array([], ARROW_TYPES[column.type])
    texts = [value_text(value, column.decimal) for value in column.values]
    plain = column.model_copy(update={"values": None, "min": None, "max": None, "missing": (), "required": True})
    allowed, reasons = convert(pa.array(texts, pa.string()), plain)
    for i, reason in reasons.items():
        raise ConfigurationError(f"values: {texts[i]!r} is no {column.type}: {reason}")
    return allowed


def _not_allowed(values: pa.Array, column: Column) -> dict[int, str]:
    """Return the rows with values that the spec does not allow, each with a reason."""
    reasons: dict[int, str] = {}
    whole = pa.types.is_integer(values.type)  # Arrow compares int64 with a fraction only up to 2^53
    if (least := column.min) is not None:
        below = pc.less(values, math.ceil(least) if whole else least)
        reasons |= dict.fromkeys(_rows(below), f"less than {least:g}, the least allowed")
    if (most := column.max) is not None:
        above = pc.greater(values, math.floor(most) if whole else most)
        reasons |= dict.fromkeys(_rows(above), f"more than {most:g}, the most allowed")
    if column.values is not None:
        unknown = pc.and_(pc.is_valid(values), pc.invert(pc.is_in(values, value_set=allowed_values(column))))
        listed = ", ".join(value_text(value, column.decimal) for value in column.values)
        reasons |= dict.fromkeys(_rows(unknown), f"not allowed; allowed are {listed}")
    return reasons


def convert(
    texts: pa.Array, column: Column, *, required: bool = False, missing: Collection[Scalar] = ()
) -> tuple[pa.Array, dict[int, str]]:
    """Convert the cells of one column.

    Args:
        texts: string array of n cells, as in the file; blanks around them, and cells of white space only, do not count.
        column: the column's spec.
        required: whether a missing value is a bad value.
        missing: texts that mean a missing value, in addition to the column's own and the empty text.

    Returns:
        The n values (null where missing or bad), and per bad row its index and the reason.

    Raises:
        ConfigurationError: `column.values` has a value that is not of the column's type.
    """
    words = [_trim(value_text(word, column.decimal), column) for word in (*missing, *column.missing)]
    convert_all = _convert_few if len(texts) <= FEW else _convert_many
    values, reasons, absent = convert_all(texts, column, words)
    if required or column.required:
        reasons |= dict.fromkeys(absent, MISSING)
    return values, reasons | _not_allowed(values, column)
