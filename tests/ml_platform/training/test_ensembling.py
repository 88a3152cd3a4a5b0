"""An ensemble is chosen greedily, scored on rows that did not choose it, and the same after a kill."""

from dataclasses import replace
from itertools import chain, product

import numpy as np
import pytest

from ml_platform.evaluation.binary import Binary
from ml_platform.evaluation.regression import Regression
from ml_platform.evaluation.task import OutOfFold
from ml_platform.training import ensembling, strategies
from ml_platform.training.candidates import Candidate
from ml_platform.training.choice import choose, order_of
from ml_platform.training.ensembling import LIBRARY, KeptOutputs, evaluate, libraries, select
from ml_platform.training.search import CandidateResult
from ml_platform.training.search_plan import SearchPlan
from ml_platform.training.split import split
from ml_platform.training.stopwatch import Stopwatch
from tests.ml_platform.training.trainings import (
    TPE,
    make_dataset,
    make_frame,
    make_houses,
    make_houses_frame,
    make_training_set,
    make_weeks,
    make_weeks_frame,
    searched_by,
)

ROWS = 400
KINDS = {
    "binary": lambda: (make_dataset(), make_frame()),
    "multiclass": lambda: (make_weeks(), make_weeks_frame()),
    "regression": lambda: (make_houses(), make_houses_frame()),
}


def numbers(members, seed=0, noise=1.0):
    """Return true numbers, and those of members with independent errors."""
    random = np.random.default_rng(seed)
    truth = random.normal(size=ROWS)
    return truth, [truth + random.normal(0, noise * (1 + k / 4), ROWS) for k in range(members)]


def negative_squared_error(truth):
    return lambda mean: -float(((mean - truth) ** 2).mean())


@pytest.mark.parametrize("seed", range(3))
def test_the_weights_are_as_good_as_the_best_of_all_that_are_possible(seed):
    truth, outputs = numbers(3, seed)
    score = negative_squared_error(truth)
    grid = [np.array(counts) / ensembling.ROUNDS for counts in product(range(ensembling.ROUNDS + 1), repeat=3)]
    best = max(score(np.tensordot(w, outputs, 1)) for w in grid if np.isclose(w.sum(), 1))
    weights = select(outputs, score, most=3)
    assert weights.sum() == pytest.approx(1)
    assert score(np.tensordot(weights, outputs, 1)) == pytest.approx(best, rel=0.01)


def test_no_more_members_than_wanted():
    truth, outputs = numbers(6)
    score = negative_squared_error(truth)
    counts = [np.count_nonzero(select(outputs, score, most)) for most in (2, 3, 6)]
    assert counts == [2, 3, 6]


def test_of_equal_members_the_simpler_one_is_alone():
    truth, (one,) = numbers(1)
    assert select([one, one.copy(), one.copy()], negative_squared_error(truth), most=3).tolist() == [1, 0, 0]


def test_a_member_that_brings_nothing_is_left_out():
    truth, (good, *_) = numbers(1, noise=0.1)
    assert select([np.zeros(ROWS), good, -good], negative_squared_error(truth), most=3)[2] == 0


def result(c, folds, **more):
    return CandidateResult.of_folds(Candidate("logistic_regression", {"C": c}), {"f1": folds}, **more)


def test_the_members_of_a_fold_are_the_best_on_the_other_folds(monkeypatch):
    monkeypatch.setattr(ensembling, "LIBRARY", 1)
    even, lucky, steady = result(1.0, [0.5, 0.5, 0.5]), result(2.0, [0.9, 0.4, 0.4]), result(3.0, [0.5, 0.52, 0.52])
    assert libraries([even, lucky, steady], "f1") == [[steady], [lucky], [lucky], [lucky]]


