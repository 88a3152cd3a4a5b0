"""Versions, events and candidates that the tests of the views share."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from ml_platform.home.models import cached, comparing, waiting
from ml_platform.records import approvals, holdout, model_history, models, version_details
from ml_platform.records.holdout import HoldoutPredictions
from ml_platform.records.model_history import Event, GateDecision
from ml_platform.records.models import ModelVersion
from ml_platform.records.searches import Contender, Search
from ml_platform.records.version_details import TrainingFacts, VersionDetails

HOSTILE = "![x](http://evil/p.png) <script>alert(1)</script> `drop`"
DAY = datetime(2026, 1, 1, tzinfo=UTC)
LIVE = ModelVersion(
    "auto", 2, "run2", DAY, "training", aliases=("champion",), metric="f1", score=0.6, score_low=0.55, score_high=0.65,
    candidate="random_forest", decision="promoted", made_live_by="ann", made_live_at=DAY, made_live_why="gate",
)  # fmt: skip
OLD = replace(LIVE, version=1, run_id="run1", aliases=("previous",), score=0.5, score_low=None, candidate="ridge")
KEPT = replace(OLD, version=3, run_id="run3", aliases=(), decision="kept", made_live_at=None, made_live_by=None)
REFUSED = replace(KEPT, version=4, run_id="run4", decision="refused")
DECISION = GateDecision(
    1,
    2,
    DAY,
    "train_auto",
    "promoted",
    "better",
    "f1",
    0.6,
    1,
    0.5,
    100,
    0.1,
    0.05,
    0.15,
    0.01,
    0.95,
    "approved",
    "ann",
)
WENT_LIVE = Event(DAY, None, 2, True, "train_auto", "ann", "gate", "better", DECISION)
ROLLED_BACK = Event(DAY, DAY, 1, True, "bob", None, "rollback", HOSTILE, None)
STAYED = Event(DAY, None, 3, False, "train_auto", None, "gate", "worse", replace(DECISION, version=3, decision="kept"))
DETAILS = VersionDetails(
    "auto", 2, "run2", DAY, metrics={"f1": 0.6}, candidate="random_forest", classes=("no", HOSTILE), threshold=0.5,
    task="binary", training_set_sha256="a" * 64, git_commit="c" * 40,
)  # fmt: skip
FACTS = TrainingFacts(80, 20, ("age",), {})
LABELS = np.array([0, 0, 1, 1])
HOLDOUT = HoldoutPredictions("binary", DETAILS.classes, 0.5, LABELS, np.array([0.2, 0.6, 0.4, 0.9]))
SEARCH = Search(
    "search1", "1", "auto 1", DAY, "FINISHED", "f1", 3, "grid", 80, "a" * 64, 4, 0, "http://localhost:5000/#/s", None
)
FIRST = Contender(
    "xgboost", "xgboost", "xgboost max_depth=3", {"max_depth": "3"}, {"f1": 0.6}, {"f1": [0.59, 0.6, 0.61]}, 3.0, 2,
    "run_a", SEARCH, {}, {},
)  # fmt: skip
SECOND = replace(
    FIRST, title="snapshot_ensemble", estimator="snapshot_ensemble", params={"epochs": "5"}, means={"f1": 0.5},
    folds={"f1": [0.49, 0.5, 0.51]}, run_id="run_b",
)  # fmt: skip


def has(monkeypatch: pytest.MonkeyPatch, **what: Any) -> None:
    """Set what the records have: versions, events, details, holdout, questions."""
    for cache in (cached._facts, cached._holdout, cached._curve, comparing.searches_of, comparing._families,
                  waiting._questions):  # fmt: skip
        cache.clear()
    found = {"versions": [KEPT, LIVE, OLD], "events": [WENT_LIVE, ROLLED_BACK, STAYED], "questions": []} | what
    details = {"details": DETAILS, "holdout": HOLDOUT} | what
    monkeypatch.setattr(models, "versions", lambda name, **_: found["versions"])
    monkeypatch.setattr(model_history, "events", lambda name: found["events"])
    monkeypatch.setattr(approvals, "waiting", lambda: found["questions"])
    monkeypatch.setattr(
        version_details, "details", lambda _, number: replace(details["details"], version=number, run_id=f"run{number}")
    )
    monkeypatch.setattr(version_details, "training_facts", lambda _: FACTS)
    monkeypatch.setattr(holdout, "holdout", lambda _: details["holdout"])
