"""What labels of two and of more classes have in common: a model gives probabilities, and a class follows from them."""

import json
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.metrics import matthews_corrcoef
from sklearn.model_selection import (
    BaseCrossValidator,
    StratifiedGroupKFold,
    StratifiedKFold,
    cross_val_predict,
)
from sklearn.tree import DecisionTreeClassifier

from ml_platform import RANDOM_STATE
from ml_platform.evaluation import bootstrap, charts, platt
from ml_platform.evaluation.calibration import calibration_metrics
from ml_platform.evaluation.metrics import (
    classification_metric,
    classification_metrics,
    f1,
    predictions_of,
)
from ml_platform.evaluation.task import Calibration, Folds, HoldoutOutputs, OutOfFold, Outputs, Task, Values
from ml_platform.parsing.labels import class_text
from ml_platform.specs.parts import Label
from ml_platform.specs.spec import Dataset
from ml_platform.specs.tasks import METRICS, Metric

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMN_FOLDS = 3


@dataclass(frozen=True)
class Classification(Task):
    """What two and more classes have in common.

    Attributes:
        names: the values of the label as in the files, by class index; of two the negative one is first.
    """

    estimator_type = "classifier"
    response = "predict_proba"
    gate_metric: ClassVar[Metric] = "f1"
    output_type = "long"
    label_type = "int64"

    names: tuple[str, ...]

    @property
    def classes(self) -> tuple[str, ...]:
        """The values of the label as in the files, by class index."""
        return self.names

    @property
    @abstractmethod
    def _threshold(self) -> float | None:
        """The probability from which a row is positive; None with more than two classes."""

    @abstractmethod
    def _chosen(self, labels: Values, outputs: Outputs) -> Self:
        """Return the task with what follows from outputs that are out of fold."""

    @classmethod
    def of(cls, dataset: Dataset, classes: Sequence[str]) -> Self:
        """Return the task of a data set; see `tasks.task_of`."""
        return cls(tuple(classes))

    @classmethod
    def encode(cls, label: Label, named: Sequence[Any], labels: pd.Series) -> tuple[list[str], pd.Series]:
        """Return the classes as texts, and the class index of each label; see `Task.encode`.

        Where the spec names only the positive value, the other one is the most frequent of the rest.
        """
        values, texts = list(named), list(map(class_text, named))
        if label.names_positive_only:
            others = labels[~labels.isin(values)].value_counts().index.tolist()
            texts.insert(0, class_text(others[0]) if others else f"not {texts[0]}")
            values.insert(0, others[0] if others else None)
        return texts, labels.map({value: i for i, value in enumerate(values)}).astype("Int64")

    @classmethod
    def readable(cls, labels: Sequence[Any]) -> pd.Series:
        """Return the labels as texts of the files; a missing one stays."""
        return pd.Series([label if label is None else class_text(label) for label in labels])

    @classmethod
    def label_groups(cls, labels: pd.Series) -> pd.Series:
        """Return the classes."""
        return labels.astype(str)

    def described(self, labels: Values) -> str:
        """Return the number of rows of each class."""
        return ", ".join(f"{name}: {count:,}" for name, count in zip(self.names, self._counts(labels), strict=True))

    def _counts(self, labels: Values) -> NDArray[np.int64]:
        return np.bincount(np.asarray(labels, dtype=np.int64), minlength=len(self.names))

    def too_few(self, labels: Values, least: int) -> str | None:
        """Return how many rows of each class there are if one class has fewer than `least`."""
        counts = self._counts(labels)
        if counts.min() >= least:
            return None
        each = ", ".join(f"{count:,} are {name!r}" for name, count in zip(self.names, counts, strict=True))
        return f"{least} rows of each class are needed; of {len(labels):,} rows {each}"

    def splitter(self, folds: int, groups: NDArray[Any] | None) -> BaseCrossValidator:
        """Return folds that are stratified by class."""
        kind = StratifiedKFold if groups is None else StratifiedGroupKFold
        return kind(folds, shuffle=True, random_state=RANDOM_STATE)

    def outputs(self, raw: NDArray[Any]) -> Outputs:
        """Return with two classes the probability of the positive one, shape (n_rows,); else that of each class."""
        return raw[:, 1] if raw.shape[1] == 2 else raw

    def predictions(self, outputs: Outputs) -> Values:
        """Return the class index of each row, shape (n_rows,)."""
        return predictions_of(outputs, self._threshold)

    def texts(self, predictions: Values) -> list[str]:
        """Return the name of each class."""
        return [self.names[prediction] for prediction in predictions]

    def no_rows(self) -> tuple[Outputs, Values]:
        """Return outputs and predictions for no rows."""
        return self.outputs(np.empty((0, len(self.names)))), np.empty(0, dtype=np.int64)

    def metrics(self, labels: Values, outputs: Outputs) -> dict[str, float]:
        """Return the metrics of probabilities, by name, each in [0, 1]; see `metrics.classification_metrics`."""
        return classification_metrics(labels, outputs, self.predictions(outputs))

    def fold_metrics(self, rows: OutOfFold) -> dict[str, list[float]]:
        """Return each metric per fold; with two classes at the threshold with the highest F1 in the other folds.

        A final model has a threshold of its own too, so the default of 0.5 would compare what is never used.
        """
        return self._fold_metrics(rows, self.outputs(rows.raw))

    def _fold_metrics(self, rows: OutOfFold, outputs: Outputs) -> dict[str, list[float]]:
        scores: dict[str, list[float]] = {metric: [] for metric in METRICS[self.name]}
        for others, own in rows.folds:
            task = self._chosen(rows.labels[others], outputs[others])
            for metric, value in task.metrics(rows.labels[own], outputs[own]).items():
                scores[metric].append(value)
        return scores

    def best_score(self, metric: Metric, labels: Values, outputs: Outputs) -> float:
        """Return a metric; with two classes at the threshold with the highest F1 on these rows."""
        return classification_metric(metric, labels, outputs, self._chosen(labels, outputs).predictions(outputs))

    def calibration_metrics(self, labels: Values, outputs: Outputs) -> dict[str, float]:
        """Return Brier score and expected calibration error; see `calibration.calibration_metrics`."""
        return calibration_metrics(labels, outputs)

    def calibrate(self, rows: OutOfFold, *, calibrates: bool) -> Calibration:
        """Choose whether probabilities are calibrated, and with two classes the threshold; see `Task.calibrate`.

        They are calibrated if that lowers the Brier score and costs no F1. With two classes it costs none: the order of
        the rows stays, and the threshold is chosen afterwards. With more it may cost one standard error over the folds
        at most. A fold is calibrated by the scores of the other folds.
        """
        before = self.outputs(rows.raw)
        if calibrates and self._counts(rows.labels).min() >= platt.MIN_ROWS:
            after = self.outputs(platt.cross_calibrated(rows.scores, rows.labels, rows.folds))
            if self._is_better(rows, before, after):
                return Calibration(self._chosen(rows.labels, after), rows.labels, before, after, platt.METHOD)
        return Calibration(self._chosen(rows.labels, before), rows.labels, before, before)

    def _is_better(self, rows: OutOfFold, before: Outputs, after: Outputs) -> bool:
        brier, calibrated_brier = (self.calibration_metrics(rows.labels, one)["brier"] for one in (before, after))
        return calibrated_brier < brier and self._keeps_f1(rows, before, after)

    @abstractmethod
    def _keeps_f1(self, rows: OutOfFold, before: Outputs, after: Outputs) -> bool:
        """Return whether a calibration costs no F1."""

    def with_decision(self, model: BaseEstimator, calibration: Calibration, folds: Folds, jobs: int) -> BaseEstimator:
        """Return the model, inside a `CalibratedClassifierCV` if its probabilities are calibrated."""
        if calibration.method is None:
            return model
        return CalibratedClassifierCV(model, method=calibration.method, cv=folds, ensemble=False, n_jobs=jobs)

    def unskilled(self, labels: Values, outputs: Outputs) -> str | None:
        """Return that F1 is 0 or NaN, or None."""
        score = self.gate_score(labels, outputs)
        return None if score > 0 else f"F1 {score} on the hold-out"

    @classmethod
    def learnable(cls, labels: NDArray[Any]) -> NDArray[np.bool_]:
        """Return which rows can show what predicts the label: those of classes with a row in each fold."""
        _, positions, counts = np.unique(labels, return_inverse=True, return_counts=True)
        is_common = counts >= COLUMN_FOLDS
        usable: NDArray[np.bool_] = is_common[positions] & (is_common.sum() >= 2)
        return usable

    @classmethod
    def column_score(cls, inputs: NDArray[Any], labels: NDArray[Any]) -> float:
        """Return the Matthews correlation of the label with out-of-fold predictions of a decision tree."""
        # Without balanced weights a column scores 0 if no value makes a rare class more likely than the other class.
        options = {"max_leaf_nodes": 64, "min_samples_leaf": 2, "class_weight": "balanced"}
        tree = DecisionTreeClassifier(**options, random_state=RANDOM_STATE)
        folds = StratifiedKFold(COLUMN_FOLDS, shuffle=True, random_state=RANDOM_STATE)
        return float(matthews_corrcoef(labels, cross_val_predict(tree, inputs, labels, cv=folds)))

    def gate_score(self, labels: Values, outputs: Outputs) -> float:
        """Return F1, with more than two classes the mean over them."""
        return f1(labels, outputs, self.predictions(outputs))

    def prediction_score(self, labels: Values, predictions: Values) -> float:
        """Return F1, with more than two classes the mean over them."""
        classes = len(self.names)
        counts = np.bincount(labels * classes + predictions, minlength=classes * classes)
        return float(bootstrap.f1_of_confusions(counts.reshape(classes, classes)))  # scikit-learn takes a millisecond

    def resampled_gains(self, labels: Values, ours: Outputs, theirs: Outputs, other: Task) -> NDArray[Any]:
        """Return how much higher F1 is, per resample; see `bootstrap.resampled_f1_gains`."""
        return bootstrap.resampled_f1_gains(labels, self.predictions(ours), other.predictions(theirs), len(self.names))

    def charts(self, rows: HoldoutOutputs) -> dict[str, "Figure"]:
        """Return the calibration chart; each kind adds its own."""
        reliability = {} if rows.before is None else {"before": rows.before}
        return {"calibration": charts.calibration(rows.labels, reliability | {"model": rows.outputs})}

    def summary(self, metrics: Mapping[str, float]) -> str:
        """Return F1, ROC AUC and calibration error, and with two classes the threshold."""
        text = "F1 {f1:.3f}, ROC AUC {roc_auc:.3f}, calibration error {calibration_error:.3f}".format(**metrics)
        return text if self._threshold is None else f"{text} at threshold {self._threshold:.3f}"

    def facts(self) -> dict[str, Any]:
        """Return the threshold; None with more than two classes."""
        return {"threshold": self._threshold}

    def tags(self) -> dict[str, str]:
        """Return the tags `classes` and, with two of them, `threshold`."""
        tags = {"classes": json.dumps(self.names)}
        return tags if self._threshold is None else tags | {"threshold": repr(self._threshold)}

    def check_estimator(self, estimator: BaseEstimator) -> str | None:
        """Return that the estimator predicts other classes, or None."""
        if list(getattr(estimator, "classes_", ())) == list(range(len(self.names))):
            return None
        return f"the classes of the model are not the {len(self.names)} of the tag 'classes'"
