"""Platt's calibration on rows that were not fitted, to learn whether it helps.

Source: J. Platt, Probabilistic Outputs for Support Vector Machines (1999); which methods were compared: docs/adr/0086.
"""

import numpy as np
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from ml_platform.evaluation.metrics import Labels
from ml_platform.evaluation.task import Folds

METHOD = "sigmoid"
MIN_ROWS = 10  # of each class: with fewer, a sigmoid follows single rows
Scores = NDArray[np.float64]


def cross_calibrated(scores: Scores, labels: Labels, folds: Folds) -> NDArray[np.float64]:
    """Return the probabilities of each fold, shape (n_rows, n_classes), calibrated by the scores of the others.

    Args:
        scores: out of fold, shape (n_rows, n_scores).
        labels: class indices, shape (n_rows,).
        folds: of the cross-validation.
    """
    identity, probabilities = _identity(scores), np.empty((len(labels), labels.max() + 1))
    for others, own in folds:
        every = np.arange(len(others))  # the scores are out of fold already, so there is nothing to hold out
        calibrator = CalibratedClassifierCV(identity, method=METHOD, cv=[(every, every)], ensemble=False)
        probabilities[own] = calibrator.fit(scores[others], labels[others]).predict_proba(scores[own])
    return probabilities


def _identity(scores: Scores) -> FrozenEstimator:
    """Return a classifier whose decision function is its input: scikit-learn calibrates classifiers, not scores."""
    n_scores = scores.shape[1]
    linear = LogisticRegression()
    linear.coef_, linear.intercept_ = np.eye(n_scores), np.zeros(n_scores)
    linear.classes_ = np.arange(max(n_scores, 2))
    return FrozenEstimator(linear)
