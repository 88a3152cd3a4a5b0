"""Calibration and threshold are chosen out of fold; probabilities can then be read as rates."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from ml_platform.evaluation import platt
from ml_platform.evaluation.calibration import calibration_error
from ml_platform.evaluation.metrics import best_threshold
from ml_platform.exceptions import DegenerateDataError
from ml_platform.training.calibrating import calibrate
from ml_platform.training.candidates import Candidate, pipeline
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
    assert found.task.threshold == best_threshold(found.labels, found.after)


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
    monkeypatch.setattr(platt, "cross_calibrated", lambda scores, labels, folds: np.full((len(labels), 2), 0.5))
    found = calibrate(PLAIN, shop(), 3)
    assert found.method is None
    assert (found.before == found.after).all()


def test_several_classes_are_calibrated_too():
    found = calibrate(Candidate("random_forest", {"n_estimators": 10, "min_samples_leaf": 30}), weeks(), 3)
    assert found.method == "sigmoid"
    assert found.after.shape == (len(found.labels), 3)
    assert found.after.sum(axis=1) == pytest.approx(1)
    assert found.task.facts() == {"threshold": None}
    assert found.metrics()["brier"] < found.metrics()["brier_uncalibrated"]


def test_a_class_with_few_rows_is_not_calibrated(monkeypatch):
    monkeypatch.setattr(platt, "MIN_ROWS", 10_000)
    assert calibrate(BALANCED, shop(), 3).method is None


def test_the_same_whatever_the_number_of_jobs():
    one, two = (calibrate(BALANCED, shop(), 3, jobs) for jobs in (1, 2))
    assert (one.after == two.after).all()
    assert one.task == two.task


def test_a_candidate_that_cannot_be_fitted_is_named():
    failing = Candidate("random_forest", {"bootstrap": False, "oob_score": True})
    with pytest.raises(DegenerateDataError, match=r"shop: random_forest .* cannot be fitted: Out of bag"):
        calibrate(failing, shop(), 3)
