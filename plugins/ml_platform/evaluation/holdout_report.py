"""A report on a new model: its metrics, charts and predictions on the hold-out. No I/O."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from threadpoolctl import threadpool_limits

from ml_platform.evaluation import charts
from ml_platform.evaluation.group_report import GroupReport
from ml_platform.evaluation.importance import Dependence, Importance, dependences, importance
from ml_platform.evaluation.task import Calibration, HoldoutOutputs, Outputs, Task, Values

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN = 6  # features with a partial dependence
_OTHERS = ["key", "event_timestamp", "label"]  # the columns of the predictions that are no outputs


@dataclass(frozen=True)
class HoldoutRows:
    """Rows that a model was not trained on.

    Attributes:
        ids: one value per entity, shape (n_rows,).
        times: event times (UTC), shape (n_rows,).
        features: shape (n_rows, n_features).
        labels: class indices or numbers, shape (n_rows,).
        task: the kind of problem.
        withheld: columns that the model does not see, but an earlier one may have seen, shape (n_rows, n_withheld).
    """

    ids: pd.Series
    times: pd.Series
    features: pd.DataFrame
    labels: Values
    task: Task
    withheld: pd.DataFrame

    def where(self, mask: NDArray[np.bool_]) -> "HoldoutRows":
        """Return the rows where a mask of shape (n_rows,) is true."""
        ids, times, features, withheld = self.ids[mask], self.times[mask], self.features[mask], self.withheld[mask]
        return HoldoutRows(ids, times, features, self.labels[mask], self.task, withheld)

    def all_columns(self) -> pd.DataFrame:
        """Return features and withheld columns, for a model that was trained by an earlier spec."""
        return pd.concat([self.features, self.withheld], axis=1)


@dataclass(frozen=True)
class HoldoutReport:
    """The evaluation that MLflow keeps with the run of a model.

    Attributes:
        task: with what was chosen out of fold.
        metrics: by name.
        out_of_fold: the metrics of the calibration before and after it, by name.
        charts: by name.
        importance: of the features.
        predictions: one row per row of the hold-out, with `key`, `event_timestamp`, `label` and the outputs; see
            `outputs_in`.
        groups: one report per sensitive column.
    """

    task: Task
    metrics: dict[str, float]
    out_of_fold: dict[str, float]
    charts: dict[str, "Figure"]
    importance: Importance
    predictions: pd.DataFrame
    groups: tuple[GroupReport, ...] = ()


def holdout_report(
    model: BaseEstimator, rows: HoldoutRows, calibration: Calibration, uncalibrated: BaseEstimator | None = None
) -> HoldoutReport:
    """Evaluate a fitted model on the hold-out.

    Args:
        model: fitted.
        rows: the hold-out.
        calibration: of the model; its task has the threshold or the interval.
        uncalibrated: the fitted estimator whose scores the model calibrates; None if it calibrates none.
    """
    task = calibration.task
    with threadpool_limits(1):
        outputs = outputs_of(task, model, rows.features)
        before = None if uncalibrated is None else outputs_of(task, uncalibrated, rows.features)
    ranked = importance(task, model, rows.features, rows.labels)
    shown = dependences(task, model, rows.features, ranked.names[:SHOWN])
    on_holdout = replace(calibration, labels=rows.labels, before=outputs if before is None else before, after=outputs)
    return HoldoutReport(
        task=task,
        metrics=task.metrics(rows.labels, outputs) | on_holdout.metrics(),
        out_of_fold=calibration.metrics(),
        charts=task.charts(HoldoutOutputs(rows.labels, outputs, before, calibration))
        | _feature_charts(task, ranked, shown),
        importance=ranked,
        predictions=_frame(rows, outputs),
    )


def _feature_charts(task: Task, ranked: Importance, shown: Sequence[Dependence]) -> dict[str, "Figure"]:
    drawn = {"feature_importance": charts.feature_importance(ranked)}
    if shown:
        drawn["partial_dependence"] = charts.partial_dependence(shown, task.output_title, task.classes)
    return drawn


def outputs_of(task: Task, model: BaseEstimator, features: pd.DataFrame) -> Outputs:
    """Return the outputs of a fitted model for rows of shape (n_rows, n_features)."""
    return task.outputs(getattr(model, task.response)(features))


def _frame(rows: HoldoutRows, outputs: Outputs) -> pd.DataFrame:
    frame = pd.DataFrame({"key": rows.ids, "event_timestamp": rows.times, "label": rows.labels})
    return frame.assign(**dict(zip(rows.task.output_names, outputs.reshape(len(frame), -1).T, strict=True)))


def outputs_in(predictions: pd.DataFrame) -> Outputs:
    """Return the outputs in the predictions of a report, in the shape that the model gave them."""
    outputs = predictions.drop(columns=_OTHERS).to_numpy(dtype=np.float64)
    return outputs[:, 0] if outputs.shape[1] == 1 else outputs
