"""Numbers: errors are measured, an interval is chosen out of fold, and the gate compares the mean absolute error."""

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import Ridge

from ml_platform.estimators.interval_regressor import Interval, IntervalRegressor
from ml_platform.evaluation.regression import Regression
from tests.ml_platform.evaluation.outputs import out_of_fold

RANDOM = np.random.default_rng(0)
ROWS = np.arange(300)
FOLDS = [(np.setdiff1d(ROWS, own), own) for own in np.array_split(ROWS, 3)]
LABELS = RANDOM.normal(50, 10, 300)
OUTPUTS = LABELS + RANDOM.normal(0, 2, 300)
TASK = Regression(0.9)
FITTED = Regression(0.9, Interval(-3.0, 4.0, 0.9))


def test_the_metrics_are_those_of_the_numbers():
    metrics = TASK.metrics(np.array([1.0, 2.0, 4.0]), np.array([1.0, 3.0, 2.0]))
    assert metrics["mae"] == pytest.approx(1.0)
    assert metrics["rmse"] == pytest.approx(np.sqrt(5 / 3))
    assert metrics["r2"] == pytest.approx(1 - 5 / (14 / 3))
    assert metrics["mape"] == pytest.approx((0 + 0.5 + 0.5) / 3)
    assert "pinball" not in metrics


def test_near_zero_there_is_no_percentage_error():
    assert "mape" not in TASK.metrics(np.array([0.0, 2.0]), np.array([1.0, 2.0]))
    assert "mape" not in TASK.metrics(np.array([-1.0, 2.0]), np.array([1.0, 2.0]))


def test_a_number_that_is_not_finite_makes_every_metric_nan():
    assert all(np.isnan(value) for value in TASK.metrics(LABELS[:2], np.array([np.inf, 1.0])).values())


def test_a_fold_is_measured_with_the_interval_of_the_others():
    labels, outputs = np.concatenate([np.zeros(100), np.arange(100.0)]), np.zeros(200)
    rows = np.arange(200)
    found = TASK.fold_metrics(out_of_fold(labels, outputs, [(rows[:100], rows[100:]), (rows[100:], rows[:100])]))
    assert found["coverage"] == [0.01, 0.0]  # the first interval is 0 to 0, the second 4 to 95
    assert set(found) == {"mae", "rmse", "r2", "pinball", "coverage", "interval_width"}


def test_the_best_score_is_negative_if_less_is_better():
    labels, outputs = np.array([1.0, 2.0, 4.0]), np.array([1.0, 3.0, 2.0])
    assert TASK.best_score("mae", labels, outputs) == -1.0
    assert TASK.best_score("r2", labels, outputs) == pytest.approx(1 - 5 / (14 / 3))
    assert TASK.best_score("pinball", labels, outputs) < 0


def test_the_interval_is_chosen_from_residuals_out_of_fold():
    found = TASK.calibrate(out_of_fold(LABELS, OUTPUTS, FOLDS), calibrates=True)
    assert found.task.coverage == 0.9
    assert found.metrics()["coverage"] == pytest.approx(0.9, abs=0.02)
    assert (found.method, found.before is found.after) == (None, True)


def test_without_an_interval_nothing_is_written():
    with pytest.raises(ValueError, match="no interval was chosen yet"):
        TASK.result_columns(OUTPUTS, OUTPUTS, 1)


def test_a_result_has_the_number_with_both_ends_of_its_interval():
    columns = FITTED.result_columns(np.array([10.0]), np.array([10.0]), 4)
    assert {name: column.to_pylist() for name, column in columns.items()} == {
        "prediction": [10.0], "low": [7.0], "high": [14.0], "model_version": [4], "coverage": [0.9],
    }  # fmt: skip
    empty = FITTED.result_columns(*FITTED.no_rows(), 4)
    assert {name: column.type for name, column in empty.items()} == {n: c.type for n, c in columns.items()}


def test_an_answer_and_the_log_have_the_same_number():
    outputs = np.array([0.1 + 0.2])
    assert FITTED.answers(outputs, outputs) == [{"prediction": 0.1 + 0.2, "low": -2.7, "high": 4.3}]
    logged = FITTED.log_columns(outputs, outputs)
    assert float(logged["prediction"][0]) == 0.1 + 0.2
    assert (logged["low"].tolist(), logged["high"].tolist()) == ([-2.7], [4.3])


@pytest.mark.parametrize(
    ("labels", "problem"),
    [
        (np.arange(9.0), "10 rows are needed; there are 9"),
        (np.full(20, 7.5), "the label is 7.5 in all of 20 rows"),
        (np.arange(10.0), None),
    ],
    ids=["few", "constant", "enough"],
)
def test_too_few_rows_are_named(labels, problem):
    assert TASK.too_few(labels, 5) == problem


def test_a_model_that_is_no_better_than_the_median_has_no_skill():
    assert TASK.unskilled(LABELS, OUTPUTS) is None
    for useless in (np.full(300, np.median(LABELS)), np.full(300, 1e9), np.full(300, np.nan)):
        assert "mean absolute error" in TASK.unskilled(LABELS, useless)


def test_the_gain_is_the_share_by_which_the_error_is_lower():
    better, worse = LABELS + RANDOM.normal(0, 1, 300), LABELS + RANDOM.normal(0, 2, 300)
    gains = TASK.resampled_gains(LABELS, better, worse, TASK)
    assert np.median(gains) == pytest.approx(0.5, abs=0.1)
    assert np.quantile(gains, 0.05) > 0.3
    assert TASK.gate_score(LABELS, better) == np.abs(LABELS - better).mean()


def test_a_column_that_tells_the_number_scores_one_and_noise_scores_none():
    columns = np.column_stack([LABELS * 3, np.zeros(300)]), np.column_stack([RANDOM.normal(0, 1, 300), np.zeros(300)])
    assert TASK.column_score(columns[0], LABELS) > 0.95
    assert TASK.column_score(columns[1], LABELS) < 0.1


def test_labels_are_numbers_and_have_no_classes():
    classes, values = TASK.encode(None, [], pd.Series([3, None], dtype="Int64"))
    assert (classes, TASK.classes) == ([], ())
    assert values.dtype == "float64"
    assert TASK.described(np.array([1.0, 2.5])) == "from 1 to 2.5, mean 1.75"


def test_a_report_compares_quarters_of_the_rows():
    groups = TASK.label_groups(pd.Series(np.arange(1.0, 101.0)))
    assert groups.value_counts().tolist() == [25, 25, 25, 25]
    assert groups[0] == "1 to 25.75"
    assert TASK.label_groups(pd.Series([7.0, 7.0])).tolist() == ["7 to 7", "7 to 7"]


def test_the_interval_of_a_fitted_model_is_found_again():
    model = IntervalRegressor(Ridge(), -1.0, 2.0, 0.8).fit(LABELS[:, None], LABELS)
    assert TASK.as_fitted(model).interval == Interval(-1.0, 2.0, 0.8)
    assert TASK.check_estimator(model) is None
    assert TASK.check_estimator(DummyRegressor()) is None
    assert "classes" in TASK.check_estimator(DummyClassifier())


def test_no_number_is_more_uncertain_than_another():
    assert FITTED.uncertainty(np.array([1.0, 50.0])).tolist() == [1, 1]
