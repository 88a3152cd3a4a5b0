"""Three or more classes: the most probable one is predicted."""

import numpy as np
import pyarrow as pa

from ml_platform.evaluation import platt
from ml_platform.evaluation.calibration import calibration_metrics
from ml_platform.evaluation.multiclass import Multiclass
from tests.ml_platform.evaluation.outputs import out_of_fold

THREE = Multiclass(("poor", "fair", "good"))
OUTPUTS = np.array([[0.1, 0.2, 0.7], [0.5, 0.3, 0.2]])


def test_with_several_classes_a_fold_is_scored_by_its_most_probable_class():
    labels, rows = np.arange(30) % 3, np.arange(30)
    folds = [(rows[15:], rows[:15]), (rows[:15], rows[15:])]
    assert THREE.fold_metrics(out_of_fold(labels, np.eye(3)[labels], folds))["f1"] == [1.0, 1.0]


def test_the_best_score_is_that_of_the_most_probable_class():
    assert THREE.best_score("accuracy", np.array([2, 1]), OUTPUTS) == 0.5


def test_a_calibration_that_costs_f1_is_not_used(monkeypatch):
    """With several classes and no threshold, other probabilities are other predictions."""
    labels, rows = np.arange(30) % 3, np.arange(30)
    true, other = np.eye(3)[labels], np.roll(np.eye(3)[labels], 1, axis=1)
    folds = [(rows[15:], rows[:15]), (rows[:15], rows[15:])]
    before = 0.01 * true + 0.33
    for after, better in ((0.51 * other + 0.49 * true, False), (0.49 * other + 0.51 * true, True)):
        assert calibration_metrics(labels, after)["brier"] < calibration_metrics(labels, before)["brier"]
        monkeypatch.setattr(platt, "cross_calibrated", lambda *_, after=after: after)
        found = THREE.calibrate(out_of_fold(labels, before, folds), calibrates=True)
        assert (found.method is not None) is better


def test_a_result_has_the_probability_of_each_class():
    columns = THREE.result_columns(OUTPUTS, THREE.predictions(OUTPUTS), 4)
    assert {name: column.to_pylist() for name, column in columns.items()} == {
        "probability": [0.7, 0.5], "prediction": ["good", "poor"], "probability_poor": [0.1, 0.5],
        "probability_fair": [0.2, 0.3], "probability_good": [0.7, 0.2], "model_version": [4, 4],
    }  # fmt: skip
    empty = THREE.result_columns(*THREE.no_rows(), 4)
    assert {name: column.type for name, column in empty.items()} == {n: c.type for n, c in columns.items()}
    assert columns["model_version"].type == pa.int64()


def test_an_answer_has_the_predicted_class_and_each_probability():
    first, _ = THREE.answers(OUTPUTS, THREE.predictions(OUTPUTS))
    assert first == {
        "probability": 0.7, "prediction": "good", "probabilities": {"poor": 0.1, "fair": 0.2, "good": 0.7},
    }  # fmt: skip


def test_a_small_margin_between_two_classes_is_uncertain():
    assert THREE.uncertainty(np.array([[0.4, 0.4, 0.2], [0, 0, 1], [0.5, 0.3, 0.2]])).round(9).tolist() == [1, 0, 0.8]
