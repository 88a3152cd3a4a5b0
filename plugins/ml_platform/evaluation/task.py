"""A kind of problem: what a model predicts, and how that is measured, compared, shown and written.

Search, gate, charts, registry, scoring and serving ask a task; none of them asks which kind it is. The kinds are
`classification.Binary`, `classification.Multiclass` and `regression.Regression`; `tasks` finds the one of a data set.

A model's outputs are what it computes for rows: probabilities, or numbers. Its predictions are what follows from them:
a class index, or the number. What the step from one to the other needs, such as a threshold, is part of the task. It is
chosen on rows that were not fitted, so a task that was not calibrated yet has none.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.model_selection import BaseCrossValidator

from ml_platform.estimators.row_explainer import Scale
from ml_platform.evaluation.group_measures import Measure
from ml_platform.specs.parts import Label
from ml_platform.specs.spec import Dataset
from ml_platform.specs.tasks import Metric, TaskName

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Values = NDArray[Any]  # labels or predictions: class indices (int64), or numbers (float64); shape (n_rows,)
Outputs = NDArray[Any]  # float64: probabilities, shape (n_rows,) or (n_rows, n_classes); or numbers, shape (n_rows,)
Folds = Sequence[tuple[NDArray[Any], NDArray[Any]]]  # positions of the other rows and of its own, per fold


class Mistakes(NamedTuple):
    """One kind of mistake: which rows can be one, and which are one; masks of shape (n_rows,)."""

    possible: NDArray[np.bool_]
    made: NDArray[np.bool_]


@dataclass(frozen=True)
class OutOfFold:
    """What a candidate gives to rows that it was not fitted on.

    Attributes:
        labels: shape (n_rows,).
        raw: as the estimator returns it: probabilities of shape (n_rows, n_classes), or numbers of shape (n_rows,).
        scores: what can be calibrated, shape (n_rows, n_scores); equal to `raw` where nothing is.
        folds: of the cross-validation.
    """

    labels: Values
    raw: NDArray[Any]
    scores: NDArray[Any]
    folds: Folds


@dataclass(frozen=True)
class Calibration:
    """What was chosen on rows that were not fitted, and the outputs for them before and after.

    Attributes:
        task: with all that the step from outputs to predictions needs, such as a threshold.
        labels: shape (n_rows,).
        before: the outputs of the candidate.
        after: the outputs after they were calibrated; equal to `before` without a method.
        method: as `CalibratedClassifierCV` names it; None if the outputs stay as they are.
    """

    task: "Task"
    labels: Values
    before: Outputs
    after: Outputs
    method: str | None = None

    def metrics(self) -> dict[str, float]:
        """Return the metrics of the calibration, by name; if outputs were calibrated, also those before it."""
        if self.before is self.after:
            return self.task.calibration_metrics(self.labels, self.after)
        before, after = (self.task.calibration_metrics(self.labels, one) for one in (self.before, self.after))
        return after | {f"{name}_uncalibrated": value for name, value in before.items()}


@dataclass(frozen=True)
class HoldoutOutputs:
    """The outputs of a model for the hold-out, as its charts need them.

    Attributes:
        labels: shape (n_rows,).
        outputs: of the model.
        before: without its calibration; None if it has none.
        calibration: what was chosen out of fold.
    """

    labels: Values
    outputs: Outputs
    before: Outputs | None
    calibration: Calibration


@dataclass(frozen=True)
class Task(ABC):
    """One kind of problem, for one data set."""

    name: ClassVar[TaskName]
    estimator_type: ClassVar[Literal["classifier", "regressor"]]
    response: ClassVar[Literal["predict_proba", "predict"]]  # the method of an estimator that gives its outputs
    gate_metric: ClassVar[Metric]
    label_type: ClassVar[Literal["int64", "float64"]]
    output_type: ClassVar[str]  # the MLflow type of a prediction
    event_metric: ClassVar[Metric | None]  # can be estimated from probabilities; None if there are none
    drift_column: ClassVar[Literal["probability", "prediction"]]  # of the prediction log: what is compared over time
    output_title: ClassVar[str]
    importance_title: ClassVar[str]  # of what `importance_score` measures

    @classmethod
    @abstractmethod
    def of(cls, dataset: Dataset, classes: Sequence[str]) -> "Task":
        """Return the task of a data set; see `tasks.task_of`."""

    @abstractmethod
    def as_fitted(self, estimator: BaseEstimator) -> "Task":
        """Return the task with what was chosen at the training of a fitted model."""

    # the labels

    @classmethod
    @abstractmethod
    def encode(cls, label: Label, named: Sequence[Any], labels: pd.Series) -> tuple[list[str], pd.Series]:
        """Return the classes as texts, and each label as a value; missing where it is none that the spec allows.

        Args:
            label: the label's part of the spec.
            named: the values that the spec names, typed.
            labels: of the rows, with the column's type, shape (n_rows,).
        """

    @classmethod
    @abstractmethod
    def readable(cls, labels: Sequence[Any]) -> pd.Series:
        """Return typed labels as a report shows them, shape (n_rows,): the texts of files, or float64."""

    @classmethod
    @abstractmethod
    def label_groups(cls, labels: pd.Series) -> pd.Series:
        """Return the text of the group of each label, so that a report can compare the rows of few groups.

        Args:
            labels: shape (n_rows,), texts or float64; none is missing.
        """

    @property
    @abstractmethod
    def classes(self) -> tuple[str, ...]:
        """The values of the label as in the files, by class index; empty if the label is a number."""

    @abstractmethod
    def described(self, labels: Values) -> str:
        """Return what the labels are, for a log: the rows of each class, or the range of the numbers."""

    @abstractmethod
    def too_few(self, labels: Values, least: int) -> str | None:
        """Return why these labels are too few to measure a model by, or None.

        Args:
            labels: shape (n_rows,).
            least: number of rows, of each class if there are classes.
        """

    @abstractmethod
    def splitter(self, folds: int, groups: NDArray[Any] | None) -> BaseCrossValidator:
        """Return the scikit-learn object that splits rows into folds; rows of one group stay together."""

    # the outputs and the predictions

    @abstractmethod
    def outputs(self, raw: NDArray[Any]) -> Outputs:
        """Return the outputs, from what an estimator's method `response` returns."""

    @abstractmethod
    def predictions(self, outputs: Outputs) -> Values:
        """Return the prediction of each row, shape (n_rows,)."""

    @abstractmethod
    def texts(self, predictions: Values) -> list[str]:
        """Return each prediction as a text that identifies it."""

    def groups(self, values: Values) -> list[str]:
        """Return the text of each label or prediction, coarse enough that equal ones can be counted."""
        return self.texts(values)

    @property
    def output_names(self) -> tuple[str, ...]:
        """A name for each column of the outputs, as the predictions of the hold-out are stored."""
        return ("probability",)

    @abstractmethod
    def no_rows(self) -> tuple[Outputs, Values]:
        """Return outputs and predictions for no rows."""

    # measuring

    @abstractmethod
    def metrics(self, labels: Values, outputs: Outputs) -> dict[str, float]:
        """Return the metrics of outputs, by name; NaN if an output is not finite."""

    @abstractmethod
    def fold_metrics(self, rows: OutOfFold) -> dict[str, list[float]]:
        """Return each metric per fold; what the step to predictions needs is chosen on the other folds."""

    @abstractmethod
    def best_score(self, metric: Metric, labels: Values, outputs: Outputs) -> float:
        """Return a metric, negated if less is better, with the threshold or interval that suits these rows best."""

    @abstractmethod
    def calibration_metrics(self, labels: Values, outputs: Outputs) -> dict[str, float]:
        """Return how far probabilities or intervals can be trusted, by name."""

    @abstractmethod
    def calibrate(self, rows: OutOfFold, *, calibrates: bool) -> Calibration:
        """Choose out of fold what the step from outputs to predictions needs.

        Args:
            rows: of the chosen candidate.
            calibrates: whether the outputs may be calibrated, too.
        """

    @abstractmethod
    def with_decision(self, model: BaseEstimator, calibration: Calibration, folds: Folds, jobs: int) -> BaseEstimator:
        """Return an unfitted estimator with all that the calibration chose, around the unfitted `model`."""

    @abstractmethod
    def unskilled(self, labels: Values, outputs: Outputs) -> str | None:
        """Return why a model with these outputs is no working model, or None."""

    @abstractmethod
    def group_measures(self, labels: Values, outputs: Outputs) -> list[Measure]:
        """Return what is measured for groups of rows, in the order in which people read it.

        Args:
            labels: shape (n_rows,).
            outputs: of the model for these rows; finite.
        """

    @classmethod
    @abstractmethod
    def learnable(cls, labels: NDArray[Any]) -> NDArray[Any]:
        """Return which rows can show how well a column predicts the label: a mask of shape (n_rows,)."""

    @classmethod
    @abstractmethod
    def column_score(cls, inputs: NDArray[Any], labels: NDArray[Any]) -> float:
        """Return how well one column alone predicts the label out of fold: 0 is chance, 1 is always right."""

    @abstractmethod
    def importance_score(self, labels: Values, outputs: Outputs) -> float:
        """Return a metric that needs no decision, more is better: by its loss the features are ranked."""

    # the gate

    @abstractmethod
    def gate_score(self, labels: Values, outputs: Outputs) -> float:
        """Return the metric `gate_metric`; NaN if an output is not finite."""

    @abstractmethod
    def resampled_gains(self, labels: Values, ours: Outputs, theirs: Outputs, other: "Task") -> NDArray[Any]:
        """Return the gain of a model over another per bootstrap resample of the same rows, shape (n_resamples,).

        Args:
            labels: shape (n_rows,).
            ours: outputs of the model.
            theirs: outputs of the other model.
            other: task of the other model, with its own threshold.
        """

    # what was predicted, beside the truth that came later

    @abstractmethod
    def prediction_score(self, labels: Values, predictions: Values) -> float:
        """Return the metric `gate_metric` of predictions alone."""

    @abstractmethod
    def mistakes(self, labels: Values, predictions: Values) -> dict[str, Mistakes]:
        """Return the mistakes, by their kind."""

    @abstractmethod
    def events(self, labels: Values, predictions: Values) -> NDArray[np.bool_]:
        """Return for each row whether what the logged probability is about has happened; see `event_score`."""

    @abstractmethod
    def event_score(self, events: NDArray[np.bool_], predictions: Values) -> float:
        """Return the metric `event_metric`, which needs no more of the labels than whether these events happened."""

    # what people see

    @abstractmethod
    def charts(self, rows: HoldoutOutputs) -> dict[str, "Figure"]:
        """Return the charts of a model on the hold-out, by name."""

    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """Return what was chosen out of fold, by name, as cards and answers show it."""

    @abstractmethod
    def figures(self, labels: Values) -> dict[str, float]:
        """Return what was chosen out of fold, and what the labels of the hold-out are, as metrics of a run."""

    @abstractmethod
    def summary(self, metrics: Mapping[str, float]) -> str:
        """Return the metrics that matter most, in one line."""

    # results

    @abstractmethod
    def result_columns(self, outputs: Outputs, predictions: Values, version: int) -> dict[str, pa.Array]:
        """Return the columns of a result file after the key, in their order; each of shape (n_rows,)."""

    @abstractmethod
    def log_columns(self, outputs: Outputs, predictions: Values) -> dict[str, Any]:
        """Return the columns of the prediction log that depend on the kind, each of shape (n_rows,)."""

    @abstractmethod
    def answers(self, outputs: Outputs, predictions: Values) -> list[dict[str, Any]]:
        """Return each prediction as the answer to an HTTP request has it."""

    # reasons

    @abstractmethod
    def explained_outputs(self, predictions: Values) -> NDArray[np.intp]:
        """Return the index of the output that the reasons of each row explain, shape (n_rows,)."""

    @abstractmethod
    def effect_scale(self, scale: Scale) -> str:
        """Return for people what the effects of features add up to; see `RowExplainer.scale`."""

    # questions to people

    @abstractmethod
    def uncertainty(self, outputs: Outputs) -> NDArray[np.float64]:
        """Return how uncertain the prediction of each row is, from 0 (certain) to 1, shape (n_rows,)."""

    # the registry

    @abstractmethod
    def tags(self) -> dict[str, str]:
        """Return the tags of a model version that say what its predictions are."""

    @abstractmethod
    def check_estimator(self, estimator: BaseEstimator) -> str | None:
        """Return why a fitted estimator cannot be of this task, or None."""
