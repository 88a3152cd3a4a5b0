import logging
import math
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from ml_platform.evaluation.metrics import scorers
from ml_platform.specs.parts import METRICS
from ml_platform.training.candidates import Candidate, candidates
from ml_platform.training.search import Outcome, best, evaluate, search, tell
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
    return parts.dataset, *parts.train(), parts.folds(3)


@pytest.mark.parametrize("several_classes", [False, True])
def test_an_outcome_has_mean_sd_and_folds_of_every_metric(several_classes):
    outcome = evaluate(GOOD, *data(several_classes))
    assert outcome.error is None
    assert set(outcome.means) == set(outcome.sds) == set(outcome.folds) == set(METRICS)
    assert outcome.means["f1"] == pytest.approx(np.mean(outcome.folds["f1"]))
    assert len(outcome.folds["f1"]) == 3
    assert 0 < outcome.fit_seconds < outcome.seconds


def test_a_fit_that_fails_makes_a_failed_outcome_and_the_others_go_on():
    shop, features, labels, folds = data()
    found = {str(o.candidate): o for o in search([FAILING, GOOD], shop, features, labels, folds=folds, jobs=1)}
    failed = found[str(FAILING)]
    assert "Out of bag estimation" in failed.error
    assert failed.means == {}
    assert best(found.values(), "f1").candidate == GOOD


def test_a_score_that_is_no_number_fails_the_candidate(monkeypatch):
    broken = scorers(2) | {"f1": lambda *_: math.nan}
    monkeypatch.setattr("ml_platform.training.search.scorers", lambda n_classes: broken)
    outcome = evaluate(GOOD, *data())
    assert outcome.error.endswith("not every fold could be scored by f1")
    assert outcome.score("f1") == -math.inf


@pytest.mark.slow
def test_the_outcomes_do_not_depend_on_the_number_of_jobs():
    shop, features, labels, folds = data()
    every = candidates(shop.search)
    alone, together = (
        {o.candidate.id: o.folds for o in search(every, shop, features, labels, folds=folds, jobs=jobs)}
        for jobs in (1, 2)
    )
    assert len(alone) == 12
    assert alone == together


LONG = """
import sys
sys.path[:0] = {path!r}
from test_search import Candidate, data, search
shop, features, labels, folds = data()
endless = [Candidate("random_forest", {{"n_estimators": 200_000, "max_depth": i}}) for i in (5, 6)]
list(search(endless, shop, features, labels, folds=folds, jobs=2))
"""


def workers_of(pid):
    """Return the ids of the processes that a process has started to fit candidates."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [child for child in children if b"LokyProcess" in Path(f"/proc/{child}/cmdline").read_bytes()]


@pytest.mark.slow
def test_the_workers_of_a_search_that_is_killed_end_too():
    with subprocess.Popen([sys.executable, "-c", LONG.format(path=sys.path)]) as task:
        workers, deadline = [], time.monotonic() + 60
        while len(workers) < 2 and time.monotonic() < deadline:
            time.sleep(0.1)
            workers = workers_of(task.pid)
        task.kill()
    assert len(workers) == 2
    while any(Path(f"/proc/{worker}").exists() for worker in workers):
        assert time.monotonic() < deadline + 60
        time.sleep(0.1)


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
