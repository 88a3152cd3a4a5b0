"""Candidates are evaluated together: pruned ones are fitted on the first folds only, the others as in a grid."""

from dataclasses import replace

import pytest

from ml_platform.training import race as race_module
from ml_platform.training.candidates import Candidate
from ml_platform.training.race import Entrant, Race, checkpoints
from ml_platform.training.search import evaluate
from ml_platform.training.split import split
from tests.ml_platform.training.trainings import make_dataset, make_frame, make_training_set

GOOD, OTHER = (Candidate("logistic_regression", {"C": c}) for c in (1.0, 0.1))
FAILING = Candidate("random_forest", {"bootstrap": False, "oob_score": True})
PARTS = split(make_training_set(make_dataset(), make_frame(300)), 3)
FOLDS = PARTS.folds(3)


def make_race(jobs=1):
    return Race(PARTS.dataset, PARTS.task, *PARTS.train(), FOLDS, "f1", jobs)


def run(*entrants, prune=lambda _: False, jobs=1):
    """Return the results by candidate id, without times."""
    results = make_race(jobs).run(entrants, prune)
    return {result.candidate.id: replace(result, start_time=0.0, seconds=0.0) for result in results}


@pytest.fixture
def fits(monkeypatch):
    """The candidate of each fit."""
    fitted = []
    real = race_module.fit_fold
    monkeypatch.setattr(race_module, "fit_fold", lambda *args: fitted.append(args[0].id) or real(*args))
    return fitted


@pytest.mark.parametrize(("folds", "expected"), [(2, [1]), (3, [1, 2]), (5, [1, 3]), (10, [1, 5])])
def test_the_first_fold_and_half_of_the_folds_decide(folds, expected):
    assert checkpoints(folds) == expected


def test_a_candidate_that_is_not_pruned_scores_as_in_a_grid(fits):
    found = run(Entrant(GOOD), Entrant(OTHER))
    for candidate in (GOOD, OTHER):
        result, expected = found[candidate.id], evaluate(candidate, PARTS.dataset, PARTS.task, *PARTS.train(), FOLDS)
        assert (result.means, result.sds, result.folds) == (expected.means, expected.sds, expected.folds)
        assert (result.pruned, list(result.interim)) == (False, [1, 2])
    assert sorted(fits) == sorted([GOOD.id, OTHER.id] * 3)


def test_a_pruned_candidate_has_the_values_of_its_first_folds_and_never_wins(fits):
    asked = []

    def prune(entrant):
        asked.append((entrant.candidate.id, dict(entrant.interim)))
        return entrant.candidate is OTHER

    found = run(Entrant(OTHER), Entrant(GOOD), prune=prune)
    pruned = found[OTHER.id]
    assert (pruned.pruned, pruned.means, pruned.sds, pruned.error) == (True, {}, {}, None)
    assert pruned.interim == {1: pruned.folds["f1"][0]}
    assert pruned.score("f1") == float("-inf")
    assert fits.count(OTHER.id) == 1
    assert [(one, list(interim)) for one, interim in asked] == [(OTHER.id, [1]), (GOOD.id, [1]), (GOOD.id, [1, 2])]


def test_a_candidate_that_fails_is_not_asked_about(fits):
    asked = []
    found = run(Entrant(FAILING), Entrant(GOOD), prune=lambda entrant: bool(asked.append(entrant.candidate.id)))
    assert "Out of bag estimation" in found[FAILING.id].error
    assert found[GOOD.id].error is None
    assert set(asked) == {GOOD.id}
    assert fits.count(FAILING.id) == 1


def test_known_candidates_report_as_before_and_are_not_fitted_again(fits):
    before = run(Entrant(GOOD), Entrant(OTHER), Entrant(FAILING), prune=lambda entrant: entrant.candidate is OTHER)
    fits.clear()
    reported = []
    known = [Entrant(candidate, before[candidate.id]) for candidate in (GOOD, OTHER, FAILING)]
    again = run(*known, prune=lambda entrant: reported.append(dict(entrant.interim)) or entrant.candidate is OTHER)
    assert (again, fits) == (before, [])
    assert reported == [{1: before[GOOD.id].interim[1]}, before[OTHER.id].interim, before[GOOD.id].interim]


@pytest.mark.slow
@pytest.mark.prove
def test_the_results_do_not_depend_on_the_number_of_jobs():
    entrants = [Entrant(Candidate("logistic_regression", {"C": c})) for c in (0.1, 1.0, 10.0)]
    assert run(*map(replace, entrants), jobs=1) == run(*map(replace, entrants), jobs=2)
