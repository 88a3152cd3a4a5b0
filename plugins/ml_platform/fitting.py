"""Fitting the model that is to be used: all training rows, the decision threshold, and what it looks at."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.inspection import permutation_importance
from sklearn.model_selection import TunedThresholdClassifierCV
from threadpoolctl import threadpool_limits

from ml_platform.candidates import RANDOM_STATE, Candidate, pipeline
from ml_platform.exceptions import DegenerateDataError
from ml_platform.search import splitter
from ml_platform.spec import Dataset
from ml_platform.split import Split

IMPORTANCE_ROWS, IMPORTANCE_REPEATS = 1000, 3


def fit(candidate: Candidate, dataset: Dataset, parts: Split, folds: int, jobs: int = 1) -> TunedThresholdClassifierCV:
    """Return a candidate fitted on all rows outside the hold-out, with the threshold that maximises F1 out-of-fold.

    Raises:
        DegenerateDataError: scikit-learn cannot fit it, or it predicts the same for every row.
    """
    model = TunedThresholdClassifierCV(
        pipeline(candidate, dataset),
        scoring="f1", cv=splitter(folds), store_cv_results=True, refit=True, n_jobs=jobs, random_state=RANDOM_STATE,
    )  # fmt: skip
    features, labels = parts.train()
    try:
        with threadpool_limits(1):
            return model.fit(features, labels)
    except ValueError as error:
        raise DegenerateDataError(f"{dataset.name}: {candidate} cannot be fitted: {error}") from error


def importance(model: TunedThresholdClassifierCV, features: pd.DataFrame, labels: NDArray[np.int64]) -> Any:
    """Return scikit-learn's permutation importance, in average precision, on a sample of at most 1,000 rows."""
    rows = np.random.default_rng(RANDOM_STATE).permutation(len(labels))[:IMPORTANCE_ROWS]
    with threadpool_limits(1):
        return permutation_importance(
            model, features.iloc[rows], labels[rows],
            scoring="average_precision", n_repeats=IMPORTANCE_REPEATS, random_state=RANDOM_STATE,
        )  # fmt: skip
