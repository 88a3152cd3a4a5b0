"""The text of cells becomes typed values, or a reason why it cannot: nothing changes silently.

Per type there are two ways that agree: texts of the plain form are converted column-wise by Arrow, the rest one by one
in Python, where a reason can be given. The plain form is a strict subset of what the slow way accepts.
"""

import math
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ml_platform.spec import Column, ColumnType, Scalar

INT64 = range(-(2**63), 2**63)
EXACT = 2**53  # beyond it a float64 does not hold every integer
TIMESTAMP = pa.timestamp("us", tz="UTC")
TRUE, FALSE = ("true", "yes", "1", "y", "t"), ("false", "no", "0", "n", "f")
MISSING_WORDS = {"na", "n/a", "nan", "null", "none", "nil", "-", "?", ".", "inf", "+inf", "-inf", "infinity"}

_INTEGER = re.compile(r"[+-]?[0-9]+(\.0+)?")
_NUMBER = re.compile(r"[+-]?(?P<whole>[0-9]*)(\.(?P<part>[0-9]*))?(?P<exponent>[eE][+-]?[0-9]+)?")
_MONEY = re.compile(
    r"(?P<open>\()?(?P<sign>[+-]?)\s*(?P<before>[$€£¥]?)\s*(?P<sign2>[+-]?)"
    r"(?P<whole>[0-9]+|[0-9]{1,3}(,[0-9]{3})+)(?P<part>\.[0-9]+)?\s*(?P<after>[$€£¥]?)(?P<close>\))?"
)


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


def _missing_hint(text: str) -> str:
    return "; leave the cell empty if the value is missing" if text.lower() in MISSING_WORDS else ""


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise ValueError(f"not a whole number{_missing_hint(text)}")
    digits = text.partition(".")[0]
    if re.match(r"[+-]?0[0-9]", digits):
        raise ValueError("leading zeros would be lost; declare the column as text or category to keep them")
    if len(digits) > 20 or int(digits) not in INT64:
        raise ValueError("outside the range of 64-bit integers; declare the column as text to keep it")
    return int(digits)


