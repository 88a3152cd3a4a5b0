"""Labels of two classes."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa
from fairlearn.metrics import false_positive_rate, selection_rate
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.metrics import average_precision_score, f1_score, precision_score, recall_score
from sklearn.model_selection import FixedThresholdClassifier

from ml_platform.estimators.model_parts import threshold_of
from ml_platform.estimators.row_explainer import Scale
from ml_platform.evaluation import charts
from ml_platform.evaluation.classification import Classification
from ml_platform.evaluation.group_measures import Measure, mean, ratio
from ml_platform.evaluation.metrics import best_threshold, f1_by_threshold
from ml_platform.evaluation.task import Calibration, Folds, HoldoutOutputs, Mistakes, OutOfFold, Outputs, Values
from ml_platform.specs.tasks import METRIC_TITLES, Metric, TaskName

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DEMOGRAPHIC_PARITY = ("demographic parity difference",)
EQUALIZED_ODDS = ("equalized odds difference",)


@dataclass(frozen=True)
class Binary(Classification):
    """Two classes: rows with a probability of the threshold or more are positive.

    Attributes:
        threshold: None as long as it was not chosen.
    """

    name: ClassVar[TaskName] = "binary"
    drift_column = "probability"
    event_metric = "f1"
    importance_title = METRIC_TITLES["average_precision"]
    output_title = "probability of the positive class"

    threshold: float | None = None

    def as_fitted(self, estimator: BaseEstimator) -> "Binary":
        """Return the task with the threshold of a fitted model."""
        return replace(self, threshold=threshold_of(estimator))

    @property
    def _threshold(self) -> float | None:
        return self.threshold

    def _chosen(self, labels: Values, outputs: Outputs) -> "Binary":
        return replace(self, threshold=best_threshold(labels, outputs))

    def _keeps_f1(self, rows: OutOfFold, before: Outputs, after: Outputs) -> bool:
        return True  # a sigmoid keeps the order of the rows, and the threshold is chosen after it

    def predictions(self, outputs: Outputs) -> Values:
        """Return 1 where the probability reaches the threshold, else 0."""
        if self.threshold is None:
            raise ValueError("no threshold was chosen yet")
        return super().predictions(outputs)

    def best_score(self, metric: Metric, labels: Values, outputs: Outputs) -> float:
        """Return a metric at the threshold with the highest F1 on these rows; that F1 itself takes half the time."""
        if metric == "f1":
            return float(f1_by_threshold(labels, outputs)[1].max())
        return super().best_score(metric, labels, outputs)

    def with_decision(self, model: BaseEstimator, calibration: Calibration, folds: Folds, jobs: int) -> BaseEstimator:
        """Return the model inside a `FixedThresholdClassifier`."""
        model = super().with_decision(model, calibration, folds, jobs)
        threshold = calibration.task.facts()["threshold"]
        return FixedThresholdClassifier(model, threshold=threshold, response_method="predict_proba")

    def importance_score(self, labels: Values, outputs: Outputs) -> float:
        """Return the average precision."""
        return float(average_precision_score(labels, outputs))

    def group_measures(self, labels: Values, outputs: Outputs) -> list[Measure]:
        """Return rates of labels, probabilities and predictions; F1, recall, precision and false-positive rate."""
        predicted = self.predictions(outputs)
        hit, rows = labels * predicted, np.ones(len(labels))
        gap = {"low": -1.0, "explanation": "mean probability minus share of positives"}
        return [
            mean("positives", labels, labels, title="share of positives", is_compared=False),
            mean("mean_probability", labels, outputs, is_compared=False),
            mean("calibration_gap", labels, outputs - labels, **gap),
            ratio("selection_rate", selection_rate, labels, predicted, predicted, rows, criteria=DEMOGRAPHIC_PARITY),
            ratio("f1", f1_score, labels, predicted, 2 * hit, labels + predicted),
            ratio("recall", recall_score, labels, predicted, hit, labels, criteria=EQUALIZED_ODDS),
            ratio("precision", precision_score, labels, predicted, hit, predicted),
            ratio(
                "false_positive_rate", false_positive_rate, labels, predicted, predicted - hit, 1 - labels,
                title="false-positive rate", criteria=EQUALIZED_ODDS,
            ),
        ]  # fmt: skip

    def mistakes(self, labels: Values, predictions: Values) -> dict[str, Mistakes]:
        """Return false positives among the positive predictions, and false negatives among the positive labels."""
        predicted, true = predictions == 1, labels == 1
        return {
            "false positives": Mistakes(predicted, predicted & ~true),
            "false negatives": Mistakes(true, true & ~predicted),
        }

    def events(self, labels: Values, predictions: Values) -> NDArray[np.bool_]:
        """Return which labels are positive."""
        return np.asarray(labels == 1)

    def event_score(self, events: NDArray[np.bool_], predictions: Values) -> float:
        """Return F1."""
        return self.prediction_score(events.astype(np.int64), predictions)

    def charts(self, rows: HoldoutOutputs) -> dict[str, "Figure"]:
        """Return precision and recall, ROC curve, confusion matrix, F1 by threshold, and calibration."""
        curve = f1_by_threshold(rows.calibration.labels, rows.calibration.after)
        return charts.binary_charts(rows.labels, rows.outputs, self.threshold or 0.0, curve) | super().charts(rows)

    def figures(self, labels: Values) -> dict[str, float]:
        """Return the threshold, and the share of positive rows."""
        return {"threshold": self.threshold or 0.0, "holdout_positives": float(labels.mean())}

    def result_columns(self, outputs: Outputs, predictions: Values, version: int) -> dict[str, pa.Array]:
        """Return probability of the positive class, prediction, version and threshold."""
        return {
            "probability": pa.array(outputs, pa.float64()),
            "prediction": pa.array(self.texts(predictions), pa.string()),
            "model_version": pa.array(np.full(len(outputs), version), pa.int64()),
            "threshold": pa.array(np.full(len(outputs), self.threshold, dtype=np.float64), pa.float64()),
        }

    def log_columns(self, outputs: Outputs, predictions: Values) -> dict[str, Any]:
        """Return the probability of the positive class, and the class."""
        return {"probability": outputs, "prediction": self.texts(predictions)}

    def uncertainty(self, outputs: Outputs) -> NDArray[np.float64]:
        """Return how near the probability is to the threshold: 1 at it, 0 where the probability is 0 or 1.

        Uncertainty sampling (Lewis and Gale, "A sequential algorithm for training text classifiers", 1994).
        """
        threshold = self.threshold or 0.0
        side = np.where(outputs < threshold, threshold, 1 - threshold)
        distance = np.abs(outputs - threshold)
        return 1 - np.divide(distance, side, out=np.zeros_like(distance), where=side > 0)

    def answers(self, outputs: Outputs, predictions: Values) -> list[dict[str, Any]]:
        """Return the probability of the positive class, and the class."""
        pairs = zip(outputs.tolist(), self.texts(predictions), strict=True)
        return [{"probability": one, "prediction": text, "probabilities": None} for one, text in pairs]

    def explained_outputs(self, predictions: Values) -> NDArray[np.intp]:
        """Return 0: the positive class is explained, whatever is predicted."""
        return np.zeros(len(predictions), dtype=np.intp)

    def effect_scale(self, scale: Scale) -> str:
        """Return probability or log odds: calibrated or not, a margin is the log odds of the probability."""
        what = "probability" if scale == "probability" else "log odds"
        return f"{what} of the positive class ({self.names[1]})"
