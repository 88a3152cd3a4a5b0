"""The simplest candidate within one standard error of the best is chosen, not the luckiest."""

import numpy as np
import pytest

from ml_platform.evaluation.metrics import within_one_standard_error
from ml_platform.training.candidates import Candidate
from ml_platform.training.choice import choose
from ml_platform.training.search import CandidateResult

SIMPLE, MIDDLE, LARGE = ORDER = [Candidate("logistic_regression", {"C": c}) for c in (0.1, 1.0, 10.0)]
FOLDS = np.array([0.55, 0.60, 0.65, 0.58, 0.62])
NOISE = np.array([0.01, -0.01, 0.02, -0.02, 0.0])


def result(candidate, folds, **more):
    return CandidateResult(candidate, means={"f1": float(np.mean(folds))}, folds={"f1": list(folds)}, **more)


def chosen(*results):
    return choose(results, ORDER, "f1").candidate


def test_a_simpler_candidate_that_lost_by_chance_is_chosen():
    assert chosen(result(LARGE, FOLDS + 0.005 + NOISE), result(SIMPLE, FOLDS)) is SIMPLE


def test_a_candidate_that_is_better_in_every_fold_is_chosen_although_the_folds_vary():
    """The standard error of the best score, .017, would have taken the simple one."""
    assert chosen(result(LARGE, FOLDS + 0.01), result(SIMPLE, FOLDS)) is LARGE


def test_the_order_of_the_grid_says_what_is_simple():
    results = [result(candidate, FOLDS) for candidate in reversed(ORDER)]
    assert chosen(*results) is SIMPLE
    assert chosen(result(LARGE, FOLDS + 0.02), result(MIDDLE, FOLDS + 0.019 + NOISE), result(SIMPLE, FOLDS)) is MIDDLE


def test_a_candidate_that_failed_is_never_chosen():
    failed = CandidateResult(SIMPLE, error="broken")
    assert chosen(failed, result(LARGE, FOLDS)) is LARGE
    assert choose([failed], ORDER, "f1") is None


@pytest.mark.parametrize(("loss", "within"), [(0.0, True), (0.007, True), (0.0072, False)])
def test_the_standard_error_is_that_of_the_differences(loss, within):
    """The standard deviation of NOISE is .0158; divided by the root of five it is .00707."""
    assert within_one_standard_error(FOLDS + loss + NOISE, FOLDS) is within
