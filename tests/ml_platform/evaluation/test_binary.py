"""Two classes: a threshold of its own decides."""

import numpy as np
import pytest

from ml_platform.evaluation import platt
from ml_platform.evaluation.binary import Binary
from ml_platform.evaluation.metrics import best_threshold, classification_metrics, within_one_standard_error
from ml_platform.specs.tasks import METRICS
from tests.ml_platform.evaluation.outputs import out_of_fold

TWO = Binary(("no", "yes"))
OUTPUTS = np.array([0.3, 0.2999])
DECIDED = Binary(("no", "yes"), 0.3)


def test_the_threshold_of_a_fold_is_chosen_on_the_other_folds():
    """A model is compared as it will be used: at a threshold of its own, which was chosen on other rows."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 200)
    positive = 0.1 * labels + 0.2 * random.random(200)  # far below 0.5
    rows = np.arange(200)
    folds = [(rows[100:], rows[:100]), (rows[:100], rows[100:])]
    scores = TWO.fold_metrics(out_of_fold(labels, np.column_stack([1 - positive, positive]), folds))
    expected = [
        classification_metrics(
            labels[own], positive[own], positive[own] >= best_threshold(labels[others], positive[others])
        )
        for others, own in folds
    ]
    assert scores == {metric: [fold[metric] for fold in expected] for metric in METRICS["binary"]}
    assert min(scores["f1"]) > 0.7


def test_the_best_score_is_at_the_threshold_that_suits_the_rows():
    labels, positive = np.array([0, 0, 1, 1]), np.array([0.1, 0.3, 0.2, 0.4])
    assert TWO.best_score("f1", labels, positive) == pytest.approx(0.8)
    assert TWO.best_score("accuracy", labels, positive) == 0.75
    assert TWO.best_score("roc_auc", labels, positive) == 0.75


def test_with_two_classes_chance_in_a_fold_does_not_keep_weighted_probabilities(monkeypatch):
    """The order of the rows stays, so a lower F1 in a fold is chance: the folds differ by a hair in their sigmoids."""
    random, rows = np.random.default_rng(1), np.arange(300)
    rates = random.beta(1, 3, len(rows))
    labels = (random.random(len(rows)) < rates).astype(np.int64)
    folds = [(np.setdiff1d(rows, own), own) for own in np.array_split(rows, 3)]
    exponents = np.repeat([0.98, 1.0, 1.02], 100)
    before, after = (np.column_stack([1 - one, one]) for one in (np.sqrt(rates), rates**exponents))
    f1, calibrated_f1 = (TWO.fold_metrics(out_of_fold(labels, one, folds))["f1"] for one in (before, after))
    assert not within_one_standard_error(f1, calibrated_f1)
    monkeypatch.setattr(platt, "cross_calibrated", lambda *_: after)
    assert TWO.calibrate(out_of_fold(labels, before, folds), calibrates=True).method == "sigmoid"


def test_a_row_that_reaches_the_threshold_is_positive():
    assert DECIDED.texts(DECIDED.predictions(OUTPUTS)) == ["yes", "no"]


def test_without_a_threshold_nothing_is_predicted():
    with pytest.raises(ValueError, match="no threshold was chosen yet"):
        TWO.predictions(OUTPUTS)


def test_a_result_has_probability_prediction_version_and_threshold():
    columns = DECIDED.result_columns(OUTPUTS, DECIDED.predictions(OUTPUTS), 4)
    assert {name: column.to_pylist() for name, column in columns.items()} == {
        "probability": [0.3, 0.2999], "prediction": ["yes", "no"], "model_version": [4, 4], "threshold": [0.3, 0.3],
    }  # fmt: skip
    empty = DECIDED.result_columns(*DECIDED.no_rows(), 4)
    assert {name: column.type for name, column in empty.items()} == {n: c.type for n, c in columns.items()}


def test_a_row_at_the_threshold_is_the_most_uncertain_one():
    uncertainty = DECIDED.uncertainty(np.array([0.0, 0.15, 0.3, 0.65, 1.0]))
    assert uncertainty == pytest.approx([0, 0.5, 1, 0.5, 0])
    assert Binary(("no", "yes"), 1.0).uncertainty(np.array([0.5, 1.0])) == pytest.approx([0.5, 1])
