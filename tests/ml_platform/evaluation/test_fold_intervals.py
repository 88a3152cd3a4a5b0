"""The interval is the corrected one, and covers what it says."""

import numpy as np
import pytest
from scipy import stats

from ml_platform.evaluation.fold_intervals import half_width


def test_it_equals_the_formula() -> None:
    folds = [0.5, 0.6, 0.7, 0.4, 0.6]
    variance = np.var(folds, ddof=1) * (1 / 5 + 1 / 4)
    assert half_width(folds) == pytest.approx(2.7764451 * np.sqrt(variance))
    assert half_width(folds, 0.5) == pytest.approx(0.7406971 * np.sqrt(variance))


def test_it_is_wider_than_that_of_independent_values() -> None:
    folds = np.array([0.5, 0.6, 0.7, 0.4, 0.6])
    low, high = stats.t.interval(0.95, 4, folds.mean(), stats.sem(folds))
    assert half_width(folds) == pytest.approx((high - low) / 2 * np.sqrt(9 / 4))


def test_equal_values_have_no_width() -> None:
    assert half_width([0.3, 0.3, 0.3]) == 0


def test_folds_that_share_their_rows_are_covered() -> None:
    """Values of overlapping training rows, with the correlation that the correction assumes."""
    random, folds, rho = np.random.default_rng(0), 5, 0.2
    shared = random.normal(0, np.sqrt(rho), (4000, 1))
    values = shared + random.normal(0, np.sqrt(1 - rho), (4000, folds))
    covered = [abs(row.mean()) <= half_width(row) for row in values]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.015)
