"""How well each single column predicts the label: a column that does so nearly perfectly is a suspected leak."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import matthews_corrcoef
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.tree import DecisionTreeClassifier

from ml_platform import RANDOM_STATE

LEAK_SCORE = 0.95  # columns without a leak score less: the petal width in the data set iris scores .93
SCORED_ROWS = 50_000
FOLDS = 3
_COMMON_VALUES = 100


def suspected_leaks(features: pd.DataFrame, labels: "pd.Series | NDArray[np.generic]") -> dict[str, float]:
    """Return the columns that reveal the label alone, with their `label_scores`, the highest first.

    Args:
        features: columns of float64, bool, or objects of str; NaN or None is missing.
        labels: shape (n_rows,), two or more classes.
    """
    return {name: score for name, score in label_scores(features, labels).items() if score >= LEAK_SCORE}


def label_scores(features: pd.DataFrame, labels: "pd.Series | NDArray[np.generic]") -> dict[str, float]:
    """Return how well each column alone predicts the label, the best first.

    The score is the Matthews correlation of the label with out-of-fold predictions of a decision tree that sees one
    column and whether it is missing. 0 is chance, even if a class is rare; 1 is always correct. The predictions are
    out of fold, so an id, which a tree can only memorise, scores 0.

    Args:
        features: columns of float64, bool, or objects of str; NaN or None is missing.
        labels: shape (n_rows,), two or more classes; a class with fewer than `FOLDS` rows is ignored.

    Returns:
        Scores in [-1, 1], by column; empty if fewer than two classes are left.
    """
    classes, counts = np.unique(np.asarray(labels), return_counts=True)
    usable = np.flatnonzero(np.isin(np.asarray(labels), classes[counts >= FOLDS]))
    if len(usable) > SCORED_ROWS:
        usable = np.sort(np.random.default_rng(RANDOM_STATE).choice(usable, SCORED_ROWS, replace=False))
    truth = np.asarray(labels)[usable]
    classes, counts = np.unique(truth, return_counts=True)
    if len(classes) < 2 or counts.min() < FOLDS:
        return {}
    scores = {str(name): _score(_codes(column.iloc[usable]), truth) for name, column in features.items()}
    return dict(sorted(scores.items(), key=lambda item: -item[1]))


def _score(values: NDArray[np.float64], labels: NDArray[np.generic]) -> float:
    # Without balanced weights a column would score 0 if no value makes a rare class more likely than the other class.
    options = {"max_leaf_nodes": 64, "min_samples_leaf": 2, "class_weight": "balanced"}
    tree = DecisionTreeClassifier(**options, random_state=RANDOM_STATE)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=RANDOM_STATE)
    # No threshold separates missing from present values, so an indicator of missing values is a further column.
    inputs = np.column_stack([values, np.isnan(values)])
    return float(matthews_corrcoef(labels, cross_val_predict(tree, inputs, labels, cv=folds)))


def _codes(column: pd.Series) -> NDArray[np.float64]:
    """Return numbers unchanged, and texts as the rank of the value by frequency; NaN is missing in both."""
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.to_numpy("float64", na_value=np.nan)
    texts = column.astype("string")
    common = texts.value_counts().index[:_COMMON_VALUES]
    ranks = texts.map({value: float(rank) for rank, value in enumerate(common)})
    return ranks.where(ranks.notna() | texts.isna(), float(_COMMON_VALUES)).to_numpy("float64", na_value=np.nan)
