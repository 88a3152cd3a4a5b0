import math

import numpy as np
import pytest
from sklearn.metrics import f1_score, roc_auc_score

from ml_platform.evaluation.metrics import (
    best_threshold,
    classification_metric,
    classification_metrics,
    f1,
    f1_by_threshold,
    predictions_of,
)
from ml_platform.specs.tasks import METRICS

LABELS = np.array([0, 0, 1, 1])
THREE = np.array([0, 0, 1, 1, 2, 2])
OF_THREE = np.array([[8, 1, 1], [3, 4, 3], [1, 7, 2], [2, 6, 2], [5, 1, 4], [1, 1, 8]]) / 10


def test_metrics_at_the_threshold():
    probabilities = np.array([0.1, 0.4, 0.35, 0.8])
    predictions = predictions_of(probabilities, 0.4)
    assert predictions.tolist() == [0, 1, 0, 1]
    assert classification_metrics(LABELS, probabilities, predictions) == pytest.approx(
        {"f1": 0.5, "roc_auc": 0.75, "average_precision": 5 / 6, "precision": 0.5, "recall": 0.5, "accuracy": 0.5}
    )
    assert classification_metrics(LABELS, probabilities, predictions_of(probabilities, 0.9))["precision"] == 0.0


def test_with_more_classes_a_metric_is_the_mean_over_them():
    predictions = predictions_of(OF_THREE, None)
    assert predictions.tolist() == [0, 1, 1, 1, 0, 2]
    metrics = classification_metrics(THREE, OF_THREE, predictions)
    assert metrics["f1"] == f1(THREE, OF_THREE, predictions) == f1_score(THREE, predictions, average="macro")
    assert metrics["roc_auc"] == roc_auc_score(THREE, OF_THREE, multi_class="ovr")
    assert metrics["accuracy"] == pytest.approx(4 / 6)
    assert metrics["recall"] == pytest.approx((0.5 + 1 + 0.5) / 3)


def test_a_class_that_is_in_no_row_counts_as_missed():
    """A model does not score better on rows that lack a class."""
    assert f1(THREE[:4], OF_THREE[:4], THREE[:4]) == pytest.approx(2 / 3)


@pytest.mark.parametrize(("labels", "probabilities"), [(LABELS, LABELS / 2), (THREE, OF_THREE)])
def test_every_metric_that_a_search_can_compare_is_measured(labels, probabilities):
    metrics = classification_metrics(labels, probabilities, labels)
    assert tuple(metrics) == METRICS["binary"]
    assert {name: classification_metric(name, labels, probabilities, labels) for name in metrics} == metrics


def test_the_best_threshold_is_the_one_with_the_highest_f1():
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 100)
    probabilities = (labels + 2 * random.random(100)).round(1) / 3
    thresholds, scores = f1_by_threshold(labels, probabilities)
    assert thresholds.tolist() == sorted(set(probabilities))
    assert scores == pytest.approx([f1_score(labels, probabilities >= one) for one in thresholds])
    assert best_threshold(labels, probabilities) == thresholds[np.argmax(scores)]


def test_equal_probabilities_are_the_threshold_themselves():
    assert best_threshold(LABELS, np.full(4, 0.3)) == 0.3


def test_a_threshold_that_finds_no_positive_row_has_an_f1_of_zero():
    thresholds, scores = f1_by_threshold(np.array([1, 0]), np.array([0.2, 0.9]))
    assert dict(zip(thresholds, scores, strict=True)) == pytest.approx({0.2: 2 / 3, 0.9: 0.0})


def test_one_nan_makes_all_metrics_nan():
    broken = np.array([0.1, np.nan, 0.2, 0.9])
    assert all(math.isnan(value) for value in classification_metrics(LABELS, broken, LABELS).values())
    assert math.isnan(f1(LABELS, broken, LABELS))
    assert math.isnan(f1(THREE, np.where(OF_THREE > 0.7, np.nan, OF_THREE), THREE))


def test_a_row_at_the_threshold_is_positive():
    assert predictions_of(np.array([0.3, 0.5, 0.7]), 0.5).tolist() == [0, 1, 1]
    assert predictions_of(OF_THREE, None).dtype == predictions_of(OF_THREE[:, 0], 0.5).dtype == np.int64
