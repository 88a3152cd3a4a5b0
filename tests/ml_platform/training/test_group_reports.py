"""The groups of a new model's hold-out: numbers in ranges of the training rows, as tables and as a sentence."""

from dataclasses import replace

import numpy as np
import pytest

from ml_platform.evaluation.bootstrap import Interval
from ml_platform.evaluation.group_report import Difference, Estimate, Group, GroupReport
from ml_platform.evaluation.holdout_report import holdout_report
from ml_platform.specs.spec import Dataset
from ml_platform.training.calibrating import calibrate
from ml_platform.training.candidates import Candidate
from ml_platform.training.fitting import fit
from ml_platform.training.group_reports import differences_table, estimate_text, group_reports, groups_table, sentence
from ml_platform.training.split import split
from tests.ml_platform.training.trainings import make_dataset, make_frame, make_training_set

CANDIDATE = Candidate("logistic_regression", {"C": 1.0})


@pytest.fixture(scope="module")
def trained():
    """A split of a data set that is judged by town, which the model does not see, and age; and the report."""
    raw = make_dataset().model_dump() | {"sensitive": ["town", {"column": "age", "feature": True}]}
    parts = split(make_training_set(Dataset.model_validate(raw), make_frame(1500)), 3)
    calibration = calibrate(CANDIDATE, parts, 3)
    return parts, holdout_report(fit(CANDIDATE, parts, 3, calibration=calibration), parts.holdout_rows(), calibration)


def test_there_is_a_report_per_sensitive_column(trained):
    parts, report = trained
    town, age = group_reports(report, parts)
    assert ("town" in parts.features, "age" in parts.features) == (town.is_feature, age.is_feature) == (False, True)
    assert [group.name for group in town.groups] == ["Bonn", "Kiel", "Ulm", "(missing)"]
    edge = np.quantile(parts.sensitive["age"][~parts.in_holdout].dropna(), 0.25)
    assert age.groups[0].name == f"under {edge:.6g}"
    assert sum(group.rows for group in age.groups) == parts.in_holdout.sum()
    # Ulm buys more often, and the model cannot know it.
    assert town.groups[2].estimates["calibration_gap"].interval.high < 0
    assert sentence(town).startswith("By town, ")


def test_without_sensitive_columns_or_finite_outputs_there_are_none(trained):
    parts, report = trained
    assert group_reports(report, replace(parts, dataset=make_dataset())) == ()
    broken = report.predictions.assign(probability=np.nan)
    assert group_reports(replace(report, predictions=broken), parts) == ()


def estimate(value, low, high):
    return Estimate(value, Interval(low, high))


def made(*differences):
    groups = tuple(
        Group(name, rows, {} if rows < 20 else {"recall": estimate(value, 0.5, 0.9), "f1": estimate(value, 0.5, 0.9)})
        for name, rows, value in (("F", 500, 0.7), ("M", 400, 0.58), ("X", 3, 0.0))
    )
    titles = {"recall": "recall", "f1": "F1"}
    return GroupReport("SEX", False, titles, {"F1": "of both"}, groups, 0, 0, differences)


CLEAR = Difference("recall", "F", "M", estimate(0.12, 0.05, 0.19), ("equalized odds difference",))
UNCLEAR = Difference("f1", "F", "M", estimate(0.12, -0.01, 0.25))


def test_a_sentence_says_what_is_significant_and_nothing_else():
    assert (
        sentence(made(UNCLEAR, CLEAR)) == "By SEX, recall differs by 0.12 (0.05 to 0.19) between F (0.70) and M (0.58)."
    )
    assert sentence(made(UNCLEAR)) == "By SEX, no difference is significant."
    assert sentence(made()) == "By SEX, nothing can be compared: fewer than two groups have enough rows."
    assert sentence(made(*[CLEAR] * 5)).endswith("M (0.58); 2 more below.")


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ((0.2718, 0.2461, 0.2983), "0.272 (0.246 to 0.298)"),
        ((0.12, 0.05, 0.19), "0.12 (0.05 to 0.19)"),
        ((0.0004, -0.02, 0.0204), "0.000 (-0.020 to 0.020)"),
        ((1312.4, 1290.2, 1334.6), "1,312 (1,290 to 1,335)"),
        ((1.0, 1.0, 1.0), "1 (1 to 1)"),
    ],
)
def test_a_value_has_as_many_digits_as_its_interval_bears(given, text):
    assert estimate_text(estimate(*given)) == text


def test_the_tables_have_a_row_per_measure_and_per_difference():
    groups = groups_table((made(CLEAR),))
    assert groups.iloc[0].to_dict() == {
        "column": "SEX", "group": "F", "rows": 500, "measure": "recall", "value": 0.7, "low": 0.5, "high": 0.9,
    }  # fmt: skip
    assert (len(groups), groups["value"].isna().sum()) == (6, 2)
    differences = differences_table((made(CLEAR),))
    assert differences.to_csv(index=False).splitlines()[1:] == [
        "SEX,recall,F,M,0.12,0.05,0.19,equalized odds difference"
    ]