def _exact_float(text: str, whole: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError("too large for a number")
    if value == 0 and re.search("[1-9]", re.split("[eE]", text)[0]):
        raise ValueError("too small for a number: it would become 0")
    if len(whole) > 15 and (len(whole) > 300 or abs(int(whole)) > EXACT):
        raise ValueError("has more digits than a number keeps exactly; declare the column as integer or text")
    return value + 0.0  # -0.0 becomes 0.0


def _number(text: str) -> float:
    match = _NUMBER.fullmatch(text)
    if not match or not (match["whole"] or match["part"]):
        comma = "; a number has no thousands separators and a point for decimals" if "," in text else ""
        raise ValueError(f"not a number{_missing_hint(text)}{comma}")
    if re.match("0[0-9]", match["whole"]):
        raise ValueError("leading zeros would be lost; declare the column as text or category to keep them")
    return _exact_float(text, match["whole"])


def _money(text: str) -> float:
    match = _MONEY.fullmatch(text)
    if not match or bool(match["open"]) != bool(match["close"]) or (match["before"] and match["after"]):
        raise ValueError(f"not an amount of money such as $1,234.50{_missing_hint(text)}")
    if (match["open"] or match["sign"]) and (match["sign2"] or (match["open"] and match["sign"])):
        raise ValueError("has two signs")
    whole, part = match["whole"].replace(",", ""), match["part"] or ""
    if len(whole) > 1 and whole[0] == "0":
        raise ValueError("has leading zeros")
    if len(part) == 4 and len(match["whole"]) <= 3 and whole != "0":
        raise ValueError(f"ambiguous: write {whole},{part[1:]} for thousands or {whole}{part}0 for decimals")
    negative = match["open"] or "-" in (match["sign"], match["sign2"])
    return _exact_float(f"{'-' if negative else ''}{whole}{part}", whole)


def _boolean(text: str) -> bool:
    if text.lower() in (*TRUE, *FALSE):
        return text.lower() in TRUE
    raise ValueError(f"not a yes or no; allowed are {', '.join((*TRUE, *FALSE))}{_missing_hint(text)}")


def _timestamp(text: str) -> datetime:
    if re.search(r"\.[0-9]{7,}", text):
        raise ValueError("has finer parts than a microsecond, which would be lost")
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        hint = _missing_hint(text)
        raise ValueError(f"not an ISO 8601 time such as 2026-01-31 or 2026-01-31T23:59:00Z{hint}") from None


def _text(text: str) -> str:
    raise ValueError("has a NUL character, which no table can hold")


def _integers(texts: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(texts, r"\.0+$", "").cast(pa.int64())


def _amounts(texts: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(texts, "[$€£¥, ]", "").cast(pa.float64())


def _booleans(texts: pa.Array) -> pa.Array:
    known = pc.is_in(pc.utf8_lower(texts), value_set=pa.array(TRUE))
    return pc.if_else(pc.is_valid(texts), known, pa.scalar(None, pa.bool_()))


def _moments(texts: pa.Array) -> pa.Array:
    return texts.cast(pa.timestamp("us")).cast(TIMESTAMP)


_TIME = r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?)?"
_NUMBERS = Kind(
    pa.float64(),
    r"^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?$",
    lambda texts: pc.add(texts.cast(pa.float64()), 0.0),
    _number,
)
_AMOUNT = r"(0|[1-9][0-9]{0,2}(,[0-9]{3}){1,4}|[1-9][0-9]{0,14})(\.[0-9]{1,2})?"
_TEXTS = Kind(pa.string(), r"^[^\x00]*$", lambda texts: texts, _text)
KINDS: dict[ColumnType, Kind] = {
    "integer": Kind(pa.int64(), r"^-?(0|[1-9][0-9]{0,17})(\.0+)?$", _integers, _integer),
    "number": _NUMBERS,
    "money": Kind(pa.float64(), rf"^[$€£¥]? ?{_AMOUNT}$", _amounts, _money),
    "boolean": Kind(pa.bool_(), rf"^(?i:{'|'.join((*TRUE, *FALSE))})$", _booleans, _boolean),
    "timestamp": Kind(TIMESTAMP, rf"^{_TIME}$", _moments, _timestamp),
    "category": _TEXTS,
    "text": _TEXTS,
}


def _vector(kind: Kind, texts: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Return the values of the plain texts, null elsewhere, and a mask of the texts still to be looked at."""
    plain = pc.fill_null(pc.match_substring_regex(texts, kind.plain), fill_value=False)
    rest = pc.and_(pc.invert(plain), pc.is_valid(texts))
    try:
        return kind.vector(pc.if_else(plain, texts, pa.scalar(None, pa.string()))), rest
    except pa.ArrowInvalid:  # looks right but is not, such as a 30th of February: all go the slow way
        return pa.nulls(len(texts), kind.arrow), pc.is_valid(texts)


def _one_by_one(kind: Kind, texts: pa.Array, wanted: list[int]) -> tuple[list[Any], dict[int, str]]:
    values: list[Any] = []
    reasons: dict[int, str] = {}
    for row in wanted:
        try:
            values.append(kind.single(texts[row].as_py()))
        except ValueError as reason:
            values.append(None)
            reasons[row] = str(reason)
    return values, reasons


def _unprefixed(texts: pa.Array, prefix: str) -> pa.Array:
    without = pc.utf8_slice_codeunits(texts, len(prefix))
    return empty_to_null(pc.if_else(pc.starts_with(texts, prefix), without, texts))


def empty_to_null(texts: pa.Array) -> pa.Array:
    """Strip blanks around each text; what is empty then is missing. Nothing else is."""
    stripped = pc.utf8_trim_whitespace(texts)
    return pc.if_else(pc.not_equal(stripped, ""), stripped, pa.scalar(None, pa.string()))


def _rows(mask: pa.Array) -> list[int]:
    found: list[int] = pc.indices_nonzero(pc.fill_null(mask, fill_value=False)).to_pylist()
    return found


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
        unknown = pc.invert(pc.is_in(values, value_set=pa.array([*column.values, None], pa.string())))
        reasons |= dict.fromkeys(_rows(unknown), f"not allowed; allowed are {', '.join(map(str, column.values))}")
    return reasons


def convert(
    texts: pa.Array, column: Column, *, required: bool = False, missing: Collection[Scalar] = ()
) -> tuple[pa.Array, dict[int, str]]:
    """Convert the cells of one column.

    Args:
        texts: string array of n cells as they stand in the file.
        column: what the data set declares about them.
        required: whether an empty cell is wrong.

    Returns:
        The n values (null where missing or wrong), and per wrong row its index and the reason.
    """
    kind = KINDS[column.type]
    texts = empty_to_null(texts)
    if column.strip_prefix:
        texts = _unprefixed(texts, column.strip_prefix)
    values, rest = _vector(kind, texts)
    reasons: dict[int, str] = {}
    if wanted := _rows(rest):
        slow, reasons = _one_by_one(kind, texts, wanted)
        values = pc.replace_with_mask(values, rest, pa.array(slow, kind.arrow))
    if required or column.required:
        reasons |= dict.fromkeys(_rows(pc.is_null(texts)), "the cell is empty, but a value is required")
    return values, reasons | _outside(values, column)
