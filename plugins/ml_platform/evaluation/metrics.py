"""The metrics of a classifier; with more than two classes each is the mean over the classes (macro average)."""

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

from ml_platform.specs.parts import METRICS

Labels = NDArray[np.int64]
Probabilities = NDArray[np.float64]


def scorers(n_classes: int) -> dict[str, Any]:
    """Return the scorers of a cross-validation, by metric.

    With more than two classes ROC AUC compares each class with the rest.
    """
    is_binary = n_classes == 2
    averaged = {"average": "binary" if is_binary else "macro", "zero_division": 0.0}
    # Without `response_method` scikit-learn would prefer decision_function to the probabilities.
    macro_precision = make_scorer(average_precision_score, response_method="predict_proba")
    return {
        "f1": make_scorer(f1_score, **averaged),
        "roc_auc": "roc_auc" if is_binary else "roc_auc_ovr",
        "average_precision": "average_precision" if is_binary else macro_precision,
        "precision": make_scorer(precision_score, **averaged),
        "recall": make_scorer(recall_score, **averaged),
        "accuracy": "accuracy",
    }


def probabilities_of(estimator: Any, features: Any) -> Probabilities:
    """Return the probabilities that a fitted classifier gives to rows.

    Returns:
        With two classes the probability of the positive class, shape (n_rows,); with more, shape (n_rows, n_classes).
    """
    probabilities: Probabilities = estimator.predict_proba(features)
    return probabilities[:, 1] if probabilities.shape[1] == 2 else probabilities


def predictions_of(probabilities: Probabilities, threshold: float | None) -> Labels:
    """Return the class index of each row, shape (n_rows,).

    With a threshold: 1 if the probability reaches it, else 0. Without: the most probable class.
    """
    indices = probabilities.argmax(axis=1) if threshold is None else probabilities >= threshold
    return np.asarray(indices, dtype=np.int64)


def _averaged(probabilities: Probabilities) -> dict[str, Any]:
    if probabilities.ndim == 1:
        return {"average": "binary", "zero_division": 0.0}
    return {"average": "macro", "labels": np.arange(probabilities.shape[1]), "zero_division": 0.0}


def f1(labels: Labels, probabilities: Probabilities, predictions: Labels) -> float:
    """Return F1, with more than two classes the mean over them; NaN if a probability is not finite."""
    if not np.isfinite(probabilities).all():
        return float("nan")
    return float(f1_score(labels, predictions, **_averaged(probabilities)))


def classification_metrics(labels: Labels, probabilities: Probabilities, predictions: Labels) -> dict[str, float]:
    """Return the metrics of predictions, each in [0, 1].

    Args:
        labels: class indices, shape (n_rows,); every class occurs.
        probabilities: shape (n_rows,) with two classes, else (n_rows, n_classes). If one is not finite, all metrics are
            NaN.
        predictions: class indices, shape (n_rows,).
    """
    if not np.isfinite(probabilities).all():
        return dict.fromkeys(METRICS, float("nan"))
    averaged = _averaged(probabilities)
    return {
        "f1": float(f1_score(labels, predictions, **averaged)),
        "roc_auc": float(roc_auc_score(labels, probabilities, average="macro", multi_class="ovr")),
        "average_precision": float(average_precision_score(labels, probabilities)),
        "precision": float(precision_score(labels, predictions, **averaged)),
        "recall": float(recall_score(labels, predictions, **averaged)),
        "accuracy": float(accuracy_score(labels, predictions)),
    }
