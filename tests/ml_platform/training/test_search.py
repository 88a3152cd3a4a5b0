import logging
import math

import numpy as np
import pytest
from sklearn.pipeline import Pipeline

from ml_platform.specs.tasks import METRICS
from ml_platform.training.candidates import Candidate, candidates
from ml_platform.training.search import CandidateResult, evaluate, log_progress, rank, search
from ml_platform.training.split import split
from tests.ml_platform.training.trainings import (
    make_dataset,
    make_frame,
    make_training_set,
    make_weeks,
    make_weeks_frame,
)

GOOD = Candidate("logistic_regression", {"C": 1.0})
FAILING = Candidate("random_forest", {"bootstrap": False, "oob_score": True})  # accepted one by one, refused together


def data(several_classes=False):
    """Return a data set, features, labels and three folds."""
    shop = make_training_set(make_dataset(), make_frame(300))
    parts = split(make_training_set(make_weeks(), make_weeks_frame(300)) if several_classes else shop, 3)
    return parts.dataset, parts.task, *parts.train(), parts.folds(3)


@pytest.mark.parametrize("several_classes", [False, True])
def test_a_result_has_mean_sd_and_folds_of_every_metric(several_classes):
    result = evaluate(GOOD, *data(several_classes))
    assert result.error is None
    assert set(result.means) == set(result.sds) == set(result.folds) == set(METRICS["binary"])
    assert result.means["f1"] == pytest.approx(np.mean(result.folds["f1"]))
    assert len(result.folds["f1"]) == 3
    assert result.seconds > 0


def test_a_fit_that_fails_makes_a_failed_result_and_the_others_go_on():
    shop, task, features, labels, folds = data()
    found = {str(o.candidate): o for o in search([FAILING, GOOD], shop, task, features, labels, folds=folds, jobs=1)}
    failed = found[str(FAILING)]
    assert "Out of bag estimation" in failed.error
    assert failed.means == {}
    assert [result.candidate for result in rank(found.values(), "f1")] == [GOOD]


def test_a_probability_that_is_no_number_fails_the_candidate(monkeypatch):
    monkeypatch.setattr(Pipeline, "predict_proba", lambda _, rows: np.full((len(rows), 2), np.nan))
    result = evaluate(GOOD, *data())
    assert result.error == "not every output is a finite number"
    assert result.score("f1") == -math.inf


@pytest.mark.slow
@pytest.mark.prove
def test_the_results_do_not_depend_on_the_number_of_jobs():
    shop, task, features, labels, folds = data()
    every = candidates(shop)
    alone, together = (
        {o.candidate.id: o.folds for o in search(every, shop, task, features, labels, folds=folds, jobs=jobs)}
        for jobs in (1, 2)
    )
    assert len(alone) == 12
    assert alone == together


def test_results_are_ranked_by_mean_then_by_id():
    def result(c, f1, error=None):
        return CandidateResult(Candidate("logistic_regression", {"C": c}), means={"f1": f1}, error=error)

    equal = [result(1.0, 0.5), result(2.0, 0.5)]
    others = [result(3.0, 0.4), result(4.0, math.nan), result(5.0, 0.9, error="broken")]
    expected = [*sorted(equal, key=lambda one: one.candidate.id), others[0]]
    assert rank([*others, *equal], "f1") == rank([*reversed(equal), *others], "f1") == expected
    assert rank(others[1:], "f1") == []


def test_the_log_says_how_many_of_how_many(caplog):
    caplog.set_level(logging.INFO)
    log_progress(5, 12, CandidateResult(GOOD, means={"f1": 0.591}, sds={"f1": 0.017}, seconds=8.21), "f1")
    log_progress(6, 12, CandidateResult(FAILING, error="Traceback\nValueError: no"), "f1")
    log_progress(7, 12, CandidateResult(GOOD, folds={"f1": [0.4, 0.5]}, pruned=True, seconds=2.0), "f1")
    assert caplog.messages == [
        "candidate 5 of 12: logistic_regression C=1.0 … f1 0.591 ± 0.017 (8.2 s)",
        "candidate 6 of 12: random_forest bootstrap=False oob_score=True failed: ValueError: no",
        "candidate 7 of 12: logistic_regression C=1.0 pruned after fold 2 … f1 0.450 (2.0 s)",
    ]
