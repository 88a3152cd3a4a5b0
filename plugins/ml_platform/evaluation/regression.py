"""Labels that are numbers: a model gives a number, and an interval around it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, is_regressor
from sklearn.metrics import (
    mean_absolute_error,
    mean_absolute_percentage_error,
    r2_score,
    root_mean_squared_error,
)
from sklearn.model_selection import BaseCrossValidator, GroupKFold, KFold, cross_val_predict
from sklearn.tree import DecisionTreeRegressor

from ml_platform import RANDOM_STATE
from ml_platform.estimators.interval_regressor import Interval, IntervalRegressor
from ml_platform.estimators.model_parts import interval_of
from ml_platform.estimators.row_explainer import Scale
from ml_platform.evaluation import bootstrap, number_charts
from ml_platform.evaluation.group_measures import Measure, mean, ratio
from ml_platform.evaluation.intervals import conformal_interval, interval_metrics
from ml_platform.evaluation.task import Calibration, Folds, HoldoutOutputs, Mistakes, OutOfFold, Outputs, Task, Values
from ml_platform.specs.parts import Label
from ml_platform.specs.spec import Dataset
from ml_platform.specs.tasks import METRIC_TITLES, METRICS, Metric, TaskName, sign

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMN_FOLDS = 3


@dataclass(frozen=True)
class Regression(Task):
    """A number is predicted, with an interval.

    Attributes:
        coverage: the share of true values that the interval is made to hold, in (0, 1).
        interval: around each prediction; None as long as it was not chosen.
    """

    name: ClassVar[TaskName] = "regression"
    estimator_type = "regressor"
    response = "predict"
    gate_metric: ClassVar[Metric] = "mae"
    output_type = "double"
    drift_column = "prediction"
    event_metric = None
    label_type = "float64"
    importance_title = METRIC_TITLES["mae"]
    output_title = "prediction"

    coverage: float
    interval: Interval | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """None: a number has no classes."""
        return ()

    @property
    def _interval(self) -> Interval:
        if self.interval is None:
            raise ValueError("no interval was chosen yet")
        return self.interval

    @classmethod
    def of(cls, dataset: Dataset, classes: Sequence[str]) -> "Regression":
        """Return the task of a data set; see `tasks.task_of`."""
        return cls(dataset.search.interval)

    def as_fitted(self, estimator: BaseEstimator) -> "Regression":
        """Return the task with the interval of a fitted model."""
        return replace(self, interval=interval_of(estimator))

    @classmethod
    def encode(cls, label: Label, named: Sequence[Any], labels: pd.Series) -> tuple[list[str], pd.Series]:
        """Return no classes, and the labels as float64; see `Task.encode`."""
        return [], labels.astype("float64")

    @classmethod
    def readable(cls, labels: Sequence[Any]) -> pd.Series:
        """Return the labels as float64; NaN is missing."""
        return pd.Series(labels, dtype="float64")

    @classmethod
    def label_groups(cls, labels: pd.Series) -> pd.Series:
        """Return the quarter of the rows, by the label, as the range of its labels."""
        edges = np.unique(np.quantile(labels, [0, 0.25, 0.5, 0.75, 1]))
        edges = edges if len(edges) > 1 else np.repeat(edges, 2)  # all labels are equal
        quarters = np.searchsorted(edges[1:-1], labels)
        return pd.Series([f"{edges[q]:g} to {edges[q + 1]:g}" for q in quarters], labels.index)

    def described(self, labels: Values) -> str:
        """Return range and mean of the labels."""
        return f"from {labels.min():g} to {labels.max():g}, mean {labels.mean():g}" if len(labels) else "no rows"

    def too_few(self, labels: Values, least: int) -> str | None:
        """Return that there are fewer than twice `least` rows, as of two classes, or that all labels are equal."""
        if len(labels) < 2 * least:
            return f"{2 * least} rows are needed; there are {len(labels):,}"
        return f"the label is {labels[0]:g} in all of {len(labels):,} rows" if np.ptp(labels) == 0 else None

    def splitter(self, folds: int, groups: NDArray[Any] | None) -> BaseCrossValidator:
        """Return folds of random rows, or of random groups."""
        kind = KFold if groups is None else GroupKFold
        return kind(folds, shuffle=True, random_state=RANDOM_STATE)

    def outputs(self, raw: NDArray[Any]) -> Outputs:
        """Return the numbers, shape (n_rows,)."""
        return raw.reshape(len(raw))

    def predictions(self, outputs: Outputs) -> Values:
        """Return the numbers as they are."""
        return outputs

    def texts(self, predictions: Values) -> list[str]:
        """Return the shortest text that gives the same float again."""
        return list(map(repr, predictions.tolist()))

    def groups(self, values: Values) -> list[str]:
        """Return each number with two digits."""
        return [f"{value:.2g}" for value in values.tolist()]

    @property
    def output_names(self) -> tuple[str, ...]:
        """The name of the number."""
        return ("prediction",)

    def no_rows(self) -> tuple[Outputs, Values]:
        """Return outputs and predictions for no rows."""
        return np.empty(0), np.empty(0)

    def metrics(self, labels: Values, outputs: Outputs) -> dict[str, float]:
        """Return the metrics of predicted numbers, by name.

        The percentage error is left out unless all labels are positive: near 0 it has no meaning. The metrics of the
        interval are left out as long as none was chosen.
        """
        if not np.isfinite(outputs).all():
            return dict.fromkeys(METRICS["regression"], float("nan"))
        metrics = {
            "mae": float(mean_absolute_error(labels, outputs)),
            "rmse": float(root_mean_squared_error(labels, outputs)),
            "r2": float(r2_score(labels, outputs)),
        }
        if (labels > 0).all():
            metrics["mape"] = float(mean_absolute_percentage_error(labels, outputs))
        return metrics if self.interval is None else metrics | interval_metrics(labels, outputs, self.interval)

    def fold_metrics(self, rows: OutOfFold) -> dict[str, list[float]]:
        """Return each metric per fold, with the interval of the other folds."""
        outputs = self.outputs(rows.raw)
        folds = [
            self._chosen(rows.labels[others], outputs[others]).metrics(rows.labels[own], outputs[own])
            for others, own in rows.folds
        ]
        return {metric: [fold[metric] for fold in folds] for metric in folds[0] if all(metric in f for f in folds)}

    def best_score(self, metric: Metric, labels: Values, outputs: Outputs) -> float:
        """Return a metric, negated if less is better, with the interval of these rows."""
        return sign(metric) * self._chosen(labels, outputs).metrics(labels, outputs)[metric]

    def _chosen(self, labels: Values, outputs: Outputs) -> "Regression":
        return replace(self, interval=conformal_interval(labels, outputs, self.coverage))

    def calibration_metrics(self, labels: Values, outputs: Outputs) -> dict[str, float]:
        """Return pinball loss, share inside the interval, and its width."""
        return interval_metrics(labels, outputs, self._interval)

    def calibrate(self, rows: OutOfFold, *, calibrates: bool) -> Calibration:
        """Choose the interval from residuals out of fold; the numbers stay as they are."""
        outputs = self.outputs(rows.raw)
        return Calibration(self._chosen(rows.labels, outputs), rows.labels, outputs, outputs)

    def with_decision(self, model: BaseEstimator, calibration: Calibration, folds: Folds, jobs: int) -> BaseEstimator:
        """Return the model inside an `IntervalRegressor`."""
        return IntervalRegressor(model, **calibration.task.facts()["interval"])

    def unskilled(self, labels: Values, outputs: Outputs) -> str | None:
        """Return that the mean absolute error is not lower than that of the median of the labels, or None."""
        error = self.gate_score(labels, outputs)
        constant = float(np.abs(labels - np.median(labels)).mean())
        if error < constant:
            return None
        return f"mean absolute error {error:.4g} on the hold-out, and always the median gives {constant:.4g}"

    def group_measures(self, labels: Values, outputs: Outputs) -> list[Measure]:
        """Return mean absolute error, mean error, and the share inside the interval."""
        errors, (low, high) = outputs - labels, self._ends(outputs)
        absolute, infinite = np.abs(errors), float("inf")
        is_inside = (low <= labels) & (labels <= high)
        return [
            ratio("mae", mean_absolute_error, labels, outputs, absolute, np.ones(len(labels)), high=infinite),
            mean(
                "mean_error",
                labels,
                errors,
                low=-infinite,
                high=infinite,
                explanation="above 0, predictions are too high",
            ),
            mean("coverage", labels, is_inside),
        ]

    @classmethod
    def learnable(cls, labels: NDArray[Any]) -> NDArray[np.bool_]:
        """Return which labels are numbers; none if all are equal."""
        is_number = np.isfinite(labels)
        usable: NDArray[np.bool_] = is_number & (len(np.unique(labels[is_number])) > 1)
        return usable

    @classmethod
    def column_score(cls, inputs: NDArray[Any], labels: NDArray[Any]) -> float:
        """Return the R² of out-of-fold predictions of a decision tree; -1 if it is lower."""
        tree = DecisionTreeRegressor(max_leaf_nodes=64, min_samples_leaf=2, random_state=RANDOM_STATE)
        folds = KFold(COLUMN_FOLDS, shuffle=True, random_state=RANDOM_STATE)
        return max(-1.0, float(r2_score(labels, cross_val_predict(tree, inputs, labels, cv=folds))))

    def importance_score(self, labels: Values, outputs: Outputs) -> float:
        """Return the mean absolute error, negated."""
        return -self.gate_score(labels, outputs)

    def gate_score(self, labels: Values, outputs: Outputs) -> float:
        """Return the mean absolute error; NaN if a number is not finite."""
        return float(np.abs(labels - outputs).mean())

    def prediction_score(self, labels: Values, predictions: Values) -> float:
        """Return the mean absolute error."""
        return self.gate_score(labels, predictions)

    def mistakes(self, labels: Values, predictions: Values) -> dict[str, Mistakes]:
        """Return the rows whose true value is outside of the interval."""
        low, high = self._ends(predictions)
        outside = (labels < low) | (labels > high)
        return {"values outside of the interval": Mistakes(np.ones(len(labels), dtype=bool), outside)}

    def events(self, labels: Values, predictions: Values) -> NDArray[np.bool_]:
        """Return none: no probability is logged."""
        return np.zeros(len(labels), dtype=bool)

    def event_score(self, events: NDArray[np.bool_], predictions: Values) -> float:
        """Return NaN: there is no `event_metric`."""
        return float("nan")

    def resampled_gains(self, labels: Values, ours: Outputs, theirs: Outputs, other: Task) -> NDArray[Any]:
        """Return by which share the mean absolute error is lower; see `bootstrap.resampled_error_gains`."""
        return bootstrap.resampled_error_gains(np.abs(labels - ours), np.abs(labels - theirs))

    def charts(self, rows: HoldoutOutputs) -> dict[str, "Figure"]:
        """Return predicted and actual values, residuals, and the share inside the interval."""
        drawn = rows.labels, rows.outputs, self._interval
        return {
            "predicted_actual": number_charts.predicted_actual(*drawn),
            "residuals": number_charts.residuals(*drawn),
            "coverage": number_charts.coverage(*drawn),
        }

    def summary(self, metrics: Mapping[str, float]) -> str:
        """Return mean absolute error, R², and the interval."""
        text = "mean absolute error {mae:.4g}, R² {r2:.3f}".format(**metrics)
        made_for = f"{self.coverage:.0%} interval {self._interval.lower:+.4g} to {self._interval.upper:+.4g}"
        return f"{text}, {made_for} holds {metrics['coverage']:.1%}"

    def facts(self) -> dict[str, Any]:
        """Return the interval: both distances and the coverage."""
        interval = self._interval
        return {"interval": {"lower": interval.lower, "upper": interval.upper, "coverage": interval.coverage}}

    def figures(self, labels: Values) -> dict[str, float]:
        """Return both distances of the interval, and the mean of the labels."""
        interval = self._interval
        return {
            "interval_lower": interval.lower, "interval_upper": interval.upper, "holdout_mean": float(labels.mean()),
        }  # fmt: skip

    def result_columns(self, outputs: Outputs, predictions: Values, version: int) -> dict[str, pa.Array]:
        """Return prediction, both ends of its interval, version and the interval's coverage."""
        low, high = self._ends(outputs)
        rows = len(outputs)
        return {
            "prediction": pa.array(outputs, pa.float64()),
            "low": pa.array(low, pa.float64()),
            "high": pa.array(high, pa.float64()),
            "model_version": pa.array(np.full(rows, version), pa.int64()),
            "coverage": pa.array(np.full(rows, self._interval.coverage), pa.float64()),
        }

    def _ends(self, outputs: Outputs) -> tuple[Outputs, Outputs]:
        return outputs + self._interval.lower, outputs + self._interval.upper

    def log_columns(self, outputs: Outputs, predictions: Values) -> dict[str, Any]:
        """Return the number as text, and both ends of its interval."""
        low, high = self._ends(outputs)
        return {"prediction": self.texts(predictions), "low": low, "high": high}

    def uncertainty(self, outputs: Outputs) -> NDArray[np.float64]:
        """Return 1 for each row: the interval of a model is equally wide for all rows, so none is more uncertain."""
        return np.ones(len(outputs))

    def answers(self, outputs: Outputs, predictions: Values) -> list[dict[str, Any]]:
        """Return the number and both ends of its interval."""
        columns = (column.tolist() for column in (outputs, *self._ends(outputs)))
        return [{"prediction": one, "low": low, "high": high} for one, low, high in zip(*columns, strict=True)]

    def explained_outputs(self, predictions: Values) -> NDArray[np.intp]:
        """Return 0: there is one number."""
        return np.zeros(len(predictions), dtype=np.intp)

    def effect_scale(self, scale: Scale) -> str:
        """Return the unit of the label, or its logarithm."""
        return "logarithm of the prediction" if scale == "logarithm" else "unit of the label"

    def tags(self) -> dict[str, str]:
        """Return the tag `interval`."""
        return {"interval": json.dumps(self.facts()["interval"])}

    def check_estimator(self, estimator: BaseEstimator) -> str | None:
        """Return that the estimator predicts no numbers, or None."""
        return None if is_regressor(estimator) else "the model predicts classes, but the label is a number"
