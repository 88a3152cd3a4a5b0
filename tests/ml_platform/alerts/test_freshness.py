"""Whether rows came in as expected; the time is given."""

from datetime import UTC, datetime, timedelta

import pytest

from ml_platform.alerts.freshness import Arrivals, judge
from ml_platform.specs.alerts import Expectation

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def arrivals(hours_ago: float, rows: int = 1000, first: float = 500, rows_short: int | None = None) -> Arrivals:
    short = rows if rows_short is None else rows_short
    return Arrivals(NOW - timedelta(hours=first), NOW - timedelta(hours=hours_ago), "train_auto.csv", rows, short)


@pytest.mark.parametrize(
    ("rows", "found", "event"),
    [
        (None, arrivals(1), None),
        (None, arrivals(26.3), None),  # late, within the tolerance of a tenth
        (None, arrivals(26.5), "nothing_arrived"),
        ("1000..", arrivals(1), None),
        ("1001..", arrivals(1), "fewer_rows"),
        ("1001..", arrivals(1, first=20), None),  # the first period is not over
        ("1001..", arrivals(27), "nothing_arrived"),  # one cause, one alert
        ("..999", arrivals(1), "more_rows"),
        ("..999", arrivals(1, rows=1000, rows_short=500), None),  # one of the files is that of the period before
        ("500..1000", arrivals(1), None),
    ],
)
def test_rows_are_judged(rows: str | None, found: Arrivals, event: str | None) -> None:
    judged = judge(Expectation(every="1d", rows=rows), found, NOW)
    assert (judged and judged[0]) == event
    if judged:
        assert judged[1]["file"] == "train_auto.csv"
