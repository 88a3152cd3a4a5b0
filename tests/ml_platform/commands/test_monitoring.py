"""`ml-platform monitor`, as a user types it."""

from datetime import timedelta
from typing import Any

import pytest
from typer.testing import CliRunner

from ml_platform.commands.main import app
from ml_platform.monitoring import drift_check
from ml_platform.monitoring.checks import Check
from ml_platform.monitoring.drift_check import Plan, Skipped
from tests.ml_platform.monitoring.test_checks import WINDOW

FINDING = {"subject": "the values of AGE", "effect": 0.31, "q_value": 1e-9, "verdict": "drift"}
FIGURES = {"sentence": "Drift: they differ.", "findings": [FINDING]}


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> list[Plan]:
    """The plans of the checks that are run."""
    plans: list[Plan] = []

    def check(_: object, plan: Plan, by: str) -> Check:
        plans.append(plan)
        return Check("drift", WINDOW, "training set", 500, "drift", FIGURES, "auto/drift.html")

    monkeypatch.setenv("S3_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setattr(drift_check, "check", check)
    return plans


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["monitor", *arguments], catch_exceptions=False)


def test_the_verdict_comes_first_and_nothing_is_recorded(plans: list[Plan]) -> None:
    result = run("auto", "--window", "7d")
    assert result.exit_code == 0
    first, *table, last = result.stdout.splitlines()
    assert first == "Drift: they differ."
    assert table[1].split("  ")[0] == "the values of AGE"
    assert last == "auto/drift.html is in the bucket reports"
    assert [(plan.is_dry, plan.length) for plan in plans] == [(True, timedelta(days=7))]


def test_too_few_rows_are_said(plans: list[Plan], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift_check, "check", lambda *_, **__: Skipped("too few rows"))
    assert run("auto").stdout == "nothing is compared: too few rows\n"


def test_a_window_that_is_none_is_a_mistake_in_the_command(plans: list[Plan]) -> None:
    assert run("auto", "--window", "last week").exit_code == 2
    assert not plans
