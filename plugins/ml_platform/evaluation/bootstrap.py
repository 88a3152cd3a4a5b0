"""A confidence interval of the gain of one model over another: a paired bootstrap on the same rows.

Source: B. Efron and R. Tibshirani, An Introduction to the Bootstrap (1993), chapters 8 (several samples, each resampled
by itself) and 13 (percentile interval); P. Koehn, Statistical Significance Tests for Machine Translation Evaluation
(2004), for pairs.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml_platform import RANDOM_STATE
from ml_platform.evaluation.metrics import Labels

RESAMPLES = 2000
BLOCKS = 5000


@dataclass(frozen=True)
class Interval:
    """A percentile interval: `confidence` of the resampled gains lie from `low` to `high`."""

    low: float
    high: float


def resampled_f1_gains(labels: Labels, ours: Labels, theirs: Labels, n_classes: int) -> NDArray[np.float64]:
    """Return how much higher F1 is with `ours` than with `theirs`, per resample. With several classes F1 is the mean.

    Both models are evaluated on the same resampled rows, so rows that are easy or hard for both cancel out. Rows are
    drawn with replacement within each class: otherwise a small hold-out would sometimes lose a class, and its F1 would
    mean nothing. F1 depends only on how often each combination of label and two predictions occurs. In a resample these
    counts are multinomial, so drawing the counts is the same as drawing the rows, and its cost does not grow with them.

    Args:
        labels: class indices, shape (n_rows,).
        ours: predicted class indices of one model, shape (n_rows,).
        theirs: predicted class indices of the other model, shape (n_rows,).
        n_classes: number of classes; with two, F1 is that of class 1.

    Returns:
        Gains, shape (RESAMPLES,); the same for the same rows.
    """
    random = np.random.default_rng(RANDOM_STATE)
    confusions = np.zeros((2, RESAMPLES, n_classes, n_classes))  # per model: label by prediction
    for label in range(n_classes):
        of_class = labels == label
        counts = np.zeros((n_classes, n_classes), dtype=np.int64)
        np.add.at(counts, (ours[of_class], theirs[of_class]), 1)
        shares = counts.ravel() / max(counts.sum(), 1)
        drawn = random.multinomial(counts.sum(), shares, RESAMPLES).reshape(RESAMPLES, n_classes, n_classes)
        confusions[0, :, label], confusions[1, :, label] = drawn.sum(axis=2), drawn.sum(axis=1)
    gains: NDArray[np.float64] = np.subtract(*f1_of_confusions(confusions))
    return gains


def f1_of_confusions(confusions: NDArray[Any]) -> NDArray[np.float64]:
    """Return F1 of each confusion matrix, with several classes the mean; 0 for a class without rows and predictions.

    Args:
        confusions: counts by label and prediction, shape (..., n_classes, n_classes); with two classes, of class 1.
    """
    hits = np.diagonal(confusions, axis1=-2, axis2=-1).astype(np.float64)
    labelled_or_predicted = confusions.sum(axis=-1) + confusions.sum(axis=-2)
    per_class = np.divide(2 * hits, labelled_or_predicted, out=np.zeros_like(hits), where=labelled_or_predicted > 0)
    scores: NDArray[np.float64] = per_class[..., 1] if per_class.shape[-1] == 2 else per_class.mean(axis=-1)
    return scores


def resampled_error_gains(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return by which share the mean error `ours` is lower than the mean error `theirs`, per resample.

    Both models are evaluated on the same resampled rows. More than `BLOCKS` rows are put into that many blocks at
    random, and blocks are resampled: the variance of the means is the same, and the cost does not grow with the rows.

    Args:
        ours: error of one model for each row, not negative, shape (n_rows,).
        theirs: error of the other model for the same rows, shape (n_rows,).

    Returns:
        Gains, at most 1, shape (RESAMPLES,); 0 where the other model has no error. The same for the same rows.
    """
    random = np.random.default_rng(RANDOM_STATE)
    parts = np.array_split(random.permutation(len(ours)), min(len(ours), BLOCKS))
    sums = np.array([[ours[part].sum(), theirs[part].sum()] for part in parts])
    means = random.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), RESAMPLES) @ sums
    ratios: NDArray[np.float64] = np.divide(means[:, 0], means[:, 1], out=np.ones(RESAMPLES), where=means[:, 1] > 0)
    return 1 - ratios


def interval(gains: NDArray[np.float64], confidence: float) -> Interval:
    """Return the interval that holds the middle `confidence`, in [0, 1), of the gains."""
    low, high = np.quantile(gains, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(low), float(high))
