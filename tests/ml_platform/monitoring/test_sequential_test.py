"""The sequential test: seldom a false alarm in all looks together, and an alarm soon after a change."""

import numpy as np
import pytest

from ml_platform.monitoring.sequential_test import BLOCKS, evidence

ALPHA = 0.05


def losses(rates: list[float], rows: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    return np.concatenate([random.random(rows) < rate for rate in rates]).astype(float)


@pytest.mark.parametrize("rate", [0.02, 0.2, 0.5])
def test_a_promise_that_holds_raises_an_alarm_in_at_most_one_of_twenty_streams(rate: float) -> None:
    streams = 100
    alarms = sum(evidence(losses([rate], 2000, seed), rate, ALPHA).alarm is not None for seed in range(streams))
    assert alarms <= ALPHA * streams


def test_a_better_model_raises_none() -> None:
    assert evidence(losses([0.1], 5000, 1), 0.2, ALPHA).alarm is None


@pytest.mark.parametrize(("before", "after", "within"), [(0.2, 0.4, 200), (0.2, 0.3, 600), (0.02, 0.1, 300)])
def test_a_change_is_found_soon_after_it_and_where_it_was(before: float, after: float, within: int) -> None:
    found = [evidence(losses([before, after], 1000, seed), before, ALPHA) for seed in range(20)]
    delays = sorted(one.alarm - 1000 if one.alarm is not None else 10**9 for one in found)
    assert delays[10] <= within
    assert np.median([abs(one.change - 1000) for one in found if one.change is not None]) <= 120


def test_losses_between_0_and_1_count_by_their_size() -> None:
    halves = np.full(1000, 0.5)
    assert evidence(halves, 0.5, ALPHA).alarm is None
    assert evidence(halves, 0.3, ALPHA).alarm is not None


def test_the_wealth_is_known_at_the_end_of_each_block() -> None:
    found = evidence(np.zeros(1000), 0.5, ALPHA)
    assert found.wealth.shape == found.ends.shape == (BLOCKS,)
    assert found.ends[-1] == 1000
    assert (found.wealth > 0).all()
    few = evidence(np.ones(3), 0.5, ALPHA)
    assert few.ends.tolist() == [1, 2, 3]


def test_without_rows_there_is_no_evidence() -> None:
    found = evidence(np.empty(0), 0.5, ALPHA)
    assert (len(found.wealth), found.alarm, found.change) == (0, None, None)
