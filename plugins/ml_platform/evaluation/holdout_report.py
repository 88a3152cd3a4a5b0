"""A report on a new model: its metrics, charts and predictions on the hold-out. No I/O."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from threadpoolctl import threadpool_limits

from ml_platform.evaluation import charts
from ml_platform.evaluation.calibration import Calibration
from ml_platform.evaluation.importance import importance
from ml_platform.evaluation.metrics import (
    Labels,
    Probabilities,
    classification_metrics,
    f1_by_threshold,
    predictions_of,
    probabilities_of,
)

PROBABILITY = "probability"  # the name of the column with two classes, the prefix of its names with more


@dataclass(frozen=True)
class HoldoutRows:
    """Rows that a model was not trained on.

    Attributes:
        ids: one value per entity, shape (n_rows,).
        times: event times (UTC), shape (n_rows,).
        features: shape (n_rows, n_features).
        labels: class indices, shape (n_rows,).
        classes: the values of the label, by class index.
    """

    ids: pd.Series
    times: pd.Series
    features: pd.DataFrame
    labels: Labels
    classes: tuple[str, ...]

    def where(self, mask: NDArray[np.bool_]) -> "HoldoutRows":
        """Return the rows where a mask of shape (n_rows,) is true."""
        return HoldoutRows(self.ids[mask], self.times[mask], self.features[mask], self.labels[mask], self.classes)


@dataclass(frozen=True)
class HoldoutReport:
    """The evaluation that MLflow keeps with the run of a model.

    Attributes:
        metrics: by name, each in [0, 1].
        out_of_fold: Brier score and calibration error before and after the calibration, by name.
        threshold: rows with at least this probability are positive; None with more than two classes.
        positives: share of positive rows; None with more than two classes.
        charts: by name.
        predictions: one row per row of the hold-out, with `key`, `event_timestamp`, `label` and the probabilities; see
            `probabilities_in`.
    """

    metrics: dict[str, float]
    out_of_fold: dict[str, float]
    threshold: float | None
    positives: float | None
    charts: dict[str, Figure]
    predictions: pd.DataFrame


def holdout_report(
    model: BaseEstimator, rows: HoldoutRows, calibration: Calibration, uncalibrated: BaseEstimator | None = None
) -> HoldoutReport:
    """Evaluate a fitted model on the hold-out.

    Args:
        model: fitted.
        rows: the hold-out.
        calibration: of the model; it says from which probability on rows are positive.
        uncalibrated: the fitted classifier whose scores the model calibrates; None if it calibrates none.
    """
    threshold = calibration.threshold
    with threadpool_limits(1):
        probabilities = probabilities_of(model, rows.features)
        before = probabilities_of(uncalibrated, rows.features) if uncalibrated is not None else probabilities
    predictions = predictions_of(probabilities, threshold)
    names = [str(name) for name in rows.features]
    metric = "f1_macro" if threshold is None else "average_precision"
    importances = charts.feature_importance(names, metric, *importance(model, rows.features, rows.labels, metric))
    if threshold is None:
        figures = charts.multiclass_charts(rows.labels, predictions, rows.classes)
    else:
        curve = f1_by_threshold(calibration.labels, calibration.after)
        figures = charts.binary_charts(rows.labels, probabilities, threshold, curve)
    reliability = ({"before": before} if uncalibrated is not None else {}) | {"model": probabilities}
    figures |= {"calibration": charts.calibration(rows.labels, reliability), "feature_importance": importances}
    on_holdout = replace(calibration, labels=rows.labels, before=before, after=probabilities)
    return HoldoutReport(
        metrics=classification_metrics(rows.labels, probabilities, predictions) | on_holdout.metrics(),
        out_of_fold=calibration.metrics(),
        threshold=threshold,
        positives=None if threshold is None else float(rows.labels.mean()),
        charts={
            **figures,
            "calibration": charts.calibration(rows.labels, reliability),
            "feature_importance": importances,
        },
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
    """Return the probabilities of a report: shape (n_rows,) with two classes, else (n_rows, n_classes)."""
    probabilities = predictions.loc[:, predictions.columns.str.startswith(PROBABILITY)].to_numpy(dtype=np.float64)
    return probabilities[:, 0] if probabilities.shape[1] == 1 else probabilities
