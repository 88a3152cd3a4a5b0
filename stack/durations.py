"""Durations in YAML files and at the command line: 30m, 1h, 2d."""

import re
from datetime import timedelta

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
DURATION = re.compile(r"([1-9][0-9]{0,7})([smhdw])")


def parse(text: str) -> timedelta | None:
    """Return the duration; None if the text is none."""
    found = DURATION.fullmatch(text)
    return timedelta(**{UNITS[found[2]]: int(found[1])}) if found else None
