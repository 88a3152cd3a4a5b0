"""Which training rows are of the same season."""

from datetime import UTC, datetime, timedelta

import pandas as pd

from ml_platform.monitoring.reference import Season

YEAR = timedelta(weeks=52)


def times(*texts: str) -> pd.Series:
    return pd.Series(pd.to_datetime(list(texts), utc=True))


def test_rows_of_the_same_weeks_of_earlier_years_are_in_the_season() -> None:
    season = Season(YEAR, datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 6, 15, tzinfo=UTC))
    rows = times("2025-06-05", "2024-06-10", "2025-05-20", "2025-07-01", "2026-06-05", "2024-12-01")
    assert season.mask(rows).tolist() == [True, True, False, False, False, False]


def test_both_ends_are_in_the_season_and_training_may_be_of_this_one() -> None:
    first, last = datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 6, 15, tzinfo=UTC)
    ends = pd.Series(
        pd.to_datetime([first - YEAR, last - 3 * YEAR, last - YEAR + timedelta(seconds=1), last], utc=True)
    )
    assert Season(YEAR, first, last).mask(ends).tolist() == [True, True, False, False]
