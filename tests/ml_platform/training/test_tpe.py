"""An adaptive search: reproducible, resumable, and drawn from its space. Only its scores are faked here."""

import math

import pytest

from ml_platform.training import tpe
from ml_platform.training.race import Entrant
from ml_platform.training.search import CandidateResult
from ml_platform.training.search_space import Range, Values, search_space
from tests.ml_platform.training.trainings import searched_by

SPACE = search_space(
    searched_by(
        {
            "strategy": "tpe",
            "candidates": {
                "logistic_regression": {
                    "C": {"low": 0.01, "high": 100, "log": True},
                    "class_weight": [None, "balanced"],
                },
                "hist_gradient_boosting": {"max_leaf_nodes": {"low": 3, "high": 63}},
            },
        }
    )
)


class Race:
    """Scores candidates by a formula: the best is logistic regression with C of 3 and class weights."""

    scoring = "f1"

    def __init__(self, fails=lambda _: False):
        self.fitted = []
        self._fails = fails

    def run(self, entrants, prune):
        for entrant in entrants:
            if entrant.known is None:
                self.fitted.append(entrant.candidate.id)
            entrant.result = entrant.known or self._result(entrant, prune)
            if entrant.known:
                entrant.interim.update(entrant.known.interim)
                prune(entrant)
            yield entrant.result

    def _result(self, entrant, prune):
        candidate = entrant.candidate
        if self._fails(candidate):
            return CandidateResult(candidate, error="no")
        score = self.score_of(candidate)
        entrant.interim[1] = score
        pruned = prune(entrant)
        return CandidateResult(candidate, means={} if pruned else {"f1": score}, interim={1: score}, pruned=pruned)

    @staticmethod
    def score_of(candidate):
        if candidate.estimator == "hist_gradient_boosting":
            return 0.5 - candidate.params["max_leaf_nodes"] / 1000
        distance = abs(math.log10(candidate.params["C"] / 3))
        return 0.7 - distance / 10 - (candidate.params["class_weight"] is None) / 50


def run(race=None, trials=30, known=None, **options):
    return list(tpe.search(SPACE, race or Race(), trials=trials, known=known or {}, **options))


def by_id(results):
    return {result.candidate.id: result for result in results}


@pytest.fixture(scope="module")
def full():
    return run()


def test_every_trial_is_another_candidate_of_the_space(full):
    assert len(by_id(full)) == len(full) == 30
    assert {result.candidate.estimator for result in full} == set(SPACE)
    for result in full:
        params = result.candidate.params
        if result.candidate.estimator == "logistic_regression":
            assert 0.01 <= params["C"] <= 100
            assert params["class_weight"] in (None, "balanced")
        else:
            assert params["max_leaf_nodes"] in range(3, 64)


def test_the_first_candidates_are_the_middle_of_each_estimator(full):
    assert [str(result.candidate) for result in full[:2]] == [
        "logistic_regression C=1.0 class_weight=None", "hist_gradient_boosting max_leaf_nodes=33",
    ]  # fmt: skip


def test_it_learns_and_stops_what_cannot_win(full):
    late = [result for result in full[20:] if result.candidate.estimator == "logistic_regression"]
    assert len(late) >= 8
    best = max(full, key=lambda result: result.score("f1"))
    assert best.candidate.params["class_weight"] == "balanced"
    assert best.score("f1") > 0.68
    assert any(result.pruned for result in full)
    assert not any(result.pruned for result in full[: tpe.ROUND])


def test_two_searches_are_equal_and_more_trials_continue_fewer(full):
    assert run() == full
    assert run(trials=13) == full[:13]


@pytest.mark.parametrize("number", [1, 6, 30])
def test_a_search_resumes_without_fitting_again(full, number):
    race = Race()
    assert run(race, known=by_id(full[:number])) == full
    assert race.fitted == [result.candidate.id for result in full[number:]]


def test_any_part_of_a_round_may_be_known(full):
    race = Race()
    assert run(race, known=by_id([full[1], full[6]])) == full
    assert len(race.fitted) == 28


def test_after_its_time_no_candidate_is_started():
    race = Race()
    results = run(race, is_over=lambda: len(race.fitted) >= 8)
    assert len(results) == len(race.fitted) == 8


def test_when_its_time_is_over_the_known_candidates_still_count(full):
    race = Race()
    assert run(race, known=by_id(full[:10]), is_over=lambda: True) == full[:10]
    assert race.fitted == []


def test_candidates_that_fail_are_results_and_the_search_goes_on():
    results = run(Race(fails=lambda candidate: candidate.estimator == "hist_gradient_boosting"), trials=12)
    failed = [result for result in results if result.error]
    assert len(results) == 12
    assert {result.candidate.estimator for result in failed} == {"hist_gradient_boosting"}


def test_a_small_space_ends_the_search_when_it_is_used_up():
    space = {
        "random_forest": {"min_samples_leaf": Values((5, 2)), "class_weight": Values((None, "balanced", {"1": 3}))}
    }
    race = Race()
    race.score_of = lambda candidate: candidate.params["min_samples_leaf"] / 10
    results = list(tpe.search(space, race, trials=30, known={}))
    assert len(by_id(results)) == len(results) == 6


@pytest.mark.parametrize(
    ("choice", "middle"),
    [
        (Values(("a", "b")), 0), (Range(3, 8, log=False), 6), (Range(3, 48, log=True), 12),
        (Range(0.01, 1.0, log=True), 0.1), (Range(0.0, 1.0, log=False), 0.5),
    ],
    ids=["list", "whole", "whole log", "log", "fraction"],
)  # fmt: skip
def test_the_middle_of_a_range(choice, middle):
    candidate = tpe._Study({"random_forest": {"x": choice}}).ask(1)[0]
    expected = choice.values[middle] if isinstance(choice, Values) else pytest.approx(middle)
    assert candidate.params["x"] == expected


def test_a_score_that_is_no_number_counts_as_a_failure():
    study = tpe._Study(SPACE)
    (candidate,) = study.ask(1)
    study.tell(Entrant(candidate, result=CandidateResult(candidate, means={"f1": math.nan})), "f1")
    assert study.ask(1) != [candidate]
