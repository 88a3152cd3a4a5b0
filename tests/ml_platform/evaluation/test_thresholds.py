"""Confusion matrices by threshold, against a count row by row."""

import numpy as np
import pytest

from ml_platform.evaluation.thresholds import Confusion, ThresholdCurve

RANDOM = np.random.default_rng(3)
LABELS = RANDOM.integers(0, 2, 300)
PROBABILITIES = np.clip(RANDOM.normal(0.3 + 0.3 * LABELS, 0.2), 0, 1).round(2)


def counted(threshold: float) -> Confusion:
    predicted = threshold <= PROBABILITIES
    return Confusion(
        int((predicted & (LABELS == 1)).sum()),
        int((predicted & (LABELS == 0)).sum()),
        int((~predicted & (LABELS == 1)).sum()),
        int((~predicted & (LABELS == 0)).sum()),
    )


@pytest.mark.parametrize("threshold", [0.0, 0.005, 0.25, 0.5, 0.555, 0.99, 1.0])
def test_the_matrix_at_a_threshold_is_that_of_the_rows(threshold: float) -> None:
    assert ThresholdCurve.of(LABELS, PROBABILITIES).at(threshold) == counted(threshold)


def test_the_cheapest_threshold_has_the_least_cost_of_all() -> None:
    curve = ThresholdCurve.of(LABELS, PROBABILITIES)
    for costs in [(1.0, 1.0), (1.0, 20.0), (50.0, 1.0)]:
        least = min(counted(one).cost(*costs) for one in np.linspace(0, 1, 201))
        assert curve.at(curve.cheapest(*costs)).cost(*costs) == curve.costs(*costs).min() == least


def test_if_only_false_alarms_cost_no_row_is_positive() -> None:
    curve = ThresholdCurve.of(np.array([0, 1, 0]), np.array([0.2, 0.9, 0.95]))
    assert curve.at(curve.cheapest(1, 0)) == Confusion(0, 0, 1, 2)


def test_rates_without_positive_rows_or_predictions_are_zero() -> None:
    assert (Confusion(0, 0, 0, 5).precision, Confusion(0, 0, 0, 5).recall, Confusion(0, 0, 0, 5).f1) == (0, 0, 0)
    some = Confusion(6, 2, 4, 8)
    assert (some.precision, some.recall, some.f1) == (0.75, 0.6, 12 / 18)
    assert some.cost(2, 5) == 24


def test_labels_of_one_class_have_a_curve() -> None:
    curve = ThresholdCurve.of(np.zeros(3, dtype=int), np.array([0.1, 0.2, 0.2]))
    assert curve.at(0.2) == Confusion(0, 2, 0, 1)


def test_a_chart_gets_few_points_and_both_ends() -> None:
    curve = ThresholdCurve.of(LABELS, PROBABILITIES)
    assert len(curve.spread(10)) == 10
    assert (curve.spread(10)[0], curve.spread(10)[-1]) == (0, len(curve.thresholds) - 1)
    assert len(curve.spread(10_000)) == len(curve.thresholds)
