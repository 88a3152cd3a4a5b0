"""What a model relies on: permutation importance with intervals, and partial dependence. No I/O."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from threadpoolctl import threadpool_limits

from ml_platform import RANDOM_STATE
from ml_platform.evaluation.task import Outputs, Task, Values

ROWS = 1000  # of the hold-out, at most
REPEATS, FEW_REPEATS, MANY_FEATURES = 10, 5, 50  # a wide table has fewer repeats
FRAMES_AT_ONCE = 16  # that are predicted together: each has as many rows as the sample
GRID = 20  # values of a feature in a partial dependence, at most
Predict = Callable[[pd.DataFrame], Outputs]


@dataclass(frozen=True)
class Importance:
    """How much a metric gets worse when one feature is shuffled.

    Attributes:
        metric: its title, such as `average precision`.
        names: the features, the most important first.
        means: of the losses over the repeats, shape (n_features,).
        lows: the lowest loss of the repeats, shape (n_features,).
        highs: the highest loss of the repeats, shape (n_features,).
    """

    metric: str
    names: tuple[str, ...]
    means: NDArray[np.float64]
    lows: NDArray[np.float64]
    highs: NDArray[np.float64]


@dataclass(frozen=True)
class Dependence:
    """The mean output of a model over the values of one feature, all other features as they are.

    Attributes:
        name: of the feature.
        values: at which it was set, ascending numbers or categories, shape (n_values,).
        means: of the outputs, shape (n_values,), or with several classes (n_values, n_classes).
    """

    name: str
    values: NDArray[np.float64] | NDArray[np.object_]
    means: NDArray[np.float64]


def importance(task: Task, model: BaseEstimator, features: pd.DataFrame, labels: Values) -> Importance:
    """Return how much a metric of the task gets worse when a feature is shuffled.

    Each repeat draws rows with replacement, and then shuffles each feature among them. So the repeats differ as other
    hold-outs would, not only as other shuffles. Source: L. Breiman, Random Forests (2001), section 10.

    Args:
        task: measures the outputs.
        model: fitted.
        features: shape (n_rows, n_features).
        labels: shape (n_rows,).
    """
    random, predict = np.random.default_rng(RANDOM_STATE), _predictor(task, model)
    sample = random.permutation(len(labels))[:ROWS]
    repeats = REPEATS if features.shape[1] <= MANY_FEATURES else FEW_REPEATS
    losses = np.empty((repeats, features.shape[1]))
    with threadpool_limits(1):
        for repeat in range(repeats):
            rows = random.choice(sample, len(sample))
            drawn, truth = features.iloc[rows].reset_index(drop=True), labels[rows]
            usual = task.importance_score(truth, predict(drawn))
            frames = (_shuffled(drawn, str(name), random) for name in drawn)
            for column, outputs in enumerate(_predict_each(predict, frames)):
                losses[repeat, column] = usual - task.importance_score(truth, outputs)
    order = np.argsort(-losses.mean(axis=0), kind="stable")
    names = tuple(str(features.columns[column]) for column in order)
    ranked = losses[:, order]
    return Importance(task.importance_title, names, ranked.mean(axis=0), ranked.min(axis=0), ranked.max(axis=0))


def dependences(task: Task, model: BaseEstimator, features: pd.DataFrame, names: Sequence[str]) -> list[Dependence]:
    """Return the partial dependence of these features, on at most `ROWS` rows.

    Source: J. Friedman, Greedy Function Approximation: A Gradient Boosting Machine (2001), section 8.2.

    Args:
        task: gives the outputs.
        model: fitted.
        features: shape (n_rows, n_features).
        names: of the features; one without any value is left out.
    """
    predict = _predictor(task, model)
    rows = np.random.default_rng(RANDOM_STATE).permutation(len(features))[:ROWS]
    sample = features.iloc[rows].reset_index(drop=True)
    found = []
    with threadpool_limits(1):
        for name in names:
            if len(values := _values(sample[name])):
                frames = (sample.assign(**{name: value}) for value in values)
                means = [outputs.mean(axis=0) for outputs in _predict_each(predict, frames)]
                found.append(Dependence(name, values, np.array(means)))
    return found


def _shuffled(rows: pd.DataFrame, name: str, random: np.random.Generator) -> pd.DataFrame:
    return rows.assign(**{name: rows[name].to_numpy()[random.permutation(len(rows))]})


def _predict_each(predict: Predict, frames: Iterator[pd.DataFrame]) -> Iterator[Outputs]:
    """Yield the outputs for each frame; several together take about half the time."""
    while several := list(islice(frames, FRAMES_AT_ONCE)):
        yield from np.split(predict(pd.concat(several, ignore_index=True)), len(several))


def _values(column: pd.Series) -> NDArray[np.float64] | NDArray[np.object_]:
    """Return the most common categories, or values from the 5th to the 95th percentile."""
    present = column.dropna()
    if present.dtype == object:
        return np.array(present.value_counts().index[:GRID], dtype=object)
    different = np.unique(present.to_numpy(dtype=np.float64))
    if len(different) <= GRID:
        return different
    return np.unique(np.quantile(present, np.linspace(0.05, 0.95, GRID)))


def _predictor(task: Task, model: BaseEstimator) -> Predict:
    return lambda features: task.outputs(getattr(model, task.response)(features))
