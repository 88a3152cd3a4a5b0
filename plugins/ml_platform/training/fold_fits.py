"""The fits of a cross-validation: each fold is predicted by a model that was fitted on the other folds."""

import time
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from ml_platform.evaluation.task import Folds, OutOfFold, Task
from ml_platform.specs.spec import Dataset
from ml_platform.training.candidates import Candidate, pipeline

Fold = tuple[NDArray[np.intp], NDArray[np.intp]]


@dataclass(frozen=True)
class FoldFit:
    """One fit of a candidate, and what it predicts for the fold that it did not see.

    Attributes:
        raw: what the model returns for the fold's rows; empty if the fit failed.
        start_time: seconds since the epoch.
        seconds: time of the fit and of the predictions.
        error: reason of the failure, or None.
        notes: the warnings of scikit-learn, each text once.
    """

    raw: NDArray[np.float64]
    start_time: float
    seconds: float
    error: str | None = None
    notes: tuple[str, ...] = ()


def fit_fold(
    candidate: Candidate, dataset: Dataset, task: Task, features: pd.DataFrame, labels: pd.Series, fold: Fold
) -> FoldFit:
    """Fit a candidate on one thread, and predict one fold; if the fit fails, return its error.

    Args:
        candidate: to fit.
        dataset: says which columns are categories.
        task: the kind of problem.
        features: shape (n_rows, n_features).
        labels: shape (n_rows,); every class occurs.
        fold: the positions of the rows to fit and of the rows to predict.
    """
    (others, own), start_time, error = fold, time.time(), None
    raw: NDArray[np.float64] = np.empty(0)
    with threadpool_limits(1), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            model = pipeline(candidate, dataset).fit(features.iloc[others], labels.iloc[others])
            raw = getattr(model, task.response)(features.iloc[own])
            if not np.isfinite(raw).all():
                error = "not every output is a finite number"
        except ValueError as failure:
            error = str(failure).strip()
    return FoldFit(raw, start_time, time.time() - start_time, error, _notes(caught))


def _notes(caught: Iterable[warnings.WarningMessage]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(warning.message).strip() for warning in caught))


def out_of_fold(labels: pd.Series, fits: Sequence[FoldFit], folds: Folds) -> OutOfFold:
    """Return what the models gave to the rows of all folds, in the order of the rows; NaN outside the folds."""
    raw = np.full((len(labels), *fits[0].raw.shape[1:]), np.nan)
    for fit, (_, own) in zip(fits, folds, strict=True):
        raw[own] = fit.raw
    return OutOfFold(labels.to_numpy(), raw, raw, folds)


def first_folds(folds: Folds, number: int) -> Folds:
    """Return the first folds as if they were all: the other rows of each are those of the others among them.

    A single fold has no others: its own rows stand in for them, so its threshold is chosen on the rows that it scores.
    That favours every candidate alike.
    """
    if number == len(folds):
        return folds
    own = [rows for _, rows in folds[:number]]
    others = [np.concatenate([*own[:k], *own[k + 1 :]]) if number > 1 else own[k] for k in range(number)]
    return list(zip(others, own, strict=True))
