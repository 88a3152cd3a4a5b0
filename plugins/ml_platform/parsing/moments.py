"""Texts become moments: ISO 8601 or a format of one's own, in UTC or a zone with daylight saving time."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from ml_platform.specs.column_types import TIMESTAMP

_YEAR = "[12][0-9]{3}"
# Outside these years Arrow's rules of time zones and Python's differ: the one knows no rule beyond the table.
_TABLED_YEAR = "19[7-9][0-9]|20[0-2][0-9]|203[0-6]"
_ISO = r"-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?%s)?$"
# Python takes any sign between date and time, even a digit: 1712120812345 would be a moment of the year 1712.
_DATED = re.compile(r"[0-9]{4}(-[0-9]{2}-[0-9]{2}|[0-9]{4}|-?W[0-9]{2}(-?[0-9])?)([Tt ]|\Z)")
_TWO = "([0-9]{2})"
_DIRECTIVES = {"%d": _TWO, "%m": _TWO, "%H": _TWO, "%M": _TWO, "%S": _TWO, "%f": "([0-9]{1,6})"}
_DEPTHS = ("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f")


def plain(form: str | None, zone: str) -> str:
    """Return the RE2 pattern of the texts that `vector` converts."""
    year = f"({_YEAR if zone == 'UTC' else _TABLED_YEAR})"
    if form is None:
        return f"^{year}{_ISO % ('Z?' if zone == 'UTC' else '')}"
    if _rewritten(form) is None:
        return "$^"  # none
    parts = (year if part == "%Y" else _DIRECTIVES.get(part) or re.escape(part) for part in _split(form))
    return f"^{''.join(parts)}$"


def _split(form: str) -> list[str]:
    return re.findall("%.|[^%]+", form, re.DOTALL)


def _rewritten(form: str) -> str | None:
    """Return how the groups of `plain` are put together to ISO 8601; None if that takes more than moving digits."""
    asked = [part for part in _split(form) if part.startswith("%")]
    for depth in _DEPTHS:
        if sorted(asked) == sorted(re.findall("%.", depth)):
            return re.sub("%.", lambda part: f"\\{asked.index(part[0]) + 1}", depth)
    return None


def vector(form: str | None, zone: str) -> Callable[[pa.Array], pa.Array]:
    """Return what converts a column of texts of the plain form; raises ArrowInvalid if one of them is no time."""
    target = _rewritten(form) if form else None

    def moments(texts: pa.Array) -> pa.Array:
        if form and target:
            texts = pc.replace_substring_regex(texts, plain(form, zone), target)
        naive = pc.replace_substring_regex(texts, "Z$", "").cast(pa.timestamp("us"))
        return naive.cast(TIMESTAMP) if zone == "UTC" else pc.assume_timezone(naive, zone).cast(TIMESTAMP)

    return moments


def single(form: str | None, zone: str) -> Callable[[str], datetime]:
    """Return what converts one text, or raises ValueError with the reason; an offset in the text wins over the zone."""
    here: tzinfo = UTC if zone == "UTC" else ZoneInfo(zone)

    def moment(text: str) -> datetime:
        if re.search(r"[.,][0-9]{7,}", text):
            raise ValueError("has finer parts than a microsecond, which would be lost")
        try:
            found = datetime.strptime(text, form) if form else _from_iso(text)
            return found.astimezone(UTC) if found.tzinfo else _placed(found, here)
        except _OfClockError:
            raise
        except (ValueError, OverflowError):
            like = (
                f"a time of the form {form}" if form else "an ISO 8601 time such as 2026-01-31 or 2026-01-31T23:59:00Z"
            )
            raise ValueError(f"not {like}") from None

    return moment


def _from_iso(text: str) -> datetime:
    if not _DATED.match(text):
        raise ValueError("does not begin with a date")
    return datetime.fromisoformat(text)


class _OfClockError(ValueError):
    """The clocks of a zone show a time never, or twice."""


def _placed(naive: datetime, zone: tzinfo) -> datetime:
    first, second = (naive.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    before, after = first.utcoffset(), second.utcoffset()
    if before != after and before is not None and after is not None:
        how = "twice, as the clocks are set back" if before > after else "not, as the clocks are set forward"
        raise _OfClockError(f"happens {how} then in {zone}; give the time with its offset from UTC")
    return first.astimezone(UTC)
