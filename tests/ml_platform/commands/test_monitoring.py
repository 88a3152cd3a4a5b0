"""`ml-platform monitor`, as a user types it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from ml_platform.commands.main import app
from ml_platform.monitoring import drift_check, performance_check, retraining, shadow_records, shadow_truth
from ml_platform.monitoring.checks import BROKEN, Check
from ml_platform.monitoring.drift_check import Plan, Skipped
from ml_platform.monitoring.retraining import Decision, Situation
from ml_platform.specs import catalog
from ml_platform.specs.monitoring import Monitor
from ml_platform.specs.shadow import Shadow
from tests.ml_platform.monitoring.test_checks import WINDOW

FINDING = {"subject": "the values of AGE", "effect": 0.31, "q_value": 1e-9, "verdict": "drift"}
FIGURES = {"sentence": "Drift: they differ.", "findings": [FINDING]}
MISTAKE = {"kind": "false negatives", "on_holdout": 0.1, "promised": 0.13, "seen": 0.4, "is_broken": True}
SEGMENT = {"column": "city", "group": "Rome", "promised": {"value": 0.8}, "seen": {"value": 0.6}, "is_worse": True}
BELOW = {"sentence": "Below the promise.", "metric": "f1", "mistakes": [MISTAKE], "segments": [SEGMENT]}


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> list[Plan]:
    """The plans of the checks that are run."""
    plans: list[Plan] = []

    def check(_: object, plan: Plan, by: str) -> Check:
        plans.append(plan)
        return Check("drift", WINDOW, "training set", 500, "drift", FIGURES, "auto/drift.html")

    monkeypatch.setenv("S3_ENDPOINT_URL", "http://127.0.0.1:1")

    def measure(_: object, plan: Plan, by: str) -> Check:
        plans.append(plan)
        return Check("performance", WINDOW, "hold-out", 90, BROKEN, BELOW, "auto/performance.html")

    monkeypatch.setattr(drift_check, "check", check)
    monkeypatch.setattr(performance_check, "check", measure)
    return plans


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["monitor", *arguments], catch_exceptions=False)


def test_the_verdict_comes_first_and_nothing_is_recorded(plans: list[Plan]) -> None:
    result = run("auto", "--window", "7d")
    assert result.exit_code == 0
    drift, performance = result.stdout.strip().split("\n\n")
    title, first, *table, last = drift.splitlines()
    assert (title, first) == ("drift", "Drift: they differ.")
    assert table[1].split("  ")[0] == "the values of AGE"
    assert last == "auto/drift.html is in the bucket reports"
    title, first, *table, last = performance.splitlines()
    assert (title, first) == ("performance", "Below the promise.")
    assert table[1].split() == ["false", "negatives", "10.0%", "13.0%", "40.0%", "more", "than", "promised"]
    assert table[3].split() == ["city:", "Rome", "0.8", "0.6"]
    assert [(plan.is_dry, plan.length) for plan in plans] == [(True, timedelta(days=7))] * 2


def test_too_few_rows_are_said(plans: list[Plan], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift_check, "check", lambda *_, **__: Skipped("too few rows"))
    assert run("auto").stdout.startswith("\ndrift\nnothing is compared: too few rows\n\nperformance\n")


def test_a_window_that_is_none_is_a_mistake_in_the_command(plans: list[Plan]) -> None:
    assert run("auto", "--window", "last week").exit_code == 2
    assert not plans


def test_it_says_whether_a_training_would_follow_and_what_followed_before(
    plans: list[Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    retrained = catalog.dataset("auto").model_copy(update={"monitor": Monitor(on_drift="retrain")})
    began = Decision("drift", 3, True, "drift; 7 rows were loaded")
    monkeypatch.setattr(catalog, "dataset", lambda _: retrained)
    monkeypatch.setattr(retraining, "bad_verdicts", lambda *_: [])
    monkeypatch.setattr(retraining, "recent", lambda *_: [(datetime(2026, 6, 1, tzinfo=UTC), began)])
    monkeypatch.setattr(retraining, "situation", lambda _: Situation(3, False, 1234, []))
    told = run("auto").stdout.strip().split("\n\n")[2].splitlines()
    reason = "drift, below the promise; 1,234 rows were loaded since the last training"
    assert told[:2] == ["retraining", f"monitor_auto would start a training: {reason}"]
    assert told[-1].split()[:4] == ["2026-06-01", "00:00", "began", "drift"]
    monkeypatch.setattr(drift_check, "check", lambda *_, **__: Skipped("too few rows"))
    monkeypatch.setattr(performance_check, "check", lambda *_, **__: Skipped("too few rows"))
    assert "there is no reason for a training" in run("auto").stdout


def test_it_says_how_far_a_shadow_is(plans: list[Plan], monkeypatch: pytest.MonkeyPatch) -> None:
    tried = catalog.dataset("auto").model_copy(update={"shadow": Shadow(within="7d")})
    record = shadow_records.Shadow(1, 4, 3, datetime(2026, 6, 1, tzinfo=UTC), None)
    monkeypatch.setattr(catalog, "dataset", lambda _: tried)
    monkeypatch.setattr(shadow_records, "current", lambda _: record)
    monkeypatch.setattr(shadow_truth, "count", lambda *_: 320)
    told = "version 4 beside champion 3: 320 of 1,000 rows have a truth; it lasts until 2026-06-08 00:00 UTC"
    assert run("auto").stdout.strip().split("\n\n")[2].splitlines() == ["shadow", told]
    monkeypatch.setattr(shadow_records, "current", lambda _: None)
    assert "no challenger is in shadow" in run("auto").stdout
