"""The charts of a training: the candidates, the model on the hold-out, and the features that it relies on."""

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import TYPE_CHECKING

import numpy as np
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

from ml_platform.evaluation.calibration import BINS, calibration_error, one_versus_rest
from ml_platform.evaluation.metrics import Labels, Probabilities

if TYPE_CHECKING:  # these modules measure; they import nothing that draws
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ml_platform.evaluation.importance import Dependence, Importance

BLUE, ORANGE, GREY, INK = "#1f5fa8", "#e07b39", "#b8bec6", "#2b2f36"


def labelled_axes(title: str, x: str, y: str, height: float = 4.6, width: float = 6.4) -> tuple["Figure", "Axes"]:
    """Return a figure with one pair of axes in the style of all charts; height and width are in inches."""
    figure = _make_figure(width, height)
    axes = figure.add_subplot()
    style_axes(axes, title, x, y)
    return figure, axes


def _make_figure(width: float, height: float) -> "Figure":
    from matplotlib.figure import Figure  # here: what only predicts does not load it

    return Figure(figsize=(width, height), dpi=120, layout="constrained", facecolor="white")


def style_axes(axes: "Axes", title: str, x: str, y: str) -> None:
    """Give axes their title and labels, in the style of all charts."""
    axes.set_title(title, loc="left", fontsize=12, fontweight="bold", color=INK)
    axes.set_xlabel(x, color=INK)
    axes.set_ylabel(y, color=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color=GREY, alpha=0.35, linewidth=0.7)
    axes.set_axisbelow(True)


def _unit_square(axes: "Axes") -> None:
    axes.set_xlim(-0.01, 1.01)
    axes.set_ylim(-0.01, 1.02)
    if axes.get_legend_handles_labels()[1]:
        axes.legend(frameon=False)


def precision_recall(labels: Labels, probabilities: Probabilities, threshold: float) -> "Figure":
    """Draw precision over recall; a point marks the threshold."""
    precision, recall, _ = precision_recall_curve(labels, probabilities)
    figure, axes = labelled_axes("Precision and recall on the hold-out", "Recall", "Precision")
    area = average_precision_score(labels, probabilities)
    axes.step(recall, precision, where="post", color=BLUE, label=f"average precision {area:.3f}")
    axes.axhline(labels.mean(), color=GREY, linestyle="--", label=f"share of positives {labels.mean():.3f}")
    positive = probabilities >= threshold
    point = recall_score(labels, positive), precision_score(labels, positive, zero_division=0.0)
    axes.plot(*point, "o", color=ORANGE, label=f"threshold {threshold:.3f}")
    _unit_square(axes)
    return figure


def roc(labels: Labels, probabilities: Probabilities, threshold: float) -> "Figure":
    """Draw the ROC curve; a point marks the threshold."""
    false_positive, true_positive, _ = roc_curve(labels, probabilities)
    figure, axes = labelled_axes("ROC curve on the hold-out", "False positive rate", "True positive rate")
    axes.plot(false_positive, true_positive, color=BLUE, label=f"area {roc_auc_score(labels, probabilities):.3f}")
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", label="chance")
    positive = probabilities >= threshold
    point = float(positive[labels == 0].mean()), float(positive[labels == 1].mean())
    axes.plot(*point, "o", color=ORANGE, label=f"threshold {threshold:.3f}")
    _unit_square(axes)
    return figure


def confusion(labels: Labels, predictions: Labels, names: Sequence[str], title: str) -> "Figure":
    """Draw the confusion matrix, in rows and in shares of the true class; `names` are the classes, by class index."""
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
    else:  # more names, and longer ones
        axes.set_xticks(rows, _wrapped(names), rotation=30, ha="right")
        axes.set_yticks(rows, _wrapped(names))
    return figure


def per_class(labels: Labels, predictions: Labels, names: Sequence[str]) -> "Figure":
    """Draw precision, recall and F1 of every class; `names` are the classes, by class index."""
    rows = np.arange(len(names))
    scores = precision_recall_fscore_support(labels, predictions, labels=rows, zero_division=0.0)
    figure, axes = labelled_axes("Metrics of each class on the hold-out", "Share", "", 1.6 + 0.6 * len(names))
    bars = zip(("precision", "recall", "F1"), (GREY, BLUE, ORANGE), scores, strict=False)
    for position, (metric, color, values) in enumerate(bars):
        axes.barh(rows + (position - 1) * 0.27, values, 0.25, color=color, label=metric)
    axes.set_yticks(rows, _wrapped([f"{name} ({count:,})" for name, count in zip(names, scores[3], strict=True)]))
    axes.invert_yaxis()
    axes.set_xlim(0, 1.01)
    axes.grid(visible=False, axis="y")
    figure.legend(frameon=False, ncols=3, loc="outside lower center")
    return figure


def _wrapped(names: Sequence[str]) -> list[str]:
    return [fill(name, 24) for name in names]


def f1_over_threshold(thresholds: NDArray[np.float64], scores: NDArray[np.float64], threshold: float) -> "Figure":
    """Draw the out-of-fold F1 of each threshold; the best one is the model's threshold."""
    figure, axes = labelled_axes("F1 by threshold", "Threshold", "F1, out of fold (training rows)")
    axes.plot(thresholds, scores, color=BLUE)
    axes.axvline(threshold, color=ORANGE, linestyle="--", label=f"chosen: {threshold:.3f}, F1 {scores.max():.3f}")
    axes.legend(frameon=False)
    return figure


