"""Moments in logs, and what `since` means."""

import re
from datetime import UTC, datetime

from stack import durations
from stack.errors import StackError

START = r"[\[ ]*"  # a server may write its time in brackets
NUMERIC = re.compile(
    START + r"(\d{4})[-/](\d\d)[-/](\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,6})\d*)? ?(Z|UTC|[+-]\d\d:?\d\d)?"
)
OF_GO = re.compile(r"[DIWEF](\d\d)(\d\d) (\d\d:\d\d:\d\d)\.(\d{1,6})")  # as SeaweedFS writes it, without a year
OF_PHP = re.compile(r"\[\w{3} (\w{3} +\d+ \d\d:\d\d:\d\d \d{4})\]")


def since(text: str, now: datetime) -> datetime:
    """Return the moment of a duration before now, such as 30m, 1h or 2d, or of a time, which is UTC without an offset.

    Raises:
        StackError: it is neither.
    """
    if duration := durations.parse(text):
        return now - duration
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise StackError(f"since={text} is neither a duration (30m, 1h, 2d) nor a time (2026-11-30T06:15)") from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def begin_of(line: str, year: int) -> tuple[datetime | None, str]:
    """Return the time that a line begins with, None if it has none, and the rest of the line.

    A time without a zone is of this machine's time zone, as the servers write it.

    Args:
        line: of a log.
        year: of times that have none.
    """
    if found := NUMERIC.match(line):
        *date, clock, fraction, zone = found.groups()
        text = f"{'-'.join(date)}T{clock}.{(fraction or '0').ljust(6, '0')}{'Z' if zone == 'UTC' else zone or ''}"
    elif found := OF_GO.match(line):
        text = f"{year}-{found[1]}-{found[2]}T{found[3]}.{found[4].ljust(6, '0')}"
    elif found := OF_PHP.match(line):
        return datetime.strptime(found[1], "%b %d %H:%M:%S %Y").astimezone(UTC), line[found.end() :].strip()
    else:
        return None, line
    try:
        return datetime.fromisoformat(text).astimezone(UTC), line[found.end() :].lstrip(" ],")
    except ValueError:  # digits that are no time
        return None, line
