"""How well probabilities can be read as rates: Brier score and calibration error.

With more than two classes each class is compared with the rest.
"""

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import brier_score_loss

from ml_platform.evaluation.metrics import Labels, Probabilities

BINS = 10


def calibration_metrics(labels: Labels, probabilities: Probabilities) -> dict[str, float]:
    """Return the Brier score and the expected calibration error, each in [0, 1]; less is better.

    Args:
        labels: class indices, shape (n_rows,); every class occurs.
        probabilities: shape (n_rows,) with two classes, else (n_rows, n_classes). If one is not finite, both are NaN.
    """
    if not np.isfinite(probabilities).all():
        return {"brier": float("nan"), "calibration_error": float("nan")}
    return {
        "brier": float(brier_score_loss(labels, probabilities, scale_by_half=True)),
        "calibration_error": calibration_error(labels, probabilities),
    }


def calibration_error(labels: Labels, probabilities: Probabilities) -> float:
    """Return the expected calibration error: the mean distance of probability and rate over bins of the rows.

    The bins have equal numbers of rows, because bins of equal width hold hardly any rows where positives are rare.
    Sources: M. Naeini et al., Obtaining Well Calibrated Probabilities Using Bayesian Binning (2015); K. Nguyen and
    B. O'Connor, Posterior Calibration and Exploratory Analysis for NLP Models (2015) for bins of equal size; with
    several classes the mean over them, M. Kull et al., Beyond Temperature Scaling (2019).

    Args:
        labels: class indices, shape (n_rows,).
        probabilities: finite, shape (n_rows,) with two classes, else (n_rows, n_classes).
    """
    if probabilities.ndim == 1:
        return _binary_error(labels, probabilities)
    errors = [_binary_error(labels == index, column) for index, column in enumerate(probabilities.T)]
    return float(np.mean(errors))


def _binary_error(labels: Labels | NDArray[np.bool_], probabilities: Probabilities) -> float:
    order = np.argsort(probabilities, kind="stable")
    gaps = [abs((probabilities[part] - labels[part]).sum()) for part in np.array_split(order, BINS)]
    return float(sum(gaps) / len(labels))


def one_versus_rest(labels: Labels, probabilities: Probabilities) -> tuple[Labels, Probabilities]:
    """Return every pair of a row and a class as a row of two classes; with two classes the rows themselves.

    Args:
        labels: class indices, shape (n_rows,).
        probabilities: shape (n_rows,) with two classes, else (n_rows, n_classes).
    """
    if probabilities.ndim == 1:
        return labels, probabilities
    is_class = np.eye(probabilities.shape[1], dtype=np.int64)[labels]
    return is_class.ravel(), probabilities.ravel()
