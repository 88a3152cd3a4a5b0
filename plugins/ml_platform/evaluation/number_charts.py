"""The charts of a model that predicts numbers, on the hold-out."""

from typing import TYPE_CHECKING

import numpy as np

from ml_platform import RANDOM_STATE
from ml_platform.estimators.interval_regressor import Interval
from ml_platform.evaluation.charts import BLUE, GREY, ORANGE, labelled_axes
from ml_platform.evaluation.intervals import Numbers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

POINTS = 5000  # drawn at most: more only cover each other
BINS = 10


def predicted_actual(labels: Numbers, predictions: Numbers, interval: Interval) -> "Figure":
    """Draw the true value over the predicted one, with the interval as a band.

    Args:
        labels: shape (n_rows,).
        predictions: shape (n_rows,).
        interval: around each prediction.
    """
    figure, axes = labelled_axes("Predicted and actual values on the hold-out", "Predicted", "Actual")
    rows = np.random.default_rng(RANDOM_STATE).permutation(len(labels))[:POINTS]
    axes.scatter(predictions[rows], labels[rows], s=9, color=BLUE, alpha=0.4, linewidths=0)
    ends = np.array([predictions.min(), predictions.max()])
    axes.plot(ends, ends, color=GREY, linestyle="--", label="perfect")
    inside = np.mean((labels >= predictions + interval.lower) & (labels <= predictions + interval.upper))
    label = f"interval made for {interval.coverage:.0%}, holds {inside:.1%}"
    axes.fill_between(ends, ends + interval.lower, ends + interval.upper, color=ORANGE, alpha=0.2, label=label)
    axes.legend(frameon=False)
    return figure


def residuals(labels: Numbers, predictions: Numbers, interval: Interval) -> "Figure":
    """Draw how often the true value is how far from the predicted one; see `predicted_actual` for the arguments."""
    figure, axes = labelled_axes("Residuals on the hold-out", "Actual − predicted", "Rows")
    errors = labels - predictions
    axes.hist(errors, bins=40, color=BLUE, alpha=0.75)
    label = f"{interval.coverage:.0%} interval"
    axes.axvspan(interval.lower, interval.upper, color=ORANGE, alpha=0.2, label=label)
    axes.axvline(float(errors.mean()), color=ORANGE, linestyle="--", label=f"mean {errors.mean():+.3g}")
    axes.legend(frameon=False)
    return figure


def coverage(labels: Numbers, predictions: Numbers, interval: Interval) -> "Figure":
    """Draw the share of true values inside the interval, in ten bins of predictions with as many rows each.

    A model is less certain where this falls below the stated share. See `predicted_actual` for the arguments.
    """
    figure, axes = labelled_axes("Share inside the interval", "Predicted (mean of a bin)", "Share of the rows")
    parts = np.array_split(np.argsort(predictions, kind="stable"), min(BINS, len(predictions)))
    inside = (labels >= predictions + interval.lower) & (labels <= predictions + interval.upper)
    axes.plot([predictions[part].mean() for part in parts], [inside[part].mean() for part in parts], "o-", color=BLUE)
    axes.axhline(interval.coverage, color=GREY, linestyle="--", label=f"stated: {interval.coverage:.0%}")
    axes.set_ylim(-0.01, 1.02)
    axes.legend(frameon=False)
    return figure
