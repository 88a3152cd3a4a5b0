"""What is measured for each group of rows; a task says which measures it has, see `Task.group_measures`. No I/O."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from fairlearn.metrics import mean_prediction
from numpy.typing import ArrayLike, NDArray

from ml_platform.specs.tasks import METRIC_TITLES


@dataclass(frozen=True)
class Measure:
    """One measure of all rows of a hold-out, so that it can be taken for any group of them.

    The value of a group comes from `metric`. For its interval, thousands of resamples are needed, so the measure is
    also given as what it is: a ratio of two sums over the rows, or the mean of several such ratios.

    Attributes:
        name: in files.
        title: for people.
        metric: of scikit-learn or fairlearn; takes labels and `given`.
        labels: shape (n_rows,).
        given: predictions, or what else the metric takes, shape (n_rows,).
        hits: what each row adds to the numerators, shape (n_rows, n_ratios).
        of: what each row adds to the denominators, not negative, shape (n_rows, n_ratios).
        low: the least possible value.
        high: the greatest possible value.
        is_compared: whether a difference between groups is one of the model, not of the labels.
        criteria: the names that a difference between groups has in the literature.
        explanation: of the title; "" if it needs none.
    """

    name: str
    title: str
    metric: Callable[..., float]
    labels: NDArray[Any]
    given: NDArray[Any]
    hits: NDArray[np.float64]
    of: NDArray[np.float64]
    low: float = 0.0
    high: float = 1.0
    is_compared: bool = True
    criteria: tuple[str, ...] = ()
    explanation: str = ""


def ratio(
    name: str, metric: Callable[..., float], labels: NDArray[Any], given: NDArray[Any],
    hits: ArrayLike, of: ArrayLike, **options: Any,
) -> Measure:  # fmt: skip
    """Return a measure; its title is that of the metric unless the options have one."""
    options = {"title": METRIC_TITLES.get(name, name.replace("_", " "))} | options
    return Measure(name, metric=metric, labels=labels, given=given, hits=_columns(hits), of=_columns(of), **options)


def mean(name: str, labels: NDArray[Any], values: ArrayLike, **options: Any) -> Measure:
    """Return the mean of a value of each row, shape (n_rows,), as a measure."""
    numbers = np.asarray(values, dtype=np.float64)
    return ratio(name, mean_prediction, labels, numbers, numbers, np.ones(len(numbers)), **options)


def _columns(values: ArrayLike) -> NDArray[np.float64]:
    numbers = np.asarray(values, dtype=np.float64)
    return numbers.reshape(len(numbers), -1)
