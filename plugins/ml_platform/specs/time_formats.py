"""The check of time formats for strptime: a format must give a whole date and lose nothing."""

import re
from datetime import UTC, datetime

PROBE = datetime(2001, 2, 3, 16, 5, 6, tzinfo=UTC)
YEARS = set("YyGcx")
INCOMPLETE = "must contain year, month and day, and with %I also %p, such as %d.%m.%Y %H:%M"


def check_time_format(form: str) -> str:
    """Return a format that leaves nothing to guess.

    Raises:
        ValueError: it is no format, lacks year, month, day or AM/PM, or names time zones by their letters.
    """
    if "%Z" in form.replace("%%", ""):
        raise ValueError("%Z ignores the meaning of a zone's letters; use %z for offsets, or the option zone")
    directives = set(re.findall("%(.)", form))
    if "d" in directives and not directives & YEARS:  # strptime warns of a day without a year
        raise ValueError(INCOMPLETE)
    try:
        parsed = datetime.strptime(PROBE.strftime(form), form).replace(tzinfo=UTC)
    except (ValueError, re.error) as error:  # re.error: a directive is given twice
        raise ValueError(f"not a format that strptime can read: {error}") from None
    coarser = [PROBE.replace(hour=0, minute=0, second=0), PROBE.replace(minute=0, second=0), PROBE.replace(second=0)]
    if parsed not in (*coarser, PROBE):
        raise ValueError(INCOMPLETE)
    return form
