"""The interval around a predicted number holds the share that it is made for."""

import numpy as np
import pytest

from ml_platform.estimators.interval_regressor import Interval
from ml_platform.evaluation.intervals import conformal_interval, interval_metrics


def test_the_ends_have_the_ranks_of_conformal_prediction():
    """Of 99 residuals with 90 %, five are at or beyond each end: (99 + 1) * .05."""
    labels = np.arange(1.0, 100.0)
    assert conformal_interval(labels, np.zeros(99), 0.9) == Interval(5.0, 95.0, 0.9)


def test_with_few_rows_the_ends_are_the_extreme_residuals():
    assert conformal_interval(np.array([1.0, -2.0, 3.0]), np.zeros(3), 0.9) == Interval(-2.0, 3.0, 0.9)


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.95])
def test_new_rows_are_inside_as_often_as_stated(coverage):
    """The mean over many draws, of skewed residuals: each draw has an interval of its own."""
    random = np.random.default_rng(0)
    shares = []
    for _ in range(200):
        old, new = random.lognormal(0, 1, 100), random.lognormal(0, 1, 1000)
        interval = conformal_interval(old, np.zeros(100), coverage)
        shares.append(interval_metrics(new, np.zeros(1000), interval)["coverage"])
    assert coverage - 0.01 < np.mean(shares) < coverage + 0.03


def test_the_metrics_are_the_share_inside_the_width_and_the_pinball_loss():
    metrics = interval_metrics(np.array([0.0, 4.0]), np.zeros(2), Interval(-1.0, 2.0, 0.9))
    # low end: .05 * 1 and .05 * 5; high end: .05 * 2 and .95 * 2
    assert metrics["pinball"] == pytest.approx(np.mean([0.05, 0.25, 0.1, 1.9]))
    assert (metrics["coverage"], metrics["interval_width"]) == (0.5, 3.0)
