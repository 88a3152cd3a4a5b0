"""How well each single column predicts the label: a column that does so nearly perfectly is a suspected leak."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml_platform import RANDOM_STATE
from ml_platform.evaluation.multiclass import Multiclass
from ml_platform.evaluation.task import Task

LEAK_SCORE = 0.95  # columns without a leak score less: the petal width in the data set iris scores .93
SCORED_ROWS = 50_000
_COMMON_VALUES = 100


def suspected_leaks(
    features: pd.DataFrame, labels: "pd.Series | NDArray[Any]", task: type[Task] = Multiclass
) -> dict[str, float]:
    """Return the columns that reveal the label alone, with their `label_scores`, the highest first.

    Args:
        features: columns of float64, bool, or objects of str; NaN or None is missing.
        labels: shape (n_rows,), classes or numbers.
        task: the kind of problem.
    """
    return {name: score for name, score in label_scores(features, labels, task).items() if score >= LEAK_SCORE}


def label_scores(
    features: pd.DataFrame, labels: "pd.Series | NDArray[Any]", task: type[Task] = Multiclass
) -> dict[str, float]:
    """Return how well each column alone predicts the label, the best first.

    The score compares the label with out-of-fold predictions of a decision tree that sees one column and whether it is
    missing: Matthews correlation of classes, R² of numbers. 0 is chance, even if a class is rare; 1 is always correct.
    The predictions are out of fold, so an id, which a tree can only memorise, scores 0.

    Args:
        features: columns of float64, bool, or objects of str; NaN or None is missing.
        labels: shape (n_rows,), classes or numbers; a class with fewer than three rows is ignored.
        task: the kind of problem.

    Returns:
        Scores in [-1, 1], by column; empty if fewer than two different labels are left.
    """
    usable = np.flatnonzero(task.learnable(np.asarray(labels)))
    if len(usable) > SCORED_ROWS:
        usable = np.sort(np.random.default_rng(RANDOM_STATE).choice(usable, SCORED_ROWS, replace=False))
    truth = np.asarray(labels)[usable]
    if not task.learnable(truth).all() or not len(truth):
        return {}
    scores = {str(name): _score(_codes(column.iloc[usable]), truth, task) for name, column in features.items()}
    return dict(sorted(scores.items(), key=lambda item: -item[1]))


def _score(values: NDArray[np.float64], labels: NDArray[Any], task: type[Task]) -> float:
    # No threshold separates missing from present values, so an indicator of missing values is a further column.
    return task.column_score(np.column_stack([values, np.isnan(values)]), labels)


def _codes(column: pd.Series) -> NDArray[np.float64]:
    """Return numbers unchanged, and texts as the rank of the value by frequency; NaN is missing in both."""
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.to_numpy("float64", na_value=np.nan)
    texts = column.astype("string")
    common = texts.value_counts().index[:_COMMON_VALUES]
    ranks = texts.map({value: float(rank) for rank, value in enumerate(common)})
    return ranks.where(ranks.notna() | texts.isna(), float(_COMMON_VALUES)).to_numpy("float64", na_value=np.nan)
