"""Checks are listed with what pages show of them."""

from datetime import UTC, datetime, timedelta

import pytest

from ml_platform.monitoring import checks as written
from ml_platform.monitoring.window import Window
from ml_platform.records import checks
from tests.ml_platform.ingestion.upload_cases import new_name

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]
START = datetime(2026, 5, 1, tzinfo=UTC)
FINDINGS = [{"verdict": "drift"}, {"verdict": "too small"}, {"verdict": "drift"}]


def record(name: str, kind: written.Kind, days: int, verdict: str, figures: dict[str, object]) -> None:
    window = Window(name, 3, START, START + timedelta(days=days))
    written.record(written.Check(kind, window, "training set", 500, verdict, figures, f"{name}/x.html"), "ann")


def test_drift_and_performance_have_their_numbers_and_the_newest_is_first() -> None:
    name = new_name()
    record(name, "drift", 1, "no drift", {"sentence": "No drift.", "findings": []})
    record(name, "drift", 2, "drift", {"sentence": "Drift: <b>", "findings": FINDINGS})
    score = {"value": 0.6, "low": 0.5, "high": 0.7}
    record(name, "performance", 2, "as promised", {"metric": "f1", "seen": score, "promised": None})
    newest, older = checks.checks(name, "drift")
    assert (newest.differences, newest.tests, newest.is_bad, newest.sentence) == (2, 3, True, "Drift: <b>")
    assert (older.differences, older.tests, older.is_bad) == (0, 0, False)
    assert (newest.end - older.end, newest.end.tzinfo) == (timedelta(days=1), UTC)
    assert checks.checks(name, "drift", limit=1) == [newest]
    (performance,) = checks.checks(name, "performance")
    assert (performance.metric, performance.seen, performance.promised) == ("f1", 0.6, None)
    assert (performance.sentence, performance.differences, performance.tests) == ("", None, None)
    assert checks.checks(name, "estimated performance") == []
