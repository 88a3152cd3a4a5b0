"""Which points of a check are in MLflow; that they are there once: test_drift_check.py."""

from ml_platform.monitoring.checks import Check
from ml_platform.monitoring.metric_series import _values
from tests.ml_platform.monitoring.test_checks import WINDOW


def test_a_check_has_a_point_per_finding() -> None:
    findings = [
        {"kind": "values", "feature": "age", "effect": 0.3, "verdict": "drift"},
        {"kind": "together", "feature": "", "effect": 0.6, "verdict": "too small"},
    ]
    check = Check("drift", WINDOW, "training set", 500, "drift", {"findings": findings})
    assert dict(_values(check)) == {
        "drift": 1.0, "rows": 500.0, "model_version": 3.0, "share_of_tests_with_drift": 0.5, "values/age": 0.3,
        "together": 0.6,
    }  # fmt: skip
