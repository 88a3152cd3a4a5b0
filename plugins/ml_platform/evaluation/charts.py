"""The pictures of a training: how good the model is on the hold-out, and what it looks at."""

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.calibration import calibration_curve
from sklearn.metrics import (
    average_precision_score,
    confusion_matrix,
    precision_recall_curve,
    precision_recall_fscore_support,
    precision_score,
    recall_score,
    roc_auc_score,
    roc_curve,
)

BLUE, ORANGE, GREY, INK = "#1f5fa8", "#e07b39", "#b8bec6", "#2b2f36"
Labels = NDArray[np.int64]
Probabilities = NDArray[np.float64]


def labelled_axes(title: str, x: str, y: str, height: float = 4.6, width: float = 6.4) -> tuple[Figure, Axes]:
    """Return a figure, height and width in inches, with one pair of axes in the style of all our pictures."""
    figure = Figure(figsize=(width, height), dpi=120, layout="constrained", facecolor="white")
    axes = figure.add_subplot()
    axes.set_title(title, loc="left", fontsize=12, fontweight="bold", color=INK)
    axes.set_xlabel(x, color=INK)
    axes.set_ylabel(y, color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color=GREY, alpha=0.35, linewidth=0.7)
    axes.set_axisbelow(True)
    return figure, axes


def _unit_square(axes: Axes) -> None:
    axes.set_xlim(-0.01, 1.01)
    axes.set_ylim(-0.01, 1.02)
    if axes.get_legend_handles_labels()[1]:
        axes.legend(frameon=False)


def precision_recall(labels: Labels, probabilities: Probabilities, threshold: float) -> Figure:
    """Draw precision over recall, with the chosen threshold marked."""
    precision, recall, _ = precision_recall_curve(labels, probabilities)
    figure, axes = labelled_axes("Precision and recall on the hold-out", "Recall", "Precision")
    area = average_precision_score(labels, probabilities)
    axes.step(recall, precision, where="post", color=BLUE, label=f"average precision {area:.3f}")
    axes.axhline(labels.mean(), color=GREY, linestyle="--", label=f"share of positives {labels.mean():.3f}")
    predicted = probabilities >= threshold
    point = recall_score(labels, predicted), precision_score(labels, predicted, zero_division=0.0)
    axes.plot(*point, "o", color=ORANGE, label=f"threshold {threshold:.3f}")
    _unit_square(axes)
    return figure


def roc(labels: Labels, probabilities: Probabilities, threshold: float) -> Figure:
    """Draw the ROC curve, with the chosen threshold marked."""
    false_positive, true_positive, _ = roc_curve(labels, probabilities)
    figure, axes = labelled_axes("ROC curve on the hold-out", "False positive rate", "True positive rate")
    axes.plot(false_positive, true_positive, color=BLUE, label=f"area {roc_auc_score(labels, probabilities):.3f}")
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", label="chance")
    predicted = probabilities >= threshold
    point = float(predicted[labels == 0].mean()), float(predicted[labels == 1].mean())
    axes.plot(*point, "o", color=ORANGE, label=f"threshold {threshold:.3f}")
    _unit_square(axes)
    return figure


def confusion(labels: Labels, predictions: Labels, names: Sequence[str], title: str) -> Figure:
    """Draw the confusion matrix, as rows and as shares of the true class; `names` are the classes, by index."""
    size, rows = len(names), np.arange(len(names))
    counts = confusion_matrix(labels, predictions, labels=rows)
    shares = counts / counts.sum(axis=1, keepdims=True)
    side = max(4.6, 1.6 + 0.8 * size)
    figure, axes = labelled_axes(title, "Predicted", "True", side, side * 6.4 / 4.6 if size == 2 else side * 1.15)
    axes.grid(visible=False)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.ndindex(size, size):
        text = f"{counts[row, column]:,}\n{shares[row, column]:.1%}"
        shade = "white" if shares[row, column] > 0.55 else INK
        axes.text(column, row, text, ha="center", va="center", color=shade, fontsize=13 if size == 2 else 9)
    if size == 2:
        axes.set_xticks(rows, names)
        axes.set_yticks(rows, names, rotation=90, va="center")
    else:  # longer names, and more of them
        axes.set_xticks(rows, _wrapped(names), rotation=30, ha="right")
        axes.set_yticks(rows, _wrapped(names))
    return figure


