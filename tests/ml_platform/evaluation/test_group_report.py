"""Groups are measured as fairlearn does it, and differences are told from chance."""

import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import (
    MetricFrame,
    demographic_parity_difference,
    equalized_odds_difference,
    false_positive_rate,
    selection_rate,
)
from sklearn.metrics import f1_score, precision_score, recall_score

from ml_platform.estimators.interval_regressor import Interval
from ml_platform.evaluation.binary import Binary
from ml_platform.evaluation.group_report import MOST_GROUPS, group_report
from ml_platform.evaluation.multiclass import Multiclass
from ml_platform.evaluation.regression import Regression

TASK = Binary(("0", "1"), 0.5)
ROWS = 1200


def of_names(names, order=None):
    return pd.Series(pd.Categorical(names, order or sorted(set(names))), name="SEX")


@pytest.fixture(scope="module")
def unequal():
    """Labels, outputs, groups: the positive rows of m are found less often; x has few rows."""
    random = np.random.default_rng(2)
    names = random.choice(["f", "m"], ROWS)
    names[:15] = "x"
    labels = (random.random(ROWS) < 0.4).astype(int)
    found = random.random(ROWS) < np.where(names == "m", 0.55, 0.85)
    outputs = np.where(labels == 1, np.where(found, 0.8, 0.3), np.where(random.random(ROWS) < 0.2, 0.7, 0.1))
    return labels, outputs, of_names(names)


def test_the_values_are_those_of_fairlearn(unequal):
    labels, outputs, groups = unequal
    report = group_report(TASK, labels, outputs, groups, is_feature=False)
    rows = (groups != "x").to_numpy()
    metrics = {"selection_rate": selection_rate, "f1": f1_score, "recall": recall_score, "precision": precision_score,
               "false_positive_rate": false_positive_rate}  # fmt: skip
    given = {"y_true": labels[rows], "y_pred": TASK.predictions(outputs[rows])}
    frame = MetricFrame(metrics=metrics, sensitive_features=groups[rows].astype(str), **given)
    for group in report.groups[:2]:
        for name in metrics:
            assert group.estimates[name].value == frame.by_group.loc[group.name, name]
            assert (
                group.estimates[name].interval.low < group.estimates[name].value < group.estimates[name].interval.high
            )
    largest = {one.measure: one for one in report.differences}
    differences = frame.difference()
    assert all(largest[name].estimate.value == pytest.approx(differences[name]) for name in metrics)
    called = {criterion: one.estimate.value for one in report.differences for criterion in one.criteria}
    given |= {"sensitive_features": groups[rows].astype(str)}
    assert called == pytest.approx({
        "demographic parity difference": demographic_parity_difference(**given),
        "equalized odds difference": equalized_odds_difference(**given),
    })  # fmt: skip


def test_a_difference_has_a_direction_and_chance_has_none(unequal):
    report = group_report(TASK, *unequal, is_feature=True)
    recall = next(one for one in report.differences if one.measure == "recall")
    assert (recall.higher, recall.lower, recall.is_significant) == ("f", "m", True)
    assert recall.estimate.interval.low < 0.3 < recall.estimate.interval.high
    rate = next(one for one in report.differences if one.measure == "false_positive_rate")
    assert (rate.is_significant, rate.estimate.interval.low < 0) == (False, True)
    assert "positives" not in {one.measure for one in report.differences}  # a fact about the labels
    assert report == group_report(TASK, *unequal, is_feature=True)


def test_of_equal_groups_our_interval_holds_0_and_that_of_fairlearn_cannot():
    random = np.random.default_rng(6)
    labels, outputs, names = random.integers(0, 2, 600), random.random(600), random.choice(["f", "m"], 600)
    ours = next(
        one for one in group_report(TASK, labels, outputs, of_names(names), is_feature=False).differences
        if one.measure == "recall"
    )  # fmt: skip
    theirs = MetricFrame(
        metrics=recall_score, y_true=labels, y_pred=TASK.predictions(outputs), sensitive_features=names, n_boot=20,
        ci_quantiles=[0.05, 0.95], random_state=0,
    ).difference_ci()  # fmt: skip
    assert ours.estimate.interval.low < 0 < theirs[0]


def test_a_small_group_is_counted_and_not_measured(unequal):
    report = group_report(TASK, *unequal, is_feature=False)
    assert [(group.name, bool(group.estimates)) for group in report.groups] == [("f", True), ("m", True), ("x", False)]
    assert report.groups[2].rows == 15
    assert "x" not in {name for one in report.differences for name in (one.higher, one.lower)}


def test_of_many_groups_the_largest_are_shown_in_their_order(unequal):
    labels, outputs, _ = unequal
    names = [f"{i % 20:02}" if i % 20 < 15 or i < 400 else "00" for i in range(ROWS)]
    report = group_report(TASK, labels, outputs, of_names(names), is_feature=False)
    shown = [group.name for group in report.groups]
    assert (len(shown), shown) == (MOST_GROUPS, sorted(shown))
    assert (report.other_groups, report.other_rows) == (8, ROWS - sum(group.rows for group in report.groups))


def test_the_clearest_difference_is_shown_beside_a_larger_one_that_may_be_chance():
    random = np.random.default_rng(4)
    sizes, rates = {"a": 1500, "b": 1500, "c": 24}, {"a": 0.30, "b": 0.45, "c": 0.5}
    names = np.repeat(list(sizes), list(sizes.values()))
    predicted = np.concatenate([np.arange(size) < rates[name] * size for name, size in sizes.items()])
    labels = random.integers(0, 2, len(names))
    report = group_report(TASK, labels, predicted * 0.8 + 0.1, of_names(names), is_feature=False)
    found = [
        (one.higher, one.lower, one.is_significant) for one in report.differences if one.measure == "selection_rate"
    ]
    assert found == [("c", "a", False), ("b", "a", True)]


def test_one_group_alone_has_no_differences(unequal):
    labels, outputs, _ = unequal
    report = group_report(TASK, labels, outputs, of_names(["all"] * ROWS), is_feature=False)
    assert (report.differences, list(report.groups[0].estimates)) == ((), list(report.titles))


def test_several_classes_are_compared_by_f1_accuracy_and_predicted_classes():
    random = np.random.default_rng(1)
    labels, groups = random.integers(0, 3, 600), of_names(np.repeat(["f", "m"], 300))
    outputs = 0.2 + 0.4 * np.eye(3)[np.where((groups == "m") & (random.random(600) < 0.5), 0, labels)]
    report = group_report(Multiclass(("a", "b", "c")), labels, outputs, groups, is_feature=False)
    significant = {one.measure: one.higher for one in report.differences if one.is_significant}
    assert significant == {"f1": "f", "accuracy": "f", "predicted a": "m", "predicted b": "f", "predicted c": "f"}


def test_numbers_are_compared_by_errors_and_coverage():
    random = np.random.default_rng(1)
    labels, groups = random.normal(100, 10, 600), of_names(np.repeat(["f", "m"], 300))
    outputs = labels + random.normal(0, 1, 600) + 3.0 * (groups == "m")
    report = group_report(Regression(0.9, Interval(-1.6, 1.6, 0.9)), labels, outputs, groups, is_feature=False)
    significant = {one.measure: (one.higher, one.lower) for one in report.differences if one.is_significant}
    assert significant == {"mae": ("m", "f"), "mean_error": ("m", "f"), "coverage": ("f", "m")}
    assert report.explanations == {"mean error": "above 0, predictions are too high"}
    assert report.groups[1].estimates["mean_error"].value == pytest.approx(3, abs=0.2)
