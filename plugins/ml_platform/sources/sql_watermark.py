"""The values of a watermark column: which types can be one, and their texts, which are exact."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

MOST_CHARACTERS = 200
ALLOWED = (
    "allowed are whole numbers, decimal numbers, dates, timestamps, and texts of at most "
    f"{MOST_CHARACTERS} printable characters; a `query` can cast the column to one of them"
)


@dataclass(frozen=True)
class Kind:
    """A type of watermarks.

    Attributes:
        name: for people, with an article.
        example: of a text.
        parse: the value that a text stands for; a ValueError if it stands for none.
        text: the text of a value: `parse` gives the same value back.
    """

    name: str
    example: str
    parse: Callable[[str], Any]
    text: Callable[[Any], str] = str


def _number(text: str) -> int | Decimal:
    if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?(E[+-]?[0-9]+)?", text):
        raise ValueError(text)
    return int(text) if text.removeprefix("-").isdecimal() else Decimal(text)


def _zoned(text: str) -> datetime:
    value = datetime.fromisoformat(text)
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def _unzoned(text: str) -> datetime:
    value = datetime.fromisoformat(text)
    if value.tzinfo:
        raise ValueError(text)
    return value


NUMBER = Kind("a number", "17", _number)
DATE = Kind("a date", "2026-11-29", date.fromisoformat, date.isoformat)
ZONED = Kind("a timestamp in UTC or with an offset", "2026-11-29T20:15:00+00:00", _zoned, datetime.isoformat)
UNZONED = Kind("a timestamp without an offset", "2026-11-29T20:15:00", _unzoned, datetime.isoformat)
TEXT = Kind("a text", "2026-11-29", str)


def kind_of(value: Any) -> Kind | None:
    """Return the type of a value; None if it cannot be a watermark."""
    if isinstance(value, datetime):
        return ZONED if value.tzinfo else UNZONED
    if isinstance(value, str):
        return TEXT if len(value) <= MOST_CHARACTERS and value.isprintable() else None
    if isinstance(value, Decimal):
        return NUMBER if value.is_finite() else None
    return {int: NUMBER, date: DATE}.get(type(value))
