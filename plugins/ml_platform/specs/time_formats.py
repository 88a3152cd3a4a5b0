"""Which formats of times, as strptime takes them, say a whole date and nothing that would be lost."""

from datetime import UTC, datetime

PROBE = datetime(2001, 2, 3, 16, 5, 6, tzinfo=UTC)


def whole_date(form: str) -> str:
    """Return a format if it can be read without guessing.

    Raises:
        ValueError: it is none, or leaves year, month, day or the half of the day open, or names zones by their letters.
    """
    if "%Z" in form.replace("%%", ""):
        raise ValueError("%Z reads the letters of a zone without their meaning; use %z for offsets, or the option zone")
    try:
        read = datetime.strptime(PROBE.strftime(form), form).replace(tzinfo=UTC)
    except ValueError as error:
        raise ValueError(f"not a format that strptime can read: {error}") from None
    down_to = [PROBE.replace(hour=0, minute=0, second=0), PROBE.replace(minute=0, second=0), PROBE.replace(second=0)]
    if read not in (*down_to, PROBE):
        raise ValueError("must say year, month and day, and with %I also %p, such as %d.%m.%Y %H:%M")
    return form
