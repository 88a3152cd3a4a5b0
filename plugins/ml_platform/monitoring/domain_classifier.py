"""The multivariate case: can a classifier tell rows of now from rows of the training?

This is the classifier two-sample test (Lopez-Paz and Oquab, Revisiting Classifier Two-Sample Tests, 2017). It finds
what no single feature shows, such as a correlation that turned, or a change in one segment only.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

FOLDS = 3
MOST_ROWS = 4_000  # of each side; more change the AUC little, and take long
LEAST_ROWS = 50  # of each side
COMMON = 30  # values of a category that have a code of their own


class Separation(NamedTuple):
    """How well two sets of rows can be told apart: 0.5 is not at all, 1 is always; and the p-value of that."""

    auc: float
    p_value: float


def separation(reference: pd.DataFrame, window: pd.DataFrame) -> Separation | None:
    """Return how well a classifier tells the rows of two frames apart, out of fold.

    Each fold's area under the ROC curve is a Mann-Whitney statistic of rows that the fold's classifier did not see. The
    p-value is that of the folds' mean, one-sided, against rows of one distribution. The classifiers of two folds share
    rows, so the folds are not independent: the variance of their mean is corrected for it (Nadeau and Bengio, Inference
    for the Generalization Error, 2003).

    Args:
        reference: shape (n_rows, n_features); columns of float64, or objects of str; NaN is missing.
        window: the same columns.

    Returns:
        None if a side has fewer than `LEAST_ROWS` rows, or there are no columns.
    """
    if min(len(reference), len(window)) < LEAST_ROWS or reference.empty:
        return None
    sides = [rows.sample(min(len(rows), MOST_ROWS), random_state=0) for rows in (reference, window)]
    inputs, is_category = _encoded(pd.concat(sides, ignore_index=True), len(sides[0]))
    is_window = np.repeat([0, 1], [len(side) for side in sides])
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(inputs, is_window)
    return _mean([_fold(inputs, is_window, is_category, *fold) for fold in folds])


def _encoded(rows: pd.DataFrame, n_reference: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the rows as numbers, and which columns are categories: the common values by a code, others share one."""
    is_category = np.array([not pd.api.types.is_numeric_dtype(kind) for kind in rows.dtypes])
    columns = [
        _codes(rows[name], n_reference) if category else rows[name].to_numpy("float64")
        for name, category in zip(rows.columns, is_category, strict=True)
    ]
    return np.column_stack(columns), is_category


def _codes(values: pd.Series, n_reference: int) -> NDArray[np.float64]:
    common = values[:n_reference].value_counts().index[:COMMON]
    codes = pd.Index(common).get_indexer(pd.Index(values)).astype("float64")
    codes[codes < 0] = COMMON
    return np.where(values.isna(), np.nan, codes)


def _fold(
    inputs: NDArray[np.float64],
    is_window: NDArray[np.intp],
    is_category: NDArray[np.bool_],
    others: NDArray[np.intp],
    own: NDArray[np.intp],
) -> tuple[float, float]:
    """Return the area under the ROC curve of a fold, and its variance if both sides have one distribution."""
    has_values = ~np.isnan(inputs[others]).all(axis=0)  # the estimator refuses a column without any
    model = HistGradientBoostingClassifier(
        max_iter=30, max_leaf_nodes=8, learning_rate=0.15, early_stopping=False, random_state=0,
        categorical_features=is_category[has_values],
    )  # fmt: skip
    scores = np.zeros(len(own))
    if has_values.any():
        model.fit(inputs[np.ix_(others, has_values)], is_window[others])
        scores = model.predict_proba(inputs[np.ix_(own, has_values)])[:, 1]
    ones = int(is_window[own].sum())
    zeros = len(own) - ones
    return float(roc_auc_score(is_window[own], scores)), (ones + zeros + 1) / (12 * ones * zeros)


def _mean(folds: list[tuple[float, float]]) -> Separation:
    aucs, variances = np.array(folds).T
    auc, n_folds = float(aucs.mean()), len(folds)
    variance = variances.mean() * (1 / n_folds + 1 / (n_folds - 1))
    return Separation(auc, float(norm.sf((auc - 0.5) / np.sqrt(variance))))
