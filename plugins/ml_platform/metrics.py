"""The figures that a classifier is judged by."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    f1_score,
    make_scorer,
    precision_score,
    recall_score,
    roc_auc_score,
)

SCORERS: dict[str, Any] = {
    "f1": make_scorer(f1_score, zero_division=0.0),
    "roc_auc": "roc_auc",
    "average_precision": "average_precision",
    "precision": make_scorer(precision_score, zero_division=0.0),
    "recall": make_scorer(recall_score, zero_division=0.0),
    "accuracy": "accuracy",
}


def f1(labels: NDArray[np.int64], probabilities: NDArray[np.float64], threshold: float) -> float:
    """Return F1 at a threshold; NaN if a probability or the threshold is no number."""
    if not (np.isfinite(probabilities).all() and np.isfinite(threshold)):
        return float("nan")
    return float(f1_score(labels, probabilities >= threshold, zero_division=0.0))


def judge(labels: NDArray[np.int64], probabilities: NDArray[np.float64], threshold: float) -> dict[str, float]:
    """Return the metrics of predictions, each in [0, 1].

    Args:
        labels: 0 or 1, shape (n_rows,), both of them present.
        probabilities: of being positive, shape (n_rows,). One NaN among them makes every metric NaN.
        threshold: the probability from which a row counts as positive.
    """
    if not np.isfinite(probabilities).all():
        return dict.fromkeys(SCORERS, float("nan"))
    predictions = (probabilities >= threshold).astype(int)
    return {
        "f1": f1(labels, probabilities, threshold),
        "roc_auc": float(roc_auc_score(labels, probabilities)),
        "average_precision": float(average_precision_score(labels, probabilities)),
        "precision": float(precision_score(labels, predictions, zero_division=0.0)),
        "recall": float(recall_score(labels, predictions, zero_division=0.0)),
        "accuracy": float(accuracy_score(labels, predictions)),
    }
