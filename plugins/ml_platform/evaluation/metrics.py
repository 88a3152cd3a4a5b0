"""The metrics of a classifier; with more than two classes each is the mean over the classes (macro average)."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    f1_score,
    precision_recall_curve,
    precision_recall_fscore_support,
    precision_score,
    recall_score,
    roc_auc_score,
)

from ml_platform.specs.tasks import METRICS

Labels = NDArray[np.int64]
Probabilities = NDArray[np.float64]


def predictions_of(probabilities: Probabilities, threshold: float | None) -> Labels:
    """Return the class index of each row, shape (n_rows,).

    With a threshold: 1 if the probability reaches it, else 0. Without: the most probable class.
    """
    indices = probabilities.argmax(axis=1) if threshold is None else probabilities >= threshold
    return np.asarray(indices, dtype=np.int64)


def best_threshold(labels: Labels, probabilities: Probabilities) -> float:
    """Return the probability at which F1 is highest if rows that reach it are positive.

    Choose it on rows that the model was not fitted on. If all probabilities are equal, it is that probability.

    Args:
        labels: 0 or 1, shape (n_rows,); both occur.
        probabilities: of the positive class, finite, shape (n_rows,).
    """
    thresholds, scores = f1_by_threshold(labels, probabilities)
    return float(thresholds[scores.argmax()])


def f1_by_threshold(labels: Labels, probabilities: Probabilities) -> tuple[Probabilities, Probabilities]:
    """Return every different probability, ascending, and the F1 if rows that reach it are positive.

    Args:
        labels: 0 or 1, shape (n_rows,); both occur.
        probabilities: of the positive class, finite, shape (n_rows,).
    """
    precision, recall, thresholds = precision_recall_curve(labels, probabilities)
    # The last point of the curve has no threshold. F1 is 0, not 0/0, where no row is found.
    scores = 2 * precision * recall / np.maximum(precision + recall, np.finfo(np.float64).tiny)
    return thresholds, scores[:-1]


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
        return dict.fromkeys(METRICS["binary"], float("nan"))
    # one count of the rows for three metrics; training and its intervals measure thousands of times
    averaged = precision_recall_fscore_support(labels, predictions, **_averaged(probabilities))
    values = dict(zip(("precision", "recall", "f1"), map(float, averaged[:3]), strict=True))
    for metric in METRICS["binary"]:
        if metric not in values:
            values[metric] = classification_metric(metric, labels, probabilities, predictions)
    return {metric: values[metric] for metric in METRICS["binary"]}


def classification_metric(metric: str, labels: Labels, probabilities: Probabilities, predictions: Labels) -> float:
    """Return one of the metrics of `classification_metrics`; the probabilities are finite."""
    match metric:
        case "roc_auc":
            return float(roc_auc_score(labels, probabilities, average="macro", multi_class="ovr"))
        case "average_precision":
            return float(average_precision_score(labels, probabilities))
        case "accuracy":
            return float(accuracy_score(labels, predictions))
    of_predictions = {"f1": f1_score, "precision": precision_score, "recall": recall_score}[metric]
    return float(of_predictions(labels, predictions, **_averaged(probabilities)))


def within_one_standard_error(best: ArrayLike, other: ArrayLike) -> bool:
    """Return whether a model's mean over the folds is less than one standard error below that of the best.

    The standard error is that of the difference. A fold that is hard for one model is hard for the others too, so the
    differences vary far less than the scores. Source: L. Breiman et al., Classification and Regression Trees (1984),
    section 3.4.3, who take the standard error of the best score; measured in docs/adr/0087.

    Args:
        best: scores per fold, shape (n_folds,), two folds at least.
        other: of the other model on the same folds, shape (n_folds,).
    """
    differences = np.asarray(best, dtype=np.float64) - np.asarray(other, dtype=np.float64)
    return bool(differences.mean() <= differences.std(ddof=1) / np.sqrt(len(differences)))
