import logging
import math

import numpy as np
import pytest
from trainings import make_dataset, make_frame

from ml_platform.candidates import Candidate, candidates
from ml_platform.metrics import SCORERS
from ml_platform.search import Outcome, best, evaluate, search, tell

GOOD = Candidate("logistic_regression", {"C": 1.0})
FAILING = Candidate("random_forest", {"bootstrap": False, "oob_score": True})  # accepted one by one, refused together


def data(rows=300):
    shop, frame = make_dataset(), make_frame(rows)
    return shop, frame[list(shop.features)], frame["buys"]


def test_an_outcome_has_mean_sd_and_folds_of_every_metric():
    outcome = evaluate(GOOD, *data(), folds=3)
    assert outcome.error is None
    assert set(outcome.means) == set(outcome.sds) == set(outcome.folds) == set(SCORERS)
    assert outcome.means["f1"] == pytest.approx(np.mean(outcome.folds["f1"]))
    assert len(outcome.folds["f1"]) == 3
    assert 0 < outcome.fit_seconds < outcome.seconds


def test_a_fit_that_fails_makes_a_failed_outcome_and_the_others_go_on():
    found = {str(o.candidate): o for o in search([FAILING, GOOD], *data(), folds=3, jobs=1)}
    failed = found[str(FAILING)]
    assert "Out of bag estimation" in failed.error
    assert failed.means == {}
    assert best(found.values(), "f1").candidate == GOOD


def test_a_score_that_is_no_number_fails_the_candidate(monkeypatch):
    monkeypatch.setitem(SCORERS, "f1", lambda *_: math.nan)
    outcome = evaluate(GOOD, *data(), folds=3)
    assert outcome.error.endswith("not every fold could be scored by f1")
    assert outcome.score("f1") == -math.inf


def test_the_outcomes_do_not_depend_on_the_number_of_jobs():
    shop, features, labels = data()
    every = candidates(shop.search)
    alone, together = (
        {o.candidate.id: o.folds for o in search(every, shop, features, labels, folds=3, jobs=jobs)} for jobs in (1, 2)
    )
    assert len(alone) == 12
    assert alone == together


def test_the_best_is_chosen_by_mean_then_by_id():
    def outcome(c, f1, error=None):
        return Outcome(Candidate("logistic_regression", {"C": c}), means={"f1": f1}, error=error)

    twins = [outcome(1.0, 0.5), outcome(2.0, 0.5)]
    others = [outcome(3.0, 0.4), outcome(4.0, math.nan), outcome(5.0, 0.9, error="broken")]
    expected = min(twins, key=lambda one: one.candidate.id)
    assert best([*others, *twins], "f1") is best([*reversed(twins), *others], "f1") is expected
    assert best(others[1:], "f1") is None


def test_the_log_says_how_many_of_how_many(caplog):
    caplog.set_level(logging.INFO)
    tell(5, 12, Outcome(GOOD, means={"f1": 0.591}, sds={"f1": 0.017}, seconds=8.21), "f1")
    tell(6, 12, Outcome(FAILING, error="Traceback\nValueError: no"), "f1")
    assert caplog.messages == [
        "candidate 5 of 12: logistic_regression C=1.0 … f1 0.591 ± 0.017 (8.2 s)",
        "candidate 6 of 12: random_forest bootstrap=False oob_score=True failed: ValueError: no",
    ]
