"""The simplest candidate within one standard error of the best is chosen, not the luckiest."""

import numpy as np
import pytest

from ml_platform.evaluation.metrics import within_one_standard_error
from ml_platform.training.candidates import Candidate
from ml_platform.training.choice import choose, simplest_first
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


TREES = [Candidate("hist_gradient_boosting", {"max_leaf_nodes": number}) for number in (3, 8, 20)]


def chosen_from_a_space(*results):
    order = simplest_first(results, ["logistic_regression", "hist_gradient_boosting"], "f1")
    return choose(results, order, "f1").candidate


def test_of_a_space_the_simplest_estimator_that_is_as_good_as_the_best_is_chosen():
    trees = [result(tree, FOLDS + gain + NOISE) for tree, gain in zip(TREES, (0.001, 0.005, 0.003), strict=True)]
    assert chosen_from_a_space(*trees, result(LARGE, FOLDS), result(SIMPLE, FOLDS - 0.001)) is LARGE


def test_of_one_estimator_the_best_mean_is_chosen_because_a_distribution_has_no_order():
    trees = [result(tree, FOLDS + gain) for tree, gain in zip(TREES, (0.029, 0.030, 0.028), strict=True)]
    assert chosen_from_a_space(*trees, result(SIMPLE, FOLDS)) is TREES[1]


def test_a_pruned_candidate_of_a_space_is_never_chosen():
    pruned = CandidateResult(SIMPLE, folds={"f1": [0.9]}, interim={1: 0.9}, pruned=True)
    assert chosen_from_a_space(pruned, result(TREES[0], FOLDS)) is TREES[0]


@pytest.mark.parametrize(("loss", "within"), [(0.0, True), (0.007, True), (0.0072, False)])
def test_the_standard_error_is_that_of_the_differences(loss, within):
    """The standard deviation of NOISE is .0158; divided by the root of five it is .00707."""
    assert within_one_standard_error(FOLDS + loss + NOISE, FOLDS) is within