def calibration(labels: Labels, probabilities: Mapping[str, Probabilities]) -> "Figure":
    """Draw the reliability curve: the share of positives over the mean probability, in ten bins with as many rows each.

    Source: A. Niculescu-Mizil and R. Caruana, Predicting Good Probabilities With Supervised Learning (2005).

    Args:
        labels: class indices, shape (n_rows,).
        probabilities: by the name in the legend, at most two; each of shape (n_rows,), or with several classes
            (n_rows, n_classes): then every pair of a row and a class is a point.
    """
    figure, axes = labelled_axes(
        "Calibration on the hold-out", "Predicted probability (mean of a bin)", "Share of positives"
    )
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", label="perfect")
    for color, (name, values) in zip((ORANGE, BLUE)[-len(probabilities) :], probabilities.items(), strict=True):
        shares, means = calibration_curve(*one_versus_rest(labels, values), n_bins=BINS, strategy="quantile")
        error = calibration_error(labels, values)
        axes.plot(means, shares, "o-", color=color, label=f"{name}, calibration error {error:.3f}")
    _unit_square(axes)
    return figure


def feature_importance(importance: "Importance") -> "Figure":
    """Draw how much a metric gets worse when a feature is shuffled, for the 20 most important features."""
    rows = range(min(20, len(importance.names)))
    lost = f"Loss in {importance.metric} when shuffled"
    figure, axes = labelled_axes("Permutation importance", lost, "", 1.6 + 0.24 * len(rows))
    means = importance.means[: len(rows)]
    spread = np.abs([importance.lows[: len(rows)] - means, importance.highs[: len(rows)] - means])
    axes.barh(list(importance.names[: len(rows)]), means, xerr=spread, color=BLUE, ecolor=GREY)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    return figure


def partial_dependence(dependences: Sequence["Dependence"], output: str, classes: Sequence[str] = ()) -> "Figure":
    """Draw the mean output over the values of each feature, one panel per feature.

    Args:
        dependences: at least one.
        output: what the model gives.
        classes: of the columns of the means, if they have several.
    """
    columns = min(3, len(dependences))
    rows = -(-len(dependences) // columns)
    figure = _make_figure(3.4 * columns, 2.6 * rows)
    figure.suptitle(f"Mean {output} by feature, the others as they are", fontsize=12, fontweight="bold", color=INK)
    for position, one in enumerate(dependences):
        axes = figure.add_subplot(rows, columns, position + 1)
        axes.set_title(fill(one.name, 28), fontsize=9, color=INK)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color=GREY, alpha=0.35, linewidth=0.7)
        lines = one.means if one.means.ndim == 2 else one.means[:, None]
        x = np.arange(len(one.values)) if one.values.dtype == object else one.values
        for index, line in enumerate(lines.T):
            color, label = (BLUE, None) if len(lines.T) == 1 else (None, classes[index])
            axes.plot(x, line, "o" if one.values.dtype == object else "-", color=color, label=label)
        if one.values.dtype == object:
            axes.set_xticks(x, [fill(str(value), 14) for value in one.values], rotation=60, ha="right", fontsize=7)
    handles, names = figure.axes[0].get_legend_handles_labels()
    if names:
        figure.legend(handles, names, frameon=False, fontsize=8, loc="outside lower center", ncols=min(4, len(names)))
    return figure


def candidates(
    labels: Sequence[str], means: Sequence[float], sds: Sequence[float], scoring: str, chosen: int = 0
) -> "Figure":
    """Draw the scores of candidates.

    Args:
        labels: the candidates; the first one is the best, drawn on top.
        means: of the metric over the folds.
        sds: its standard deviations.
        scoring: the metric.
        chosen: position of the candidate that is drawn in another color.
    """
    figure, axes = labelled_axes("Candidates", f"{scoring}, mean ± sd over the folds", "", 1.6 + 0.3 * len(labels), 9.0)
    rows = np.arange(len(labels))[::-1]
    colors = [ORANGE if position == chosen else BLUE for position in range(len(labels))]
    axes.errorbar(means, rows, xerr=sds, fmt="none", ecolor=GREY)
    axes.scatter(means, rows, color=colors, zorder=3)
    axes.set_yticks(rows, labels, fontsize=8)
    return figure


def binary_charts(
    labels: Labels,
    probabilities: Probabilities,
    threshold: float,
    curve: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> dict[str, "Figure"]:
    """Return the charts of a model with a threshold, on the hold-out.

    Args:
        labels: 0 or 1, shape (n_rows,).
        probabilities: of the positive class, shape (n_rows,).
        threshold: rows with at least this probability are positive.
        curve: thresholds, and the out-of-fold F1 of each.
    """
    predictions = (probabilities >= threshold).astype(np.int64)
    title = f"Hold-out at threshold {threshold:.3f}"
    return {
        "precision_recall": precision_recall(labels, probabilities, threshold),
        "roc": roc(labels, probabilities, threshold),
        "confusion_matrix": confusion(labels, predictions, ("negative", "positive"), title),
        "f1_over_threshold": f1_over_threshold(*curve, threshold),
    }


def multiclass_charts(labels: Labels, predictions: Labels, names: Sequence[str]) -> dict[str, "Figure"]:
    """Return the charts of a model with more than two classes, on the hold-out.

    Args:
        labels: class indices, shape (n_rows,).
        predictions: class indices, shape (n_rows,).
        names: the classes, by class index.
    """
    return {
        "confusion_matrix": confusion(labels, predictions, names, "Hold-out"),
        "per_class": per_class(labels, predictions, names),
    }