def test_on_noise_the_score_is_not_above_chance(monkeypatch):
    """The best of twelve that know nothing are averaged. By weights of the same rows they would look better."""
    monkeypatch.setattr(ensembling, "ROUNDS", 4)
    monkeypatch.setattr(ensembling, "LIBRARY", 4)
    task, pairs = Regression(0.9), []
    for seed in range(8):
        random = np.random.default_rng(seed)
        labels, raws, folds = random.normal(size=ROWS), random.normal(0, 0.1, (12, ROWS)), folds_of(random)
        weights, scores, outputs = ensemble_of(task, "r2", labels, raws, folds)
        mean = np.tensordot(weights, outputs, 1)
        same_rows = task.fold_metrics(OutOfFold(labels, mean, mean, folds))["r2"]
        pairs.append([np.mean(scores["r2"]), np.mean(same_rows)])
    (honest, by_same_rows), error = np.mean(pairs, axis=0), np.std(pairs, axis=0, ddof=1)[0] / np.sqrt(len(pairs))
    assert honest < 2 * error
    assert by_same_rows > honest + error


def test_the_labels_of_a_fold_do_not_change_what_is_predicted_for_it(monkeypatch):
    """They choose neither its candidates nor its weights."""
    monkeypatch.setattr(ensembling, "ROUNDS", 4)
    monkeypatch.setattr(ensembling, "LIBRARY", 4)
    random = np.random.default_rng(0)
    labels, folds = random.integers(0, 2, ROWS), folds_of(random)
    positive = random.random((12, ROWS)) + 0.3 * labels
    raws = np.stack([2 - positive, positive], axis=2) / 2
    own = folds[1][1]
    other_labels = labels.copy()
    other_labels[own] = 1 - labels[own]
    means = []
    monkeypatch.setattr(ensembling, "OutOfFold", lambda *rows: means.append(rows[1]) or OutOfFold(*rows))
    for some_labels in (labels, other_labels):
        ensemble_of(Binary(("no", "yes")), "f1", some_labels, raws, folds)
    before, after = np.array(means[:5]), np.array(means[5:])
    assert np.array_equal(before[1], after[1])
    assert not np.array_equal(before[0], after[0])


def folds_of(random):
    parts = np.array_split(random.permutation(ROWS), 5)
    return [(np.setdiff1d(np.arange(ROWS), own), own) for own in parts]


def ensemble_of(task, scoring, labels, raws, folds):
    """Return weights and scores of the ensemble of candidates with these outputs, and the outputs that it may have."""
    scored = [
        CandidateResult.of_folds(
            Candidate("ridge", {"alpha": k}), task.fold_metrics(OutOfFold(labels, raw, raw, folds))
        )
        for k, raw in enumerate(raws)
    ]
    outputs = [[raws[one.candidate.params["alpha"]] for one in best] for best in libraries(scored, scoring)]
    return *evaluate(outputs, task, labels, folds, SearchPlan((), 5, scoring, jobs=1, ensemble=4)), outputs[-1]


def plan_of(kind, **search):
    dataset, frame = KINDS[kind]()
    options = dataset.search.model_dump(exclude_none=True) | {"ensemble": 4, **search}
    parts = split(make_training_set(searched_by(options, dataset), frame), 3)
    return SearchPlan.of(parts.dataset), parts


def run(plan, parts, known=None):
    """Search as the step does; return the results by candidate id, and the ensemble."""
    kept, folds, known = KeptOutputs(plan.scoring), parts.folds(plan.folds), known or {}
    singles = map(kept.add, strategies.results(plan, parts, folds, known, Stopwatch()))
    found = [
        replace(one, elapsed=one.elapsed or float(number))
        for number, one in enumerate(chain(singles, ensembling.results(plan, parts, folds, kept, known)), 1)
    ]
    return {one.candidate.id: one for one in found}, next((one for one in found if one.candidate.is_ensemble), None)


