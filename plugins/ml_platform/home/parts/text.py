"""Texts on pages: foreign ones without effect, numbers, moments and durations as people read them."""

import re
from datetime import UTC, datetime, timedelta

_MARKS = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:&\"'@/])")


def plain(text: object) -> str:
    """Return a text that comes from outside such that Markdown shows it as it is: no link, image, formula or colour."""
    return _MARKS.sub(r"\\\1", str(text)).replace("\n", " ")


def counted(number: int, one: str, more: str = "") -> str:
    """Return a number with its noun: `1 row`, `2,000 rows`; `more` is the plural if it does not end in s."""
    return f"{number:,} {one if number == 1 else more or f'{one}s'}"


def ago(moment: datetime | None, now: datetime | None = None) -> str:
    """Return how long ago a moment was: `just now`, `5 minutes ago`, `3 days ago`; `never` for None."""
    if moment is None:
        return "never"
    passed = (now or datetime.now(UTC)) - moment
    return "just now" if passed < timedelta(minutes=1) else f"{duration(passed)} ago"


def duration(length: timedelta) -> str:
    """Return a length of time in its largest unit: `40 seconds`, `5 minutes`, `3 days`."""
    seconds = max(0, int(length.total_seconds()))
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= size:
            return counted(seconds // size, unit)
    return counted(seconds, "second")


def when(moment: datetime | None) -> str:
    """Return a moment in UTC: `2026-05-04 13:05 UTC`; a dash for None."""
    return "–" if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def size(number: int) -> str:
    """Return a number of bytes: `512 bytes`, `1.2 MB`."""
    for unit, unit_size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if number >= unit_size:
            return f"{number / unit_size:.1f} {unit}"
    return counted(number, "byte")
