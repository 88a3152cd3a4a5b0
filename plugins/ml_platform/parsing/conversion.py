"""The text of cells becomes typed values, or a reason why it cannot: nothing changes silently.

Per type there are two ways that agree: texts of the plain form are converted column-wise by Arrow, the rest one by one
in Python, where a reason can be given. The plain form is a strict subset of what the slow way accepts. A few texts all
go the slow way, without Arrow, which then is the faster one.
"""

import math
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from ml_platform.exceptions import ConfigurationError
from ml_platform.parsing import moments, numerals
from ml_platform.specs.column_types import ARROW_TYPES, TIMESTAMP
from ml_platform.specs.parts import Column, ColumnType, Scalar

TRUE, FALSE = ("true", "yes", "1", "y", "t"), ("false", "no", "0", "n", "f")
FEW = 128  # so many texts take Arrow longer, to compile the pattern and to call each of its functions
MISSING_WORDS = {"na", "n/a", "nan", "null", "none", "nil", "-", "?", ".", "inf", "+inf", "-inf", "infinity"}


@dataclass(frozen=True)
class Kind:
    """How one column type is read.

    Attributes:
        arrow: type of the result.
        plain: RE2 pattern of the texts that `vector` converts.
        vector: the column-wise way; may raise `pa.ArrowInvalid`.
        single: the way for one text; raises ValueError with the reason.
    """

    arrow: pa.DataType
    plain: str
    vector: Callable[[pa.Array], pa.Array]
    single: Callable[[str], Any]


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


def _moments(form: str | None, zone: str) -> Kind:
    return Kind(TIMESTAMP, moments.plain(form, zone), moments.vector(form, zone), moments.single(form, zone))


# Spelled out, for to RE2 a long s is an s in another case, and to Python it is none.
_PLAIN_BOOLEAN = f"^({'|'.join(''.join(f'[{c}{c.upper()}]' for c in word) for word in (*TRUE, *FALSE))})$"
_TEXTS = Kind(ARROW_TYPES["text"], r"^[^\x00]*$", lambda texts: texts, _text)
KINDS: dict[ColumnType, Kind] = {
    "integer": Kind(ARROW_TYPES["integer"], numerals.PLAIN_INTEGER, numerals.integers, numerals.integer),
    "number": Kind(ARROW_TYPES["number"], numerals.PLAIN_NUMBER, numerals.numbers, numerals.number),
    "money": Kind(ARROW_TYPES["money"], numerals.PLAIN_MONEY, numerals.amounts, numerals.money),
    "boolean": Kind(ARROW_TYPES["boolean"], _PLAIN_BOOLEAN, _booleans, _boolean),
    "timestamp": _moments(None, "UTC"),
    "category": _TEXTS,
    "text": _TEXTS,
}
_WITH_COMMA: dict[ColumnType, Kind] = {
    "number": Kind(
        ARROW_TYPES["number"],
        numerals.with_comma(numerals.PLAIN_NUMBER),
        numerals.numbers_with_comma,
        numerals.number_with_comma,
    ),
    "money": Kind(
        ARROW_TYPES["money"],
        numerals.with_comma(numerals.PLAIN_MONEY),
        numerals.amounts_with_comma,
        numerals.money_with_comma,
    ),
}


def kind_of(column: Column) -> Kind:
    """Return how a column is read, with its decimal sign, its format and its zone."""
    return _kind(column.type, column.decimal, column.format, column.zone)


@cache
def _kind(column_type: ColumnType, decimal: Literal[".", ","], form: str | None, zone: str) -> Kind:
    if decimal == ",":
        return _WITH_COMMA[column_type]
    return _moments(form, zone) if column_type == "timestamp" else KINDS[column_type]


