"""The figures of a data report: features by label, how well each column predicts the label, train beside test."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ml_platform.eda.drift import bin_counts
from ml_platform.evaluation.charts import BLUE, GREY, ORANGE, labelled_axes
from ml_platform.training.leakage import LEAK_SCORE

COLOURS = (BLUE, ORANGE, "#3c8d5a", "#a3407a", "#8a7a2f", "#5f6b7a")
REST = "(others)"
_SHOWN_CATEGORIES, _SHOWN_CHARACTERS = 12, 32
_BARS = 30


def plain(value: object) -> str:
    """Return a text for matplotlib: short, printable, and with `$` escaped, which would start a formula."""
    text = "".join(character if character.isprintable() else "�" for character in str(value)).replace("$", r"\$")
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 1]}…"


def classes_of(labels: pd.Series) -> list[str]:
    """Return the classes of a label, the most common first, at most one per colour; the last may be `REST`."""
    classes = [str(value) for value in labels.value_counts().index]
    return classes if len(classes) <= len(COLOURS) else [*classes[: len(COLOURS) - 1], REST]


def by_label(name: str, values: pd.Series, labels: pd.Series) -> Figure:
    """Draw a feature by class: the distribution per class for numbers, the shares of the classes per category.

    Args:
        name: of the feature.
        values: shape (n_rows,), float64 or objects of str; NaN or None is missing.
        labels: shape (n_rows,), with the same index: the class, or the group of the number.
    """
    classes = classes_of(labels)
    texts = labels.astype(str)
    texts = texts.where(texts.isin(classes), REST)
    if pd.api.types.is_numeric_dtype(values.dtype):
        return _histograms(name, {one: values[texts == one] for one in classes})
    return _shares(name, values, texts, classes)


def _histograms(name: str, parts: Mapping[str, pd.Series]) -> Figure:
    figure, axes = labelled_axes(plain(name), "", "Density", 2.9, 4.4)
    numbers = {one: part.dropna().to_numpy("float64") for one, part in parts.items()}
    edges = _edges(np.concatenate([*numbers.values(), np.empty(0)]))
    for (one, part), colour in zip(numbers.items(), COLOURS, strict=False):
        inside = part[(part >= edges[0]) & (part <= edges[-1])]
        if len(inside):
            axes.hist(inside, bins=list(edges), density=True, color=colour, alpha=0.5, label=plain(one))
    axes.set_yticks([])
    if axes.get_legend_handles_labels()[1]:
        figure.legend(frameon=False, fontsize=8, loc="outside lower center", ncols=2)
    return figure


def _edges(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the edges of bins from the 1st to the 99th percentile; each bin covers the same number of integers."""
    if not len(numbers):
        return np.array([0.0, 1.0])
    low, high = np.quantile(numbers, [0.01, 0.99])
    if low == high:
        low, high = float(numbers.min()), float(numbers.max())
    if (numbers == np.round(numbers)).all():
        low, high = np.floor(low), np.ceil(high)
        width = np.ceil((high - low + 1) / _BARS)
        return np.arange(low - 0.5, high + width, width)
    return np.linspace(low, high, _BARS + 1)


def _shares(name: str, values: pd.Series, labels: pd.Series, classes: list[str]) -> Figure:
    texts = values.astype(object).where(values.notna(), "(missing)").astype(str)
    common = texts.value_counts().index[:_SHOWN_CATEGORIES]
    table = pd.crosstab(texts, labels, normalize="index").reindex(index=common[::-1], columns=classes, fill_value=0.0)
    figure, axes = labelled_axes(plain(name), "Share of the rows", "", 1.3 + 0.22 * len(table), 4.4)
    left = np.zeros(len(table))
    for one, colour in zip(classes, COLOURS, strict=False):
        axes.barh(range(len(table)), table[one], left=left, color=colour, alpha=0.75, label=plain(one))
        left += table[one].to_numpy()
    axes.set_yticks(range(len(table)), [plain(text) for text in table.index], fontsize=8)
    axes.set_xlim(0, 1)
    figure.legend(frameon=False, fontsize=8, loc="outside lower center", ncols=3)
    return figure


def label_scores(scores: Mapping[str, float]) -> Figure:
    """Draw how well each column alone predicts the label (`leakage.label_scores`), with the threshold of a leak."""
    shown = list(scores.items())[:20][::-1]
    figure, axes = labelled_axes("How well each column alone predicts the label", "Score", "", 1.5 + 0.24 * len(shown))
    colours = [ORANGE if score >= LEAK_SCORE else BLUE for _, score in shown]
    axes.barh(range(len(shown)), [max(0.0, score) for _, score in shown], color=colours)
    axes.set_yticks(range(len(shown)), [plain(name) for name, _ in shown])
    axes.axvline(LEAK_SCORE, color=GREY, linestyle="--", label="suspected leak")
    axes.set_xlim(0, 1.02)
    axes.legend(frameon=False)
    return figure


def overlay(name: str, train: pd.Series, test: pd.Series, titles: tuple[str, str] = ("train", "test")) -> Figure:
    """Draw the distributions of a feature in the training rows and in the rows to score, one over the other."""
    if pd.api.types.is_numeric_dtype(train.dtype):
        return _histograms(name, dict(zip(titles, (train, test), strict=True)))
    counts = bin_counts(train, test)
    filled = counts[0] + counts[1] > 0
    shares = [(one / max(1, one.sum()))[filled][: _SHOWN_CATEGORIES + 1][::-1] for one in counts]
    figure, axes = labelled_axes(plain(name), "Share of the rows", "", 1.3 + 0.24 * len(shares[0]), 4.4)
    rows = np.arange(len(shares[0]))
    for share, colour, shift, one in zip(shares, COLOURS, (0.2, -0.2), titles, strict=False):
        axes.barh(rows + shift, share, height=0.4, color=colour, alpha=0.75, label=one)
    axes.set_yticks(rows, [plain(text) for text in shares[0].index], fontsize=8)
    figure.legend(frameon=False, fontsize=8, loc="outside lower center", ncols=2)
    return figure
