"""The measures of every kind: what resampling takes sums of is what scikit-learn and fairlearn measure."""

import numpy as np
import pytest
from fairlearn.metrics import MetricFrame, selection_rate
from sklearn.metrics import f1_score, mean_absolute_error

from ml_platform.estimators.interval_regressor import Interval
from ml_platform.evaluation.binary import Binary
from ml_platform.evaluation.multiclass import Multiclass
from ml_platform.evaluation.regression import Regression

RANDOM = np.random.default_rng(5)
ROWS = 200
NUMBERS = RANDOM.normal(size=ROWS)
CASES = {
    "binary": (Binary(("0", "1"), 0.4), RANDOM.integers(0, 2, ROWS), RANDOM.random(ROWS)),
    "multiclass": (Multiclass(("a", "b", "c")), RANDOM.integers(0, 3, ROWS), RANDOM.dirichlet(np.ones(3), ROWS)),
    "regression": (Regression(0.9, Interval(-1.0, 1.5, 0.9)), NUMBERS, NUMBERS + RANDOM.normal(size=ROWS)),
}
NAMES = {
    "binary": ["positives", "mean_probability", "calibration_gap", "selection_rate", "f1", "recall", "precision",
               "false_positive_rate"],
    "multiclass": ["f1", "accuracy", "predicted a", "predicted b", "predicted c"],
    "regression": ["mae", "mean_error", "coverage"],
}  # fmt: skip


@pytest.mark.parametrize("kind", CASES)
def test_the_sums_give_what_the_metric_gives(kind):
    task, labels, outputs = CASES[kind]
    measures = task.group_measures(labels, outputs)
    assert [one.name for one in measures] == NAMES[kind]
    for one in measures:
        value = (one.hits.sum(axis=0) / one.of.sum(axis=0)).mean()
        assert value == pytest.approx(one.metric(one.labels, one.given))
        assert one.low <= value <= one.high


def test_they_are_the_metrics_of_their_names():
    labels, outputs = np.array([0, 0, 0, 1, 1, 1, 1, 0]), np.array([0.9, 0.1, 0.2, 0.5, 0.6, 0.1, 0.8, 0.3])
    found = {
        one.name: float(one.metric(one.labels, one.given)) for one in CASES["binary"][0].group_measures(labels, outputs)
    }
    assert found == pytest.approx({
        "positives": 4 / 8, "mean_probability": 3.5 / 8, "calibration_gap": -0.5 / 8, "selection_rate": 4 / 8,
        "f1": 6 / 8, "recall": 3 / 4, "precision": 3 / 4, "false_positive_rate": 1 / 4,
    })  # fmt: skip


def test_of_several_classes_and_of_numbers_too():
    task, labels, outputs = CASES["multiclass"]
    f1, accuracy, first, *_ = task.group_measures(labels, outputs)
    predicted = outputs.argmax(axis=1)
    assert f1.metric(labels, f1.given) == f1_score(labels, predicted, average="macro")
    assert accuracy.metric(labels, accuracy.given) == (labels == predicted).mean()
    assert first.metric(labels, first.given) == selection_rate(labels, predicted, pos_label=0)
    task, labels, outputs = CASES["regression"]
    mae, bias, coverage = task.group_measures(labels, outputs)
    assert mae.metric(labels, mae.given) == mean_absolute_error(labels, outputs)
    assert bias.metric(labels, bias.given) == pytest.approx((outputs - labels).mean())
    assert coverage.metric(labels, coverage.given) == pytest.approx(task.metrics(labels, outputs)["coverage"])


def test_a_metric_frame_takes_them_by_group():
    task, labels, outputs = CASES["binary"]
    for one in task.group_measures(labels, outputs):
        frame = MetricFrame(
            metrics={one.name: one.metric}, y_true=one.labels, y_pred=one.given, sensitive_features=np.arange(ROWS) % 2
        )
        half = np.arange(ROWS) % 2 == 1
        assert frame.by_group[one.name][1] == pytest.approx(one.hits[half].sum() / one.of[half].sum())
