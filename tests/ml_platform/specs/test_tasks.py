"""What fits each kind of problem, by name."""

import pytest

from ml_platform.specs.tasks import ERRORS, GRIDS, METRIC_TITLES, METRICS, gain, sign


def test_every_kind_has_metrics_with_titles_and_a_grid():
    assert set(METRICS) == set(GRIDS) == {"binary", "multiclass", "regression"}
    assert {metric for metrics in METRICS.values() for metric in metrics} <= set(METRIC_TITLES)


def test_less_of_an_error_is_better():
    assert (sign("mae"), sign("r2"), sign("f1")) == (-1, 1, 1)
    assert set(METRICS["regression"]) >= ERRORS


@pytest.mark.parametrize(
    ("metric", "ours", "theirs", "expected"),
    [("f1", 0.6, 0.5, 0.1), ("mae", 8.0, 10.0, 0.2), ("mae", 12.0, 10.0, -0.2), ("mae", 1.0, 0.0, 0.0)],
)
def test_a_gain_is_a_difference_or_the_share_by_which_an_error_is_lower(metric, ours, theirs, expected):
    assert gain(metric, ours, theirs) == pytest.approx(expected)
