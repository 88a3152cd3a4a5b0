"""Calibration and threshold are chosen out of fold; probabilities can then be read as rates."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from ml_platform.evaluation.calibration import calibration_error, calibration_metrics
from ml_platform.evaluation.metrics import best_threshold
from ml_platform.exceptions import DegenerateDataError
from ml_platform.training import calibrating
from ml_platform.training.calibrating import calibrate
from ml_platform.training.candidates import Candidate, pipeline
from ml_platform.training.choice import within_one_standard_error
from ml_platform.training.search import fold_scores
from ml_platform.training.split import split
from tests.ml_platform.training.trainings import make_frame, make_training_set, make_weeks, make_weeks_frame

BALANCED = Candidate("logistic_regression", {"class_weight": "balanced"})
PLAIN = Candidate("logistic_regression", {})


def shop(rows=600):
    return split(make_training_set(frame=make_frame(rows)), 3)


def weeks():
    return split(make_training_set(make_weeks(), make_weeks_frame()), 3)


def test_probabilities_of_weighted_classes_become_rates():
    """Without a calibration a file of 100 such rows has a sum of probabilities that is far from its positives."""
    found = calibrate(BALANCED, shop(2000), 3)
    rate = found.labels.mean()
    assert found.method == "sigmoid"
    assert found.before.mean() > rate + 0.05
    assert found.after.mean() == pytest.approx(rate, abs=0.01)
    assert calibration_error(found.labels, found.after) < 0.03 < calibration_error(found.labels, found.before)


def test_the_threshold_is_the_best_of_the_calibrated_probabilities():
    found = calibrate(BALANCED, shop(), 3)
    assert found.threshold == best_threshold(found.labels, found.after)


def test_a_fold_is_calibrated_by_the_others():
    """A logistic regression on the scores of the other folds, which is what a sigmoid is, gives the same."""
    parts = shop()
    features, labels = parts.train()
    model, folds = pipeline(BALANCED, parts.dataset), parts.folds(3)
    scores = cross_val_predict(model, features, labels, cv=folds, method="decision_function")
    others, own = folds[0]
    sigmoid = LogisticRegression(C=np.inf).fit(scores[others, None], labels.iloc[others])
    found = calibrate(BALANCED, parts, 3)
    # scikit-learn's sigmoid has a prior on the two rates, which hardly matters for hundreds of rows
    assert found.after[own] == pytest.approx(sigmoid.predict_proba(scores[own, None])[:, 1], abs=0.01)
    assert found.before[own] == pytest.approx(1 / (1 + np.exp(-scores[own])))


def test_probabilities_that_are_rates_already_stay_as_they_are(monkeypatch):
    monkeypatch.setattr(calibrating, "_cross_fitted", lambda scores, labels, folds: np.full((len(labels), 2), 0.5))
    found = calibrate(PLAIN, shop(), 3)
    assert found.method is None
    assert (found.before == found.after).all()


def test_a_calibration_that_costs_f1_is_not_used():
    """With several classes and no threshold, other probabilities are other predictions."""
    labels, rows = np.arange(30) % 3, np.arange(30)
    true, other = np.eye(3)[labels], np.roll(np.eye(3)[labels], 1, axis=1)
    folds = [(rows[15:], rows[:15]), (rows[:15], rows[15:])]
    before = 0.01 * true + 0.33
    for after, better in ((0.51 * other + 0.49 * true, False), (0.49 * other + 0.51 * true, True)):
        assert calibration_metrics(labels, after)["brier"] < calibration_metrics(labels, before)["brier"]
        assert calibrating._is_better(labels, before, after, folds) is better


def test_with_two_classes_chance_in_a_fold_does_not_keep_weighted_probabilities():
    """The order of the rows stays, so a lower F1 in a fold is chance: the folds differ by a hair in their sigmoids."""
    random, rows = np.random.default_rng(1), np.arange(300)
    rates = random.beta(1, 3, len(rows))
    labels = (random.random(len(rows)) < rates).astype(np.int64)
    folds = [(np.setdiff1d(rows, own), own) for own in np.array_split(rows, 3)]
    exponents = np.repeat([0.98, 1.0, 1.02], 100)
    before, after = (np.column_stack([1 - one, one]) for one in (np.sqrt(rates), rates**exponents))
    f1, calibrated_f1 = (fold_scores(labels, one, folds)["f1"] for one in (before, after))
    assert not within_one_standard_error(f1, calibrated_f1)
    assert calibrating._is_better(labels, before, after, folds)


def test_several_classes_are_calibrated_too():
    found = calibrate(Candidate("random_forest", {"n_estimators": 10, "min_samples_leaf": 30}), weeks(), 3)
    assert found.method == "sigmoid"
    assert found.after.shape == (len(found.labels), 3)
    assert found.after.sum(axis=1) == pytest.approx(1)
    assert found.threshold is None
    assert found.metrics()["brier"] < found.metrics()["brier_uncalibrated"]


def test_a_class_with_few_rows_is_not_calibrated(monkeypatch):
    monkeypatch.setattr(calibrating, "MIN_ROWS", 10_000)
    assert calibrate(BALANCED, shop(), 3).method is None


def test_the_same_whatever_the_number_of_jobs():
    one, two = (calibrate(BALANCED, shop(), 3, jobs) for jobs in (1, 2))
    assert (one.after == two.after).all()
    assert one.threshold == two.threshold


def test_a_fold_may_lack_all_but_one_row_of_a_class():
    scores, labels = np.linspace(-1, 1, 8)[:, None], np.array([0, 0, 0, 1, 0, 0, 1, 1])
    folds = [(np.arange(4), np.arange(4, 8)), (np.arange(4, 8), np.arange(4))]
    assert np.isfinite(calibrating._cross_fitted(scores, labels, folds)).all()


def test_a_candidate_that_cannot_be_fitted_is_named():
    failing = Candidate("random_forest", {"bootstrap": False, "oob_score": True})
    with pytest.raises(DegenerateDataError, match=r"shop: random_forest .* cannot be fitted: Out of bag"):
        calibrate(failing, shop(), 3)
