"""Candidates side by side, in words and figures."""

from dataclasses import replace

from ml_platform.home.models.comparing import table, verdict
from tests.ml_platform.home.models.model_cases import FIRST, SEARCH, SECOND


def test_each_contender_has_a_column() -> None:
    rows = {row[""]: row for row in table([FIRST, SECOND], ["f1"])}
    assert rows["F1"] == {"": "F1", "xgboost": "0.6 ± 0.0393", "snapshot_ensemble": "0.5 ± 0.0393"}
    assert (rows["max_depth"]["xgboost"], rows["max_depth"]["snapshot_ensemble"]) == ("3", "")
    assert rows["best of"]["xgboost"] == "2 xgboost"
    assert "F1 on the hold-out" not in rows


def test_a_version_also_has_its_hold_out() -> None:
    version = replace(SECOND, title="version 2", holdout={"f1": 0.55}, intervals={"f1": (0.5, 0.6)})
    rows = {row[""]: row for row in table([FIRST, version], ["f1"])}
    assert rows["F1 on the hold-out"]["version 2: snapshot_ensemble"] == "0.55 (0.5 to 0.6)"
    assert rows["F1 on the hold-out"]["xgboost"] == ""


def test_a_difference_on_the_same_folds_is_significant_or_not() -> None:
    found = verdict(FIRST, SECOND, "f1")
    assert found.startswith("snapshot_ensemble against xgboost, on the same folds: F1 0.1 ± ")
    assert found.endswith(" worse; significant.")
    close = replace(SECOND, folds={"f1": [0.7, 0.5, 0.62]})
    assert verdict(FIRST, close, "f1").endswith("better; not significant: the interval includes 0.")


def test_less_is_better_for_an_error() -> None:
    first, second = (replace(one, folds={"mae": one.folds["f1"]}) for one in (FIRST, SECOND))
    assert "better; significant" in verdict(first, second, "mae")


def test_other_rows_are_not_compared() -> None:
    other = replace(SECOND, search=replace(SEARCH, training_set_sha256="b" * 64))
    assert "measured on different folds or rows" in verdict(FIRST, other, "f1")
    assert "measured on different folds or rows" in verdict(FIRST, replace(SECOND, folds={}), "f1")
