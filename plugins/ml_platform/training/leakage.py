"""What a single column tells about the label: leaks are found before a model enjoys them."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import matthews_corrcoef
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.tree import DecisionTreeClassifier

from ml_platform import RANDOM_STATE

LEAK_SCORE = 0.95  # honest single columns stay below: petal width tells the species of iris with .93
SCORED_ROWS = 50_000
FOLDS = 3
_COMMON_VALUES = 100


def suspected_leaks(features: pd.DataFrame, labels: "pd.Series | NDArray[np.generic]") -> dict[str, float]:
    """Return the columns that alone give the label away, the worst first, with their `label_scores`.

    Args:
        features: columns of float64, bool, or objects of str; NaN or None is missing.
        labels: shape (n_rows,), two or more classes.
    """
    return {name: score for name, score in label_scores(features, labels).items() if score >= LEAK_SCORE}


def label_scores(features: pd.DataFrame, labels: "pd.Series | NDArray[np.generic]") -> dict[str, float]:
    """Return how well each column alone foretells the label, the best first.

    The score is the Matthews correlation of the label with out-of-fold predictions of a decision tree that sees one
    column and whether it is missing: 0 is chance, however rare a class is, 1 is always right. Predictions are out of
    fold, so that an id that is merely learned by heart scores 0.

    Args:
        features: columns of float64, bool, or objects of str; NaN or None is missing.
        labels: shape (n_rows,), two or more classes; classes of fewer than `FOLDS` rows are left out.
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
    # Balanced: or a column of which no value makes a rare class the likelier one would seem to say nothing at all.
    options = {"max_leaf_nodes": 64, "min_samples_leaf": 2, "class_weight": "balanced"}
    tree = DecisionTreeClassifier(**options, random_state=RANDOM_STATE)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=RANDOM_STATE)
    # The column of its missingness lets the tree part missing from present values, as no threshold does.
    seen = np.column_stack([values, np.isnan(values)])
    return float(matthews_corrcoef(labels, cross_val_predict(tree, seen, labels, cv=folds)))


def _codes(column: pd.Series) -> NDArray[np.float64]:
    """Return numbers as they are, and of texts the rank of the value by frequency; NaN is missing in both."""
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.to_numpy("float64", na_value=np.nan)
    texts = column.astype("string")
    common = texts.value_counts().index[:_COMMON_VALUES]
    ranks = texts.map({value: float(rank) for rank, value in enumerate(common)})
    return ranks.where(ranks.notna() | texts.isna(), float(_COMMON_VALUES)).to_numpy("float64", na_value=np.nan)
