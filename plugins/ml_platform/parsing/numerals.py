"""Texts become numbers and amounts of money. A text that is ambiguous or would lose digits is rejected."""

import math
import re
from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

INT64 = range(-(2**63), 2**63)
EXACT = 2**53  # beyond it a float64 does not hold every integer
SWAPPED = str.maketrans(".,", ",.")

_INTEGER = re.compile(r"[+-]?[0-9]+(\.0+)?")
_NUMBER = re.compile(r"[+-]?(?P<whole>[0-9]*)(\.(?P<part>[0-9]*))?(?P<exponent>[eE][+-]?[0-9]+)?")
_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2}(\.[0-9]{3})+")
_MONEY = re.compile(
    r"(?P<open>\()?(?P<sign>[+-]?)\s*(?:(?P<before>[$€£¥])\s*)?(?P<sign2>[+-]?)"
    r"(?P<whole>[0-9]+|[0-9]{1,3}(,[0-9]{3})+)(?P<part>\.[0-9]+)?\s*(?P<after>[$€£¥]?)(?P<close>\))?"
)

# The plain forms, which Arrow converts column by column: strict subsets of what the functions below accept.
PLAIN_INTEGER = r"^-?(0|[1-9][0-9]{0,17})(\.0+)?$"
PLAIN_NUMBER = r"^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?$"
PLAIN_MONEY = r"^[$€£¥]? ?(0|[1-9][0-9]{0,2}(,[0-9]{3}){1,4}|[1-9][0-9]{0,14})(\.[0-9]{1,2})?$"


def with_comma(plain: str) -> str:
    """Return a plain form with point and comma exchanged."""
    # A comma in braces belongs to the pattern; every point is escaped.
    return re.sub(r"\{[0-9,]+\}|\\\.|,", lambda m: {"\\.": ",", ",": "\\."}.get(m[0], m[0]), plain)


def integer(text: str) -> int:
    """Convert a whole number; raise ValueError with the reason if the text is none."""
    if not _INTEGER.fullmatch(text):
        raise ValueError("not a whole number")
    digits = text.partition(".")[0]
    if re.match(r"[+-]?0[0-9]", digits):
        raise ValueError("leading zeros would be lost; declare the column as text or category to keep them")
    if len(digits) > 20 or int(digits) not in INT64:
        raise ValueError("outside the range of 64-bit integers; declare the column as text to keep it")
    return int(digits)


def number(text: str) -> float:
    """Convert a number with a decimal point; raise ValueError with the reason if the text is none."""
    match = _NUMBER.fullmatch(text)
    if not match or not (match["whole"] or match["part"]):
        comma = "; a number has no thousands separators, and a comma for decimals only if the spec says `decimal: ','`"
        raise ValueError(f"not a number{comma if ',' in text else ''}")
    if re.match("0[0-9]", match["whole"]):
        raise ValueError("leading zeros would be lost; declare the column as text or category to keep them")
    return _exact_float(text, match["whole"])


def number_with_comma(text: str) -> float:
    """Convert a number with a decimal comma, and with points between thousands if that is unambiguous."""
    whole, comma, part = text.partition(",")
    if ("." in whole and not _THOUSANDS.fullmatch(whole)) or "." in part or "," in part:
        raise ValueError("not a number with a decimal comma such as 1234,5 or 1.234,5")
    if whole.count(".") == 1 and not comma:
        raise ValueError(f"ambiguous: write {whole.replace('.', '')} for thousands or {_swap(text)} for decimals")
    return number(whole.replace(".", "") + comma.replace(",", ".") + part)


def _exact_float(text: str, whole: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError("too large for a number")
    if value == 0 and re.search("[1-9]", re.split("[eE]", text)[0]):
        raise ValueError("too small for a number: it would become 0")
    if len(whole) > 15 and (len(whole) > 300 or abs(int(whole)) > EXACT):
        raise ValueError("has more digits than a number keeps exactly; declare the column as integer or text")
    return value + 0.0  # -0.0 becomes 0.0


def money(text: str, *, notation: Callable[[str], str] = str) -> float:
    """Convert an amount of money; raise ValueError with the reason if the text is none.

    Args:
        text: the amount, with a decimal point, commas between thousands, and a currency sign before or after it.
        notation: converts an example in an error text to the notation of the file.
    """
    match = _MONEY.fullmatch(text)
    if not match or bool(match["open"]) != bool(match["close"]) or (match["before"] and match["after"]):
        raise ValueError(f"not an amount of money such as {notation('$1,234.50')}")
    if (match["open"] or match["sign"]) and (match["sign2"] or (match["open"] and match["sign"])):
        raise ValueError("has two signs")
    whole, part = match["whole"].replace(",", ""), match["part"] or ""
    if len(whole) > 1 and whole[0] == "0":
        raise ValueError("has leading zeros")
    if len(part) == 4 and len(match["whole"]) <= 3 and whole != "0":
        thousands, decimals = notation(f"{whole},{part[1:]}"), notation(f"{whole}{part}0")
        raise ValueError(f"ambiguous: write {thousands} for thousands or {decimals} for decimals")
    negative = match["open"] or "-" in (match["sign"], match["sign2"])
    return _exact_float(f"{'-' if negative else ''}{whole}{part}", whole)


def money_with_comma(text: str) -> float:
    """Convert an amount of money with a decimal comma and points between thousands."""
    return money(_swap(text), notation=_swap)


def _swap(text: str) -> str:
    return text.translate(SWAPPED)


def integers(texts: pa.Array) -> pa.Array:
    """Convert texts of the plain form to int64."""
    return pc.replace_substring_regex(texts, r"\.0+$", "").cast(pa.int64())


def numbers(texts: pa.Array) -> pa.Array:
    """Convert texts of the plain form to float64."""
    return pc.add(texts.cast(pa.float64()), 0.0)


def numbers_with_comma(texts: pa.Array) -> pa.Array:
    """Convert texts of the plain form with a decimal comma to float64."""
    return numbers(pc.replace_substring(texts, ",", "."))


def amounts(texts: pa.Array) -> pa.Array:
    """Convert amounts of the plain form to float64."""
    return pc.replace_substring_regex(texts, "[$€£¥, ]", "").cast(pa.float64())


def amounts_with_comma(texts: pa.Array) -> pa.Array:
    """Convert amounts of the plain form with a decimal comma to float64."""
    return pc.replace_substring(pc.replace_substring_regex(texts, "[$€£¥. ]", ""), ",", ".").cast(pa.float64())
