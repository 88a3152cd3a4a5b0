"""What is drift: significant and large; with a bound for false alarms on simulated streams."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.drift_streams import KINDS, rows, tiny
from ml_platform.monitoring.comparison import LIMITS, Finding, compare, has_drift, relative_effect

COLUMNS = ["one", "gaps", "town"]


def training(n_rows: int = 2000) -> pd.DataFrame:
    return rows(n_rows, np.random.default_rng(0))


def drifted(change, n_rows: int = 1000, seed: int = 1) -> list[Finding]:
    random = np.random.default_rng(seed)
    frame = rows(n_rows, random)
    change(frame, 1, random)
    return compare(training(), frame)


def test_false_alarms_are_at_most_one_in_twenty_streams() -> None:
    """Fixed seeds, and few of them; the benchmark has many more."""
    alarms = 0
    for seed in range(10):
        random = np.random.default_rng(seed)
        frame = rows(1000, random)[COLUMNS]
        alarms += any(has_drift(compare(frame, rows(200, random)[COLUMNS])) for _ in range(2))
    assert alarms * 20 <= 10


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "gradual shift"])
def test_each_kind_of_drift_is_found(kind: str) -> None:
    assert has_drift(drifted(KINDS[kind]))


def test_a_tiny_difference_of_many_rows_is_significant_but_no_drift() -> None:
    random = np.random.default_rng(2)
    frames = [rows(20_000, random)[["skewed", "town"]] for _ in range(2)]
    tiny(frames[1], 0, random)
    found = {one.feature: one for one in compare(*frames) if one.kind == "values"}
    assert found["skewed"].is_significant
    assert not found["skewed"].is_drift


def test_a_finding_names_what_changed() -> None:
    found = drifted(KINDS["new category"])[0]
    assert (found.kind, found.feature, found.is_drift) == ("values", "town", True)
    found = drifted(KINDS["burst of missing values"])[0]
    assert (found.kind, found.feature) == ("missing", "count")
    assert found.effect == pytest.approx(0.2, abs=0.03)


def test_a_change_that_no_feature_shows_alone_is_found_in_all_together() -> None:
    turned = [one for one in drifted(KINDS["in one segment only"]) if one.is_drift]
    assert "together" in {one.kind for one in turned}


def test_predictions_are_compared_as_numbers_or_as_classes() -> None:
    random, frame = np.random.default_rng(3), training(0)
    numbers = pd.Series(random.random(500)), pd.Series(random.random(300) ** 3)
    assert [(one.kind, one.is_drift) for one in compare(frame, frame, numbers)] == [("predictions", True)]
    texts = [pd.Series(random.choice(["a", "b"], n), dtype=object) for n in (500, 300)]
    assert [(one.kind, one.is_drift) for one in compare(frame, frame, (texts[0], texts[1]))] == [("predictions", False)]


def test_p_values_are_adjusted_for_the_number_of_tests() -> None:
    findings = drifted(KINDS["shift of a number"])
    assert all(one.q_value >= one.p_value for one in findings)
    worst = max(findings, key=lambda one: one.p_value)
    assert worst.q_value == pytest.approx(worst.p_value)


def test_columns_and_frames_without_values_are_no_error() -> None:
    empty = pd.DataFrame({"x": [np.nan] * 60, "y": pd.Series([np.nan] * 60, dtype=object)})
    assert not has_drift(compare(empty, empty))
    assert compare(empty.head(0), empty.head(0)) == []
    full = pd.DataFrame({"x": np.arange(60.0), "y": pd.Series(["a"] * 60, dtype=object)})
    assert {(one.kind, one.feature) for one in compare(full, empty) if one.is_drift} >= {
        ("missing", "x"),
        ("missing", "y"),
    }


def test_effects_are_sorted_by_their_multiple_of_the_limit() -> None:
    assert relative_effect(Finding("together", "", 0.6, 0.0)) == pytest.approx(2.0)
    assert relative_effect(Finding("missing", "x", -0.1, 0.0)) == pytest.approx(2.0)
    assert relative_effect(Finding("values", "x", LIMITS["values"], 0.0)) == 1.0
