"""The intervals of metrics hold the true value about as often as stated."""

import numpy as np

from ml_platform.estimators.interval_regressor import Interval
from ml_platform.evaluation.binary import Binary
from ml_platform.evaluation.metric_intervals import metric_intervals
from ml_platform.evaluation.regression import Regression

TWO = Binary(("no", "yes"), 0.5)


def drawn(random, rows):
    outputs = random.random(rows)
    return (random.random(rows) < outputs).astype(int), outputs


def test_every_metric_has_an_interval_around_it():
    labels, outputs = drawn(np.random.default_rng(0), 500)
    metrics, intervals = TWO.metrics(labels, outputs), metric_intervals(TWO, labels, outputs)
    assert set(intervals) == set(metrics)
    assert all(intervals[name].low <= value <= intervals[name].high for name, value in metrics.items())
    assert metric_intervals(TWO, labels, outputs) == intervals


class Accuracy(Binary):
    """Measures one metric only, which is quick."""

    def metrics(self, labels, outputs):
        return {"accuracy": float(np.mean(self.predictions(outputs) == labels))}


def test_the_true_accuracy_is_inside_about_as_often_as_stated():
    random, held, task = np.random.default_rng(1), 0, Accuracy(("no", "yes"), 0.5)
    for _ in range(60):
        labels, outputs = drawn(random, 200)
        bounds = metric_intervals(task, labels, outputs)["accuracy"]
        held += bounds.low <= 0.75 <= bounds.high
    assert held > 45


def test_a_metric_that_a_resample_cannot_have_is_left_out():
    labels = np.array([0.0, *range(1, 40)])
    task = Regression(0.9, Interval(-1.0, 1.0, 0.9))
    intervals = metric_intervals(task, labels, labels + 0.5)
    assert "mape" not in intervals
    assert intervals["mae"].low == intervals["mae"].high == 0.5
