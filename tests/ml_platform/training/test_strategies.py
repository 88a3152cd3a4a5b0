"""Both strategies yield known results without fitting them again; see test_search.py and test_tpe.py for each."""

import pytest

from ml_platform.training import strategies
from ml_platform.training.search_plan import SearchPlan
from ml_platform.training.split import split
from ml_platform.training.stopwatch import Stopwatch
from tests.ml_platform.training.trainings import make_dataset, make_frame, make_training_set, searched_by

PARTS = split(make_training_set(make_dataset(), make_frame(300)), 3)
LISTS = {"logistic_regression": {"C": [0.1, 1.0], "class_weight": [None, "balanced"]}}
PLANS = {
    strategy: SearchPlan.of(searched_by({"strategy": strategy, "jobs": 1, "candidates": LISTS}))
    for strategy in ("grid", "tpe")
}


def run(plan, known=None):
    return {
        result.candidate.id: result
        for result in strategies.results(plan, PARTS, PARTS.folds(3), known or {}, Stopwatch())
    }


@pytest.mark.parametrize("strategy", PLANS)
def test_known_results_are_yielded_as_they_are(strategy):
    found = run(PLANS[strategy])
    assert len(found) == 4
    known = dict(list(found.items())[:2])
    again = run(PLANS[strategy], known)
    assert set(again) == set(found)
    for key, result in again.items():
        assert (result.folds, result.pruned) == (found[key].folds, found[key].pruned)
    assert [again[key].start_time for key in known] == [result.start_time for result in known.values()]


def test_without_pruning_both_strategies_give_the_same_scores():
    grid, adaptive = run(PLANS["grid"]), run(PLANS["tpe"])
    assert {key: result.folds for key, result in grid.items()} == {key: r.folds for key, r in adaptive.items()}


def test_the_timeout_of_the_plan_ends_an_adaptive_search():
    search = searched_by({"strategy": "tpe", "timeout": "10s", "candidates": LISTS})
    results = strategies.results(SearchPlan.of(search), PARTS, PARTS.folds(3), {}, Stopwatch(before=11.0))
    assert list(results) == []
