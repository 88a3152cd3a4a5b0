"""How a new model does on the hold-out: metrics, charts and its predictions. No I/O."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from threadpoolctl import threadpool_limits

from ml_platform.evaluation import charts
from ml_platform.evaluation.importance import importance
from ml_platform.evaluation.metrics import (
    Labels,
    Probabilities,
    classification_metrics,
    predictions_of,
    probabilities_of,
)

PROBABILITY = "probability"  # the column's name with two classes; with several, how the names begin


@dataclass(frozen=True)
class HoldoutRows:
    """The rows that a model was not trained on.

    Attributes:
        ids: what tells entities apart, shape (n_rows,).
        times: event times (UTC), shape (n_rows,).
        features: shape (n_rows, n_features).
        labels: class indices, shape (n_rows,).
        classes: the label's values, by index.
    """

    ids: pd.Series
    times: pd.Series
    features: pd.DataFrame
    labels: Labels
    classes: tuple[str, ...]

    def where(self, mask: NDArray[np.bool_]) -> "HoldoutRows":
        """Return the rows at which a mask of shape (n_rows,) is true."""
        return HoldoutRows(self.ids[mask], self.times[mask], self.features[mask], self.labels[mask], self.classes)


@dataclass(frozen=True)
class HoldoutReport:
    """What is kept with the run of a model.

    Attributes:
        metrics: by name, each in [0, 1].
        threshold: the probability from which a row is positive; None with several classes.
        positives: the share of positive rows; None with several classes.
        charts: by name.
        predictions: per row `key`, `event_timestamp`, `label` and the probabilities; see `probabilities_in`.
    """

    metrics: dict[str, float]
    threshold: float | None
    positives: float | None
    charts: dict[str, Figure]
    predictions: pd.DataFrame


def holdout_report(model: BaseEstimator, rows: HoldoutRows, threshold: float | None) -> HoldoutReport:
    """Evaluate a fitted model on the hold-out.

    Args:
        model: with `cv_results_` of its threshold, if it has one.
        rows: the hold-out.
        threshold: the probability from which a row is positive; None with several classes.
    """
    with threadpool_limits(1):
        probabilities = probabilities_of(model, rows.features)
    predictions = predictions_of(probabilities, threshold)
    names = [str(name) for name in rows.features]
    metric = "f1_macro" if threshold is None else "average_precision"
    importances = charts.feature_importance(names, metric, *importance(model, rows.features, rows.labels, metric))
    if threshold is None:
        drawn = charts.multiclass_charts(rows.labels, predictions, rows.classes)
    else:
        drawn = charts.binary_charts(rows.labels, probabilities, threshold, model.cv_results_)
    return HoldoutReport(
        metrics=classification_metrics(rows.labels, probabilities, predictions),
        threshold=threshold,
        positives=None if threshold is None else float(rows.labels.mean()),
        charts={**drawn, "feature_importance": importances},
        predictions=_frame(rows, probabilities),
    )


def _frame(rows: HoldoutRows, probabilities: Probabilities) -> pd.DataFrame:
    frame = pd.DataFrame({"key": rows.ids, "event_timestamp": rows.times, "label": rows.labels})
    if probabilities.ndim == 1:
        frame[PROBABILITY] = probabilities
    else:
        frame[[f"{PROBABILITY} {name}" for name in rows.classes]] = probabilities
    return frame


def probabilities_in(predictions: pd.DataFrame) -> Probabilities:
    """Return the probabilities of a report's predictions, in the shape that the model gave them."""
    found = predictions.loc[:, predictions.columns.str.startswith(PROBABILITY)].to_numpy(dtype=np.float64)
    return found[:, 0] if found.shape[1] == 1 else found
