"""When a bad verdict starts a training: the rule without servers, and its records on a real Postgres."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from ml_platform.ingestion import uploads
from ml_platform.monitoring import checks, retraining
from ml_platform.monitoring.checks import Check
from ml_platform.monitoring.retraining import NO_MODEL, Situation
from ml_platform.monitoring.window import Window
from ml_platform.registry import registry
from ml_platform.specs.monitoring import Monitor
from ml_platform.specs.spec import Dataset
from ml_platform.storage.database import fetch
from ml_platform.training import build_training_set
from tests.ml_platform.ingestion.upload_cases import drop, make_dataset, many, new_name

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
RULE = Monitor(on_drift="retrain", cool_down="3d", max_retrainings=2)


def days_ago(*days: float) -> list[datetime]:
    return [NOW - timedelta(days=day) for day in days]


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (Situation(3, False, 40, []), "drift; 40 rows were loaded since the last training"),
        (Situation(3, False, 40, days_ago(50, 31, 3)), "drift; 40 rows were loaded since the last training"),
    ],
)
def test_new_rows_start_a_training_if_nothing_hinders_it(found: Situation, reason: str) -> None:
    decision = retraining.judge(RULE, "drift", found, NOW)
    assert (decision.is_started, decision.reason, decision.version) == (True, reason, 3)


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (Situation(3, True, 40, []), "a training is running"),
        (Situation(3, False, 0, []), "no rows were loaded since the last training, so its model would be the same"),
        (Situation(3, False, 40, days_ago(2)), "can begin at 2026-06-02 12:00 UTC (monitor.cool_down is 3d)"),
        (Situation(3, False, 40, days_ago(29, 28, 4)), "can begin at 2026-06-03 12:00 UTC (monitor.max_retrainings is"),
    ],
)
def test_why_a_bad_verdict_starts_no_training(found: Situation, reason: str) -> None:
    decision = retraining.judge(RULE, "drift", found, NOW)
    assert not decision.is_started
    assert reason in decision.reason


def test_cool_down_and_budget_do_not_delay_the_first_training() -> None:
    first = retraining.judge(RULE, NO_MODEL, Situation(None, False, 40, days_ago(3, 2, 1)), NOW)
    assert (first.is_started, first.is_first) == (True, True)


@pytest.fixture
def sample(servers, monkeypatch) -> Dataset:
    """A data set with two loaded rows; version 3 of its model is live."""
    dataset = make_dataset(new_name())
    uploads.ingest(dataset, drop(dataset, many(2)))
    monkeypatch.setattr(registry, "live_version", lambda _: SimpleNamespace(version="3"))
    return dataset


def check(dataset: Dataset, kind: str, verdict: str, end: datetime, version: int = 3) -> None:
    checks.record(Check(kind, Window(dataset.name, version, NOW, end), "x", 500, verdict, {}), "ann")


def decide(dataset: Dataset, end: datetime) -> retraining.Decision:
    return retraining.decide(dataset, end, is_training=False, by="ann")


def hours(number: int) -> datetime:
    return NOW + timedelta(hours=number)


@pytest.mark.servers
def test_a_decision_is_recorded_once_and_drift_is_decided_again_in_later_runs(sample: Dataset) -> None:
    check(sample, "estimated performance", "below the promise", hours(1))
    check(sample, "drift", "drift", hours(1), version=2)  # live no more
    assert decide(sample, hours(1)).reason == "the last checks of the live version found nothing bad"
    check(sample, "drift", "drift", hours(2))
    check(sample, "performance", "below the promise", hours(2))
    began = decide(sample, hours(2))
    assert (began.is_started, began.cause) == (True, "drift, below the promise")
    build_training_set.freeze(sample)
    assert decide(sample, hours(2)) == began  # a task that is run again tells the same
    again = decide(sample, hours(3))
    assert "no rows were loaded since the last training" in again.sentence
    uploads.ingest(sample, drop(sample, many(5), "_more"))
    assert "the last one began at" in decide(sample, hours(4)).reason
    check(sample, "drift", "no drift", hours(5))
    check(sample, "performance", "as promised", hours(5))
    assert not decide(sample, hours(5)).cause
    assert [one.is_started for _, one in retraining.recent(sample.name, 5)] == [False, False, True]


@pytest.mark.servers
def test_without_a_live_model_loaded_rows_start_the_first_training(sample: Dataset, monkeypatch) -> None:
    monkeypatch.setattr(registry, "live_version", lambda _: None)
    assert decide(sample, hours(1)).is_first
    build_training_set.freeze(sample)
    assert not decide(sample, hours(2)).is_started  # nothing new, so nothing is recorded
    assert fetch("SELECT count(*) FROM monitoring.retrainings WHERE dataset = $1", sample.name) == [(1,)]
