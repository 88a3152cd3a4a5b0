"""Texts become timestamps: ISO 8601 or a given format, in UTC or a zone with daylight saving time."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from ml_platform.specs.column_types import TIMESTAMP

_YEAR = "[12][0-9]{3}"
# Outside these years Arrow and Python convert time zones differently: Arrow applies no rule beyond its table.
_TABLE_YEAR = "19[7-9][0-9]|20[0-2][0-9]|203[0-6]"
_ISO = r"-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?%s)?$"
# Python accepts any character between date and time, even a digit: 1712120812345 would be a time of the year 1712.
_DATED = re.compile(r"[0-9]{4}(-[0-9]{2}-[0-9]{2}|[0-9]{4}|-?W[0-9]{2}(-?[0-9])?)([Tt ]|\Z)")
_TWO = "([0-9]{2})"
_DIRECTIVES = {"%d": _TWO, "%m": _TWO, "%H": _TWO, "%M": _TWO, "%S": _TWO, "%f": "([0-9]{1,6})"}
_DEPTHS = ("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f")


def plain_pattern(form: str | None, zone: str) -> str:
    """Return the RE2 pattern of the texts that `column_converter` accepts."""
    year = f"({_YEAR if zone == 'UTC' else _TABLE_YEAR})"
    if form is None:
        return f"^{year}{_ISO % ('Z?' if zone == 'UTC' else '')}"
    if _iso_replacement(form) is None:
        return "$^"  # none
    parts = (year if part == "%Y" else _DIRECTIVES.get(part) or re.escape(part) for part in _split(form))
    return f"^{''.join(parts)}$"


def _split(form: str) -> list[str]:
    return re.findall("%.|[^%]+", form, re.DOTALL)


def _iso_replacement(form: str) -> str | None:
    """Return the ISO 8601 replacement for the groups of `plain_pattern`; None if moving digits is not enough."""
    directives = [part for part in _split(form) if part.startswith("%")]
    for depth in _DEPTHS:
        if sorted(directives) == sorted(re.findall("%.", depth)):
            return re.sub("%.", lambda part: f"\\{directives.index(part[0]) + 1}", depth)
    return None


def column_converter(form: str | None, zone: str) -> Callable[[pa.Array], pa.Array]:
    """Return a function that converts an array of texts in the plain form; it raises ArrowInvalid if one is no time."""
    target = _iso_replacement(form) if form else None

    def convert(texts: pa.Array) -> pa.Array:
        if form and target:
            texts = pc.replace_substring_regex(texts, plain_pattern(form, zone), target)
        naive = pc.replace_substring_regex(texts, "Z$", "").cast(pa.timestamp("us"))
        return naive.cast(TIMESTAMP) if zone == "UTC" else pc.assume_timezone(naive, zone).cast(TIMESTAMP)

    return convert


def text_converter(form: str | None, zone: str) -> Callable[[str], datetime]:
    """Return a function that converts one text, or raises ValueError with the reason.

    An offset in the text has precedence over the zone.
    """
    default_zone: tzinfo = UTC if zone == "UTC" else ZoneInfo(zone)

    def convert(text: str) -> datetime:
        if re.search(r"[.,][0-9]{7,}", text):
            raise ValueError("has finer parts than a microsecond, which would be lost")
        try:
            parsed = datetime.strptime(text, form) if form else _from_iso(text)
            return parsed.astimezone(UTC) if parsed.tzinfo else _in_zone(parsed, default_zone)
        except _LocalTimeError:
            raise
        except (ValueError, OverflowError):
            like = (
                f"a time of the form {form}" if form else "an ISO 8601 time such as 2026-01-31 or 2026-01-31T23:59:00Z"
            )
            raise ValueError(f"not {like}") from None

    return convert


def _from_iso(text: str) -> datetime:
    if not _DATED.match(text):
        raise ValueError("does not begin with a date")
    return datetime.fromisoformat(text)


class _LocalTimeError(ValueError):
    """A local time that does not exist, or exists twice, because the clocks are changed."""


def _in_zone(naive: datetime, zone: tzinfo) -> datetime:
    first, second = (naive.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    before, after = first.utcoffset(), second.utcoffset()
    if before != after and before is not None and after is not None:
        fault = "exists twice" if before > after else "does not exist"
        change = "back" if before > after else "forward"
        raise _LocalTimeError(
            f"{fault} in {zone}, where the clocks are set {change} then; give the time with its offset from UTC"
        )
    return first.astimezone(UTC)
