"""A candidate is stopped when its first folds say that it cannot become the best."""

import math

import numpy as np
import pytest

from ml_platform.training.pruning import MIN_FINISHED, cannot_win

FINALS = np.array([0.60, 0.59, 0.58, 0.57, 0.61])
ERRORS = np.array([0.01, -0.01, 0.00, 0.02, -0.02])  # standard deviation .0158


@pytest.mark.parametrize(("interim", "stopped"), [(0.61, False), (0.579, False), (0.577, True)])
def test_two_standard_deviations_below_the_best_is_the_end(interim, stopped):
    assert cannot_win(interim, FINALS - ERRORS, FINALS) is stopped


def test_first_folds_that_are_easier_for_all_are_allowed_for():
    """All were better by .1 in their first folds than in the end, and so is this one."""
    assert cannot_win(0.68, FINALS - ERRORS + 0.1, FINALS) is False
    assert cannot_win(0.67, FINALS - ERRORS + 0.1, FINALS) is True


def test_a_few_candidates_are_always_finished():
    few = slice(MIN_FINISHED - 1)
    assert cannot_win(0.1, FINALS[few], FINALS[few]) is False


@pytest.mark.parametrize("interim", [math.nan, -math.inf])
def test_without_a_score_there_is_nothing_to_continue(interim):
    assert cannot_win(interim, [], []) is True
