"""Brier score, calibration error, and what a calibration has changed."""

import math

import numpy as np
import pytest

from ml_platform.evaluation.calibration import calibration_error, calibration_metrics, one_versus_rest

RANDOM = np.random.default_rng(0)
RATES = RANDOM.random(20_000)
LABELS = (RANDOM.random(20_000) < RATES).astype(np.int64)


def test_probabilities_that_are_the_rates_have_almost_no_error():
    assert calibration_error(LABELS, RATES) < 0.01


@pytest.mark.parametrize("shift", [0.05, -0.05])
def test_the_error_is_the_distance_from_the_rate(shift):
    assert calibration_error(LABELS, RATES + shift) == pytest.approx(0.05, abs=0.005)


def test_the_bins_have_equal_numbers_of_rows():
    """Nearly all probabilities are low: bins of equal width would put them into one, where errors cancel out."""
    probabilities = np.repeat([0.02, 0.04, 0.9], [500, 400, 100])
    labels = np.zeros(1000, dtype=np.int64)
    labels[[*range(0, 500, 25), *range(500, 900, 100), *range(900, 990)]] = 1  # rates .04, .01 and .9
    assert calibration_error(labels, probabilities) == pytest.approx((500 * 0.02 + 400 * 0.03) / 1000)


def test_with_several_classes_the_error_is_the_mean_over_them():
    probabilities = RANDOM.dirichlet([1, 1, 1], 300)
    labels = RANDOM.integers(0, 3, 300)
    expected = [calibration_error((labels == index).astype(np.int64), probabilities[:, index]) for index in range(3)]
    assert calibration_error(labels, probabilities) == pytest.approx(np.mean(expected))


def test_the_brier_score_is_between_0_and_1_for_any_number_of_classes():
    assert calibration_metrics(np.array([0, 1]), np.array([0.2, 0.9]))["brier"] == pytest.approx(0.025)
    wrong, right = np.roll(np.eye(3), 1, axis=0), np.eye(3)
    scores = [calibration_metrics(np.arange(3), one)["brier"] for one in (right, wrong)]
    assert scores == [0.0, 1.0]


def test_one_nan_makes_both_nan():
    assert all(math.isnan(value) for value in calibration_metrics(LABELS[:2], np.array([0.1, np.nan])).values())


def test_each_class_of_each_row_is_a_row_of_two_classes():
    labels, probabilities = one_versus_rest(np.array([2, 0]), np.array([[0.1, 0.2, 0.7], [0.6, 0.3, 0.1]]))
    assert labels.tolist() == [0, 0, 1, 1, 0, 0]
    assert probabilities.tolist() == [0.1, 0.2, 0.7, 0.6, 0.3, 0.1]
    assert one_versus_rest(LABELS, RATES) == (LABELS, RATES)
