"""Whether rows came in as a spec expects it. Pure.

Files come a little early or late. So the least number of rows is asked of a time that is longer than `every` by the
tolerance: it holds all files of one period. The most is asked of a time that is shorter by it: it holds no file of
another period.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ml_platform.specs.alerts import EventName, Expectation


@dataclass(frozen=True)
class Arrivals:
    """What was loaded of a data set.

    Attributes:
        first: time of the first file.
        last: time of the last file.
        last_file: its key.
        rows_long: rows that were loaded in the last period and the tolerance.
        rows_short: rows that were loaded in the last period without the tolerance.
    """

    first: datetime
    last: datetime
    last_file: str
    rows_long: int
    rows_short: int


def judge(expected: Expectation, arrivals: Arrivals, now: datetime) -> tuple[EventName, dict[str, Any]] | None:
    """Return the event and its facts; None if all is as expected.

    Too few rows are reported from one period after the first file on.
    """
    least, most = expected.limits
    facts: dict[str, Any] = {"every": expected.every, "file": arrivals.last_file}
    if now - arrivals.last > expected.latest:
        return "nothing_arrived", facts | {"last": f"{arrivals.last:%Y-%m-%d %H:%M} UTC"}
    if arrivals.rows_long < least and now - arrivals.first >= expected.latest:
        return "fewer_rows", facts | {"rows": arrivals.rows_long, "least": least}
    if most is not None and arrivals.rows_short > most:
        return "more_rows", facts | {"rows": arrivals.rows_short, "most": most}
    return None