@pytest.mark.parametrize("kind", KINDS)
def test_an_ensemble_is_one_more_candidate_with_every_metric(kind):
    plan, parts = plan_of(kind)
    found, ensemble = run(plan, parts)
    assert len(found) == plan.total == len(plan.candidates) + 1
    weights = [weight for weight, _ in ensemble.candidate.members]
    assert 2 <= len(weights) <= 4
    assert sum(weights) == pytest.approx(1)
    assert weights == sorted(weights, reverse=True)
    assert {member.id for _, member in ensemble.candidate.members} <= set(found)
    single = next(iter(found.values()))
    assert {name: len(values) for name, values in ensemble.folds.items()} == dict.fromkeys(single.folds, 3)
    assert (ensemble.raw, ensemble.error) == (None, None)


def test_it_is_chosen_only_if_no_simpler_one_is_as_good():
    plan, parts = plan_of("regression")
    found, ensemble = run(plan, parts)
    results = list(found.values())
    assert order_of(plan, results)[-1] == ensemble.candidate
    assert not choose(results, order_of(plan, results), "mae").candidate.is_ensemble
    better = replace(ensemble, folds={"mae": [1.0, 1.0, 1.0]}, means={"mae": 1.0})
    results = [*results[:-1], better]
    assert choose(results, order_of(plan, results), "mae") is better


def test_a_search_that_was_killed_ends_with_the_same_ensemble():
    plan, parts = plan_of("multiclass")
    found, ensemble = run(plan, parts)
    for killed_after in (5, 12):
        _, again = run(plan, parts, dict(list(found.items())[:killed_after]))
        assert (again.candidate, again.folds) == (ensemble.candidate, ensemble.folds)


def test_the_ensemble_of_a_search_that_had_ended_is_not_made_again(monkeypatch):
    plan, parts = plan_of("binary")
    found, ensemble = run(plan, parts)
    monkeypatch.setattr(ensembling, "evaluate", None)  # it would fail
    assert run(plan, parts, found)[1] == ensemble


def test_an_ensemble_of_fewer_results_is_made_again():
    plan, parts = plan_of("binary")
    found, ensemble = run(plan, parts)
    smaller = replace(plan, candidates=plan.candidates[:4])
    _, earlier = run(smaller, parts)
    known = {name: one for name, one in found.items() if one.candidate in smaller.candidates}
    assert run(plan, parts, known | {earlier.candidate.id: earlier})[1].candidate == ensemble.candidate


def test_pruned_and_failed_candidates_are_no_members_of_an_adaptive_search():
    failing = {"random_forest": {"bootstrap": [False], "oob_score": [True]}}
    plan, parts = plan_of("binary", **TPE | {"candidates": TPE["candidates"] | failing})
    found, ensemble = run(plan, parts)
    without_score = {one.candidate.id for one in found.values() if one.pruned or one.error}
    assert any(one.pruned for one in found.values())
    assert any(one.error for one in found.values())
    assert not without_score & {member.id for _, member in ensemble.candidate.members}


def test_without_the_option_and_with_one_candidate_there_is_none():
    plan, parts = plan_of("binary")
    assert run(replace(plan, ensemble=0), parts)[1] is None
    assert run(replace(plan, candidates=plan.candidates[:1]), parts)[1] is None


def test_a_mean_that_is_no_better_than_a_candidate_is_none():
    plan, parts = plan_of("binary")
    equal = tuple(Candidate("logistic_regression", {"C": 1.0, "max_iter": number}) for number in (500, 600))
    assert run(replace(plan, candidates=equal), parts)[1] is None


def test_outputs_of_few_candidates_are_kept():
    kept, random = KeptOutputs("f1"), np.random.default_rng(0)
    for c in range(1, 101):
        assert kept.add(result(float(c), random.random(5), raw=np.zeros((9, 2)))).raw is None
    assert len(kept.results) == 100
    assert LIBRARY <= len(kept.raw) <= 3 * LIBRARY


def test_results_without_the_metric_are_kept_without_outputs() -> None:
    kept = KeptOutputs("mape")
    candidate = Candidate("ridge", {})
    result = CandidateResult.of_folds(candidate, {"mae": [1.0, 2.0]}, start_time=0.0, seconds=1.0)
    kept.add(replace(result, raw=np.zeros(3)))
    assert kept.raw == {}
    assert [one.candidate for one in kept.results] == [candidate]
