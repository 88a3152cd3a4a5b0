"""Permutation importance: how much a metric falls when one feature is shuffled."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.inspection import permutation_importance
from threadpoolctl import threadpool_limits

from ml_platform import RANDOM_STATE

ROWS, REPEATS = 1000, 3


def importance(
    model: BaseEstimator, features: pd.DataFrame, labels: NDArray[np.int64], metric: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how much a metric falls when a feature is shuffled, on a sample of at most 1,000 rows.

    Source: L. Breiman, Random Forests (2001), section 10.

    Args:
        model: fitted.
        features: shape (n_rows, n_features).
        labels: class indices, shape (n_rows,).
        metric: the name of a scikit-learn scorer, such as `f1_macro`.

    Returns:
        Mean and standard deviation of the loss over the repeats, each of shape (n_features,).
    """
    rows = np.random.default_rng(RANDOM_STATE).permutation(len(labels))[:ROWS]
    with threadpool_limits(1):
        result = permutation_importance(
            model, features.iloc[rows], labels[rows], scoring=metric, n_repeats=REPEATS, random_state=RANDOM_STATE
        )
    return result.importances_mean, result.importances_std
