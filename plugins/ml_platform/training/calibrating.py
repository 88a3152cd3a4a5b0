"""The outputs of a candidate for rows that were not fitted, and what is chosen by them."""

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from ml_platform.evaluation.task import Calibration, Folds, OutOfFold
from ml_platform.exceptions import DegenerateDataError
from ml_platform.training.candidates import Candidate, pipeline
from ml_platform.training.split import Split


def calibrate(candidate: Candidate, parts: Split, folds: int, jobs: int = 1) -> Calibration:
    """Choose out of fold what the step from a candidate's outputs to its predictions needs; see `Task.calibrate`.

    Args:
        candidate: estimator and parameters.
        parts: the training set, split by the hold-out.
        folds: number of folds of the cross-validation.
        jobs: number of folds fitted in parallel.

    Raises:
        DegenerateDataError: the candidate cannot be fitted, or it predicts the same for every row.
    """
    splits = parts.folds(folds)
    try:
        rows = _out_of_fold(pipeline(candidate, parts.dataset), parts, splits, jobs)
    except ValueError as error:
        raise DegenerateDataError(f"{parts.dataset.name}: {candidate} cannot be fitted: {error}") from error
    if all((rows.raw[own] == rows.raw[own[0]]).all() for _, own in splits):
        raise DegenerateDataError(f"{parts.dataset.name}: {candidate} predicts the same for every row")
    return parts.task.calibrate(rows, calibrates=parts.dataset.search.calibrate)


def _out_of_fold(model: Pipeline, parts: Split, folds: Folds, jobs: int) -> OutOfFold:
    features, labels = parts.train()
    predicted = Parallel(n_jobs=jobs)(
        delayed(_predict_fold)(model, features, labels, parts.task.response, *fold) for fold in folds
    )
    order = np.argsort(np.concatenate([own for _, own in folds]))
    scores, raw = (np.concatenate(columns)[order] for columns in zip(*predicted, strict=True))
    return OutOfFold(labels.to_numpy(), raw, scores, folds)


def _predict_fold(
    model: Pipeline,
    features: pd.DataFrame,
    labels: pd.Series,
    response: str,
    others: NDArray[np.intp],
    own: NDArray[np.intp],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the scores that can be calibrated, and the raw outputs, for the rows of one fold."""
    with threadpool_limits(1):
        fitted = clone(model).fit(features.iloc[others], labels.iloc[others])
        rows = features.iloc[own]
        raw: NDArray[np.float64] = getattr(fitted, response)(rows)
        if hasattr(fitted, "decision_function"):
            scores: NDArray[np.float64] = fitted.decision_function(rows)
        else:  # scikit-learn calibrates the probabilities
            scores = raw[:, 1:] if raw.ndim == 2 and raw.shape[1] == 2 else raw
    return scores.reshape(len(rows), -1), raw
