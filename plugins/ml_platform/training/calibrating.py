"""The calibration of a candidate, and its threshold, both chosen on rows that were not fitted."""

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from ml_platform.evaluation.calibration import Calibration, calibration_metrics
from ml_platform.evaluation.metrics import Labels, Probabilities, best_threshold
from ml_platform.exceptions import DegenerateDataError
from ml_platform.training.candidates import Candidate, pipeline
from ml_platform.training.choice import within_one_standard_error
from ml_platform.training.search import fold_scores
from ml_platform.training.split import Folds, Split

METHOD = "sigmoid"
MIN_ROWS = 10  # of each class: with fewer, a sigmoid follows single rows
Scores = NDArray[np.float64]


def calibrate(candidate: Candidate, parts: Split, folds: int, jobs: int = 1) -> Calibration:
    """Choose whether a candidate's probabilities are calibrated, and its threshold, out of fold.

    They are calibrated if that lowers the Brier score and costs no F1. With two classes it costs none: the order of the
    rows stays, and the threshold is chosen afterwards. With more it may cost one standard error over the folds at most.
    A fold is calibrated by the scores of the other folds. Source: J. Platt, Probabilistic Outputs for Support Vector
    Machines (1999); which methods were compared: docs/adr/0086.

    Args:
        candidate: estimator and parameters.
        parts: the training set, split by the hold-out.
        folds: number of folds of the cross-validation.
        jobs: number of folds fitted in parallel.

    Raises:
        DegenerateDataError: the candidate cannot be fitted, or it predicts the same probability for every row.
    """
    features, labels = parts.train()
    splits, known = parts.folds(folds), labels.to_numpy(dtype=np.int64)
    try:
        scores, probabilities = _out_of_fold(pipeline(candidate, parts.dataset), features, labels, splits, jobs)
    except ValueError as error:
        raise DegenerateDataError(f"{parts.dataset.name}: {candidate} cannot be fitted: {error}") from error
    if all((probabilities[own] == probabilities[own[0]]).all() for _, own in splits):
        raise DegenerateDataError(f"{parts.dataset.name}: {candidate} predicts the same probability for every row")
    method, after = None, probabilities
    if parts.dataset.search.calibrate and np.bincount(known).min() >= MIN_ROWS:
        calibrated = _cross_fitted(scores, known, splits)
        if _is_better(known, probabilities, calibrated, splits):
            method, after = METHOD, calibrated
    threshold = best_threshold(known, after[:, 1]) if len(parts.classes) == 2 else None
    return Calibration(method, known, _by_class(probabilities), _by_class(after), threshold)


def _by_class(probabilities: Probabilities) -> Probabilities:
    return probabilities[:, 1] if probabilities.shape[1] == 2 else probabilities


def _out_of_fold(
    model: Pipeline, features: pd.DataFrame, labels: pd.Series, folds: Folds, jobs: int
) -> tuple[Scores, Probabilities]:
    """Return the scores that `CalibratedClassifierCV` calibrates, and the probabilities, each with two dimensions."""
    predicted = Parallel(n_jobs=jobs)(delayed(_predict_fold)(model, features, labels, *fold) for fold in folds)
    order = np.argsort(np.concatenate([own for _, own in folds]))
    scores, probabilities = (np.concatenate(parts)[order] for parts in zip(*predicted, strict=True))
    return scores, probabilities


def _predict_fold(
    model: Pipeline, features: pd.DataFrame, labels: pd.Series, others: NDArray[np.intp], own: NDArray[np.intp]
) -> tuple[Scores, Probabilities]:
    with threadpool_limits(1):
        fitted = clone(model).fit(features.iloc[others], labels.iloc[others])
        rows = features.iloc[own]
        probabilities: Probabilities = fitted.predict_proba(rows)
        has_scores = hasattr(fitted, "decision_function")  # scikit-learn calibrates the probabilities if it has none
        scores: Scores = fitted.decision_function(rows) if has_scores else _by_class(probabilities)
    return scores.reshape(len(rows), -1), probabilities


def _cross_fitted(scores: Scores, labels: Labels, folds: Folds) -> Probabilities:
    """Return the probabilities of each fold, shape (n_rows, n_classes), calibrated by the scores of the others."""
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


def _is_better(labels: Labels, before: Probabilities, after: Probabilities, folds: Folds) -> bool:
    brier, calibrated_brier = (calibration_metrics(labels, _by_class(one))["brier"] for one in (before, after))
    if calibrated_brier >= brier:
        return False
    if after.shape[1] == 2:  # a sigmoid keeps the order of the rows, and the threshold is chosen after it
        return True
    f1, calibrated_f1 = (fold_scores(labels, one, folds)["f1"] for one in (before, after))
    return within_one_standard_error(f1, calibrated_f1)