def per_class(labels: Labels, predictions: Labels, names: Sequence[str]) -> Figure:
    """Draw precision, recall and F1 of every class; `names` are the classes, by index."""
    rows = np.arange(len(names))
    found = precision_recall_fscore_support(labels, predictions, labels=rows, zero_division=0.0)
    figure, axes = labelled_axes("Every class on the hold-out", "Share", "", 1.6 + 0.6 * len(names))
    bars = zip(("precision", "recall", "F1"), (GREY, BLUE, ORANGE), found, strict=False)
    for place, (metric, color, values) in enumerate(bars):
        axes.barh(rows + (place - 1) * 0.27, values, 0.25, color=color, label=metric)
    axes.set_yticks(rows, _wrapped([f"{name} ({count:,})" for name, count in zip(names, found[3], strict=True)]))
    axes.invert_yaxis()
    axes.set_xlim(0, 1.01)
    axes.grid(visible=False, axis="y")
    figure.legend(frameon=False, ncols=3, loc="outside lower center")
    return figure


def _wrapped(names: Sequence[str]) -> list[str]:
    return [fill(name, 24) for name in names]


def f1_over_threshold(thresholds: NDArray[np.float64], scores: NDArray[np.float64], threshold: float) -> Figure:
    """Draw the out-of-fold F1 that chose the threshold."""
    figure, axes = labelled_axes("How the threshold was chosen", "Threshold", "F1, mean over the folds (training rows)")
    axes.plot(thresholds, scores, color=BLUE)
    axes.axvline(threshold, color=ORANGE, linestyle="--", label=f"chosen: {threshold:.3f}, F1 {scores.max():.3f}")
    axes.legend(frameon=False)
    return figure


def calibration(labels: Labels, probabilities: Probabilities) -> Figure:
    """Draw the share of positives over the predicted probability, in ten bins of equal size."""
    observed, predicted = calibration_curve(labels, probabilities, n_bins=10, strategy="quantile")
    figure, axes = labelled_axes(
        "Calibration on the hold-out", "Predicted probability (mean of a bin)", "Share of positives"
    )
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", label="perfect")
    axes.plot(predicted, observed, "o-", color=BLUE, label="model, ten bins of equal size")
    _unit_square(axes)
    return figure


def feature_importance(
    names: Sequence[str], metric: str, means: NDArray[np.float64], sds: NDArray[np.float64]
) -> Figure:
    """Draw how much of a metric is lost when a feature is shuffled; the 20 that matter most."""
    top = np.argsort(means, kind="stable")[-20:]
    lost = f"{metric[0].upper()}{metric[1:].replace('_', ' ')} lost when shuffled"
    figure, axes = labelled_axes("What the model looks at", lost, "", 1.6 + 0.24 * len(top))
    axes.barh([names[i] for i in top], means[top], xerr=sds[top], color=BLUE, ecolor=GREY)
    axes.grid(visible=False, axis="y")
    return figure


def candidates(labels: Sequence[str], means: Sequence[float], sds: Sequence[float], scoring: str) -> Figure:
    """Draw the candidates of a search, the best on top (the first of the sequences)."""
    figure, axes = labelled_axes("Candidates", f"{scoring}, mean ± sd over the folds", "", 1.6 + 0.3 * len(labels), 9.0)
    rows = np.arange(len(labels))[::-1]
    colors = [ORANGE, *[BLUE] * (len(labels) - 1)]
    axes.errorbar(means, rows, xerr=sds, fmt="none", ecolor=GREY)
    axes.scatter(means, rows, color=colors, zorder=3)
    axes.set_yticks(rows, labels, fontsize=8)
    return figure


def binary_charts(
    labels: Labels, probabilities: Probabilities, threshold: float, cv_results: Mapping[str, Any]
) -> dict[str, Figure]:
    """Return the charts of a model with a threshold, on the hold-out.

    Args:
        labels: 0 or 1, shape (n_rows,).
        probabilities: of the positive class, shape (n_rows,).
        threshold: from which a row is positive.
        cv_results: out-of-fold F1 (`scores`) of the `thresholds` that were tried.
    """
    predictions = (probabilities >= threshold).astype(np.int64)
    title = f"Hold-out at threshold {threshold:.3f}"
    return {
        "precision_recall": precision_recall(labels, probabilities, threshold),
        "roc": roc(labels, probabilities, threshold),
        "confusion_matrix": confusion(labels, predictions, ("negative", "positive"), title),
        "calibration": calibration(labels, probabilities),
        "f1_over_threshold": f1_over_threshold(cv_results["thresholds"], cv_results["scores"], threshold),
    }


def multiclass_charts(labels: Labels, predictions: Labels, names: Sequence[str]) -> dict[str, Figure]:
    """Return the charts of a model that tells several classes apart, on the hold-out.

    Args:
        labels: class indices, shape (n_rows,).
        predictions: the same.
        names: the classes, by index.
    """
    return {
        "confusion_matrix": confusion(labels, predictions, names, "Hold-out"),
        "per_class": per_class(labels, predictions, names),
    }
