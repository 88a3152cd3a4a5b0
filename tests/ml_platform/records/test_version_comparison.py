"""What differs between two versions, in words."""

from dataclasses import replace
from datetime import UTC, datetime

from ml_platform.records.version_comparison import Difference, compare, figure
from ml_platform.records.version_details import TrainingFacts, VersionDetails

FIRST = VersionDetails(
    "shop", 1, "run1", datetime(2026, 1, 1, tzinfo=UTC), metrics={"f1": 0.5, "brier": 0.2, "accuracy": 0.9},
    candidate="logistic_regression C=1", threshold=0.3, task="binary", training_set_sha256="a" * 64,
    git_commit="c" * 40,
)  # fmt: skip
SECOND = replace(
    FIRST, version=2, metrics={"f1": 0.6, "brier": 0.3, "accuracy": 0.9}, intervals={"f1": (0.55, 0.65)},
    candidate="random_forest", training_set_sha256="b" * 64,
)  # fmt: skip
FACTS = TrainingFacts(80, 20, ("age", "town"), {"mlflow": "3"})


def named(rows: list[Difference]) -> dict[str, Difference]:
    return {row.name: row for row in rows}


def test_metrics_say_which_is_better() -> None:
    rows = named(compare((FIRST, FACTS), (SECOND, FACTS)))
    assert (rows["F1"].first, rows["F1"].second, rows["F1"].change) == ("0.5", "0.6 (0.55 to 0.65)", "0.1 better")
    assert rows["Brier score"].change == "0.1 worse"
    assert rows["accuracy"].change == ""
    assert rows["estimator and parameters"].change == "differs"
    assert rows["threshold"] == Difference("candidate", "threshold", "0.3", "0.3", "")
    assert rows["training set"].change == "differs"
    assert rows["git commit"].change == ""


def test_errors_are_better_if_lower_and_widths_are_only_lower() -> None:
    numbers = [replace(FIRST, metrics={"mae": mae, "interval_width": mae}) for mae in (4.0, 3.0)]
    rows = named(compare((numbers[0], None), (numbers[1], None)))
    assert rows["mean absolute error"].change == "1 better"
    assert rows["width of the interval"].change == "1 lower"


def test_features_that_came_and_left_are_named() -> None:
    rows = named(compare((FIRST, FACTS), (SECOND, replace(FACTS, features=("age", "income"), rows_train=90))))
    assert rows["features"] == Difference("data", "features", "2", "2", "without town, with income")
    assert (rows["training rows"].first, rows["training rows"].change) == ("80", "differs")


def test_what_is_not_known_does_not_differ() -> None:
    rows = named(compare((FIRST, None), (SECOND, FACTS)))
    assert [rows[name].change for name in ("training rows", "features", "packages")] == ["", "", ""]
    assert rows["features"].first == "not known"
    assert figure(None, None) == "not known"


def test_a_metric_that_only_one_version_has_is_shown() -> None:
    rows = named(compare((FIRST, None), (replace(SECOND, metrics={"f1": float("nan")}), None)))
    assert (rows["accuracy"].first, rows["accuracy"].second, rows["accuracy"].change) == ("0.9", "not known", "")
    assert rows["F1"].change == ""