def _vector(kind: Kind, texts: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Return the values of the plain texts, null elsewhere, and a mask of the texts still to be looked at."""
    plain = pc.fill_null(pc.match_substring_regex(texts, kind.plain), fill_value=False)
    rest = pc.and_(pc.invert(plain), pc.is_valid(texts))
    try:
        return kind.vector(pc.if_else(plain, texts, pa.scalar(None, pa.string()))), rest
    except pa.ArrowInvalid:  # looks right but is not, such as a 30th of February: all go the slow way
        return pa.nulls(len(texts), kind.arrow), pc.is_valid(texts)


def _one_by_one(kind: Kind, texts: Iterable[str | None]) -> tuple[list[Any], dict[int, str]]:
    """Return the value of each text, None where it is missing or wrong, and per wrong one its index and the reason."""
    values: list[Any] = []
    reasons: dict[int, str] = {}
    for i, text in enumerate(texts):
        try:
            values.append(None if text is None else kind.single(text))
        except ValueError as reason:
            values.append(None)
            hint = "; leave the cell empty if the value is missing, or list the word under `missing`"
            reasons[i] = f"{reason}{hint if str(text).lower() in MISSING_WORDS else ''}"
    return values, reasons


def _few(texts: pa.Array, column: Column, words: Collection[str]) -> tuple[pa.Array, dict[int, str], list[int]]:
    """Return what `_many` does."""
    cleaned = [_cleaned(text, column.strip_prefix, words) for text in texts.to_pylist()]
    values, reasons = _one_by_one(kind_of(column), cleaned)
    return pa.array(values, kind_of(column).arrow), reasons, [i for i, text in enumerate(cleaned) if text is None]


def _cleaned(text: str | None, prefix: str, words: Collection[str]) -> str | None:
    stripped = (text or "").strip()
    return None if stripped in words else stripped.removeprefix(prefix).strip() or None


def _many(texts: pa.Array, column: Column, words: Collection[str]) -> tuple[pa.Array, dict[int, str], list[int]]:
    """Return the values, per wrong row its index and the reason, and the indices of the missing ones."""
    kind = kind_of(column)
    texts = _without(empty_to_null(texts), words)
    if column.strip_prefix:
        texts = _unprefixed(texts, column.strip_prefix)
    values, rest = _vector(kind, texts)
    reasons: dict[int, str] = {}
    if wanted := _rows(rest):
        slow, wrong = _one_by_one(kind, texts.take(pa.array(wanted)).to_pylist())
        values = pc.replace_with_mask(values, rest, pa.array(slow, kind.arrow))
        reasons = {wanted[i]: reason for i, reason in wrong.items()}
    return values, reasons, _rows(pc.is_null(texts))


def _unprefixed(texts: pa.Array, prefix: str) -> pa.Array:
    without = pc.utf8_slice_codeunits(texts, len(prefix))
    return empty_to_null(pc.if_else(pc.starts_with(texts, prefix), without, texts))


def empty_to_null(texts: pa.Array) -> pa.Array:
    """Strip blanks around each text; what is empty then is missing. Nothing else is."""
    stripped = pc.utf8_trim_whitespace(texts)
    return pc.if_else(pc.not_equal(stripped, ""), stripped, pa.scalar(None, pa.string()))


def _rows(mask: pa.Array) -> list[int]:
    found: list[int] = pc.indices_nonzero(mask).to_pylist()  # null counts as zero
    return found


def written(value: Scalar, decimal: str = ".") -> str:
    """Return a value of a spec as files write it."""
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value).replace(".", decimal) if isinstance(value, float) else str(value)


def _without(texts: pa.Array, words: Collection[str]) -> pa.Array:
    """Return the texts with null for those that mean a missing value."""
    if not words:
        return texts
    return pc.if_else(pc.is_in(texts, value_set=pa.array(words, pa.string())), pa.scalar(None, pa.string()), texts)


@cache
def allowed_values(column: Column) -> pa.Array:
    """Return the values that a column may have (`Column.values`), in its type.

    Raises:
        ConfigurationError: one of them is no value of that type.
    """
    if column.values is None:
        return pa.array([], ARROW_TYPES[column.type])
    texts = [written(value, column.decimal) for value in column.values]
    plain = column.model_copy(update={"values": None, "min": None, "max": None, "missing": (), "required": True})
    allowed, reasons = convert(pa.array(texts, pa.string()), plain)
    for i, reason in reasons.items():
        raise ConfigurationError(f"values: {texts[i]!r} is no {column.type}: {reason}")
    return allowed


def _outside(values: pa.Array, column: Column) -> dict[int, str]:
    """Return the rows whose value the data set does not allow, with what it allows."""
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
        listed = ", ".join(written(value, column.decimal) for value in column.values)
        reasons |= dict.fromkeys(_rows(unknown), f"not allowed; allowed are {listed}")
    return reasons


def convert(
    texts: pa.Array, column: Column, *, required: bool = False, missing: Collection[Scalar] = ()
) -> tuple[pa.Array, dict[int, str]]:
    """Convert the cells of one column.

    Args:
        texts: string array of n cells as they stand in the file.
        column: what the data set declares about them.
        required: whether a missing value is wrong.
        missing: texts that mean a missing value, besides the column's own and the empty one.

    Returns:
        The n values (null where missing or wrong), and per wrong row its index and the reason.

    Raises:
        ConfigurationError: `column.values` has a value that is none of the column's type.
    """
    words = [written(word, column.decimal).strip() for word in (*missing, *column.missing)]
    way = _few if len(texts) <= FEW else _many
    values, reasons, absent = way(texts, column, words)
    if required or column.required:
        reasons |= dict.fromkeys(absent, "the value is missing, but a value is required")
    return values, reasons | _outside(values, column)
