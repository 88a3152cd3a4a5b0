"""What an asset's event says about a check; the table itself: test_drift_check.py."""

from datetime import UTC, datetime

from ml_platform.monitoring.checks import Check
from ml_platform.monitoring.window import Window

WINDOW = Window("auto", 3, datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 15, tzinfo=UTC))


def test_the_event_of_a_check_says_kind_verdict_and_version() -> None:
    assert Check("drift", WINDOW, "training set", 500, "no drift", {}, "auto/drift.html").facts() == {
        "kind": "drift", "verdict": "no drift", "model_version": 3, "rows": 500, "report_key": "auto/drift.html",
        "window_start": "2026-01-01T00:00:00+00:00", "window_end": "2026-01-15T00:00:00+00:00",
    }  # fmt: skip
