"""Labels of three or more classes."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa
from fairlearn.metrics import selection_rate
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.metrics import accuracy_score, f1_score

from ml_platform.estimators.row_explainer import Scale
from ml_platform.evaluation import charts
from ml_platform.evaluation.classification import Classification
from ml_platform.evaluation.group_measures import Measure, ratio
from ml_platform.evaluation.metrics import within_one_standard_error
from ml_platform.evaluation.task import HoldoutOutputs, Mistakes, OutOfFold, Outputs, Values
from ml_platform.specs.tasks import METRIC_TITLES, TaskName

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CLASSES_SHOWN = 5  # for groups: how often each of the most frequent ones is predicted
_SCALES: dict[Scale, str] = {
    "margin": "log of the probability of the predicted class, minus the mean of these logs over all classes",
    "calibrated": "log odds of the predicted class, before the probabilities are divided by their sum",
    "probability": "probability of the predicted class",
}


@dataclass(frozen=True)
class Multiclass(Classification):
    """Three or more classes: the most probable one is predicted."""

    name: ClassVar[TaskName] = "multiclass"
    drift_column = "prediction"
    event_metric = "accuracy"
    importance_title = METRIC_TITLES["f1"]
    output_title = "probability"

    def as_fitted(self, estimator: BaseEstimator) -> "Multiclass":
        """Return the task as it is: the most probable class needs no choice."""
        return self

    @property
    def _threshold(self) -> None:
        return None

    def _chosen(self, labels: Values, outputs: Outputs) -> "Multiclass":
        return self

    def _keeps_f1(self, rows: OutOfFold, before: Outputs, after: Outputs) -> bool:
        f1_before, f1_after = (self._fold_metrics(rows, one)["f1"] for one in (before, after))
        return within_one_standard_error(f1_before, f1_after)

    def importance_score(self, labels: Values, outputs: Outputs) -> float:
        """Return F1, the mean over the classes."""
        return self.gate_score(labels, outputs)

    def group_measures(self, labels: Values, outputs: Outputs) -> list[Measure]:
        """Return F1 (mean over the classes), accuracy, and how often each of the most frequent classes is predicted."""
        predicted, classes = self.predictions(outputs), np.arange(len(self.names))
        is_label, is_predicted = labels[:, None] == classes, predicted[:, None] == classes
        macro = partial(f1_score, average="macro", labels=classes, zero_division=0.0)
        hits, of = 2.0 * (is_label & is_predicted), is_label.astype(np.float64) + is_predicted
        frequent = sorted(np.argsort(-is_label.sum(axis=0), kind="stable")[:CLASSES_SHOWN])
        return [
            ratio("f1", macro, labels, predicted, hits, of),
            ratio("accuracy", accuracy_score, labels, predicted, labels == predicted, np.ones(len(labels))),
            *(
                ratio(
                    f"predicted {self.names[k]}", partial(selection_rate, pos_label=k), labels, predicted,
                    is_predicted[:, k], np.ones(len(labels)),
                )
                for k in frequent
            ),
        ]  # fmt: skip

    def mistakes(self, labels: Values, predictions: Values) -> dict[str, Mistakes]:
        """Return the rows of another class than the predicted one."""
        return {"other classes": Mistakes(np.ones(len(labels), dtype=bool), labels != predictions)}

    def events(self, labels: Values, predictions: Values) -> NDArray[np.bool_]:
        """Return which rows have the predicted class."""
        return np.asarray(labels == predictions)

    def event_score(self, events: NDArray[np.bool_], predictions: Values) -> float:
        """Return the accuracy."""
        return float(events.mean())

    def charts(self, rows: HoldoutOutputs) -> dict[str, "Figure"]:
        """Return confusion matrix, metrics of each class, and calibration."""
        return charts.multiclass_charts(rows.labels, self.predictions(rows.outputs), self.names) | super().charts(rows)

    @property
    def output_names(self) -> tuple[str, ...]:
        """A name for the probability of each class."""
        return tuple(f"probability {name}" for name in self.names)

    def figures(self, labels: Values) -> dict[str, float]:
        """Return nothing: the metrics say it all."""
        return {}

    def result_columns(self, outputs: Outputs, predictions: Values, version: int) -> dict[str, pa.Array]:
        """Return probability of the predicted class, prediction, probability of each class, and version."""
        by_class = {f"probability_{name}": outputs[:, index] for index, name in enumerate(self.names)}
        return {
            "probability": pa.array(self._of_prediction(outputs, predictions), pa.float64()),
            "prediction": pa.array(self.texts(predictions), pa.string()),
            **{name: pa.array(column, pa.float64()) for name, column in by_class.items()},
            "model_version": pa.array(np.full(len(outputs), version), pa.int64()),
        }

    def log_columns(self, outputs: Outputs, predictions: Values) -> dict[str, Any]:
        """Return the probability of the predicted class, and the class."""
        return {"probability": self._of_prediction(outputs, predictions), "prediction": self.texts(predictions)}

    def uncertainty(self, outputs: Outputs) -> NDArray[np.float64]:
        """Return 1 minus the margin between the two most probable classes.

        Margin sampling (Scheffer, Decomain and Wrobel, "Active hidden Markov models for information extraction", 2001).
        """
        second, first = np.sort(outputs, axis=1)[:, -2:].T
        return np.asarray(1 - (first - second), dtype=np.float64)

    def answers(self, outputs: Outputs, predictions: Values) -> list[dict[str, Any]]:
        """Return the predicted class with its probability, and the probability of each class."""
        probabilities = self._of_prediction(outputs, predictions).tolist()
        rows = zip(probabilities, self.texts(predictions), outputs.tolist(), strict=True)
        return [
            {"probability": one, "prediction": text, "probabilities": dict(zip(self.names, each, strict=True))}
            for one, text, each in rows
        ]

    def explained_outputs(self, predictions: Values) -> NDArray[np.intp]:
        """Return the predicted class."""
        return np.asarray(predictions, dtype=np.intp)

    def effect_scale(self, scale: Scale) -> str:
        """Return what is added up for the predicted class."""
        return _SCALES[scale]

    @staticmethod
    def _of_prediction(outputs: Outputs, predictions: Values) -> NDArray[np.float64]:
        of_prediction: NDArray[np.float64] = outputs[np.arange(len(outputs)), predictions]
        return of_prediction
