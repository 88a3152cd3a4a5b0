"""A registered model in memory: facts about its training, and its predictions."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.base import BaseEstimator

from ml_platform.estimators.row_explainer import RowEffects, RowExplainer
from ml_platform.estimators.row_scorer import RowScorer
from ml_platform.evaluation.task import Outputs, Task, Values
from ml_platform.exceptions import RegistryError
from ml_platform.specs.holdout import HoldoutRule
from ml_platform.specs.spec import Dataset


@dataclass(frozen=True)
class LoadedModel:
    """A registered model, loaded after a check of its files.

    Attributes:
        name: of the registered model, which is the name of the data set.
        version: number of the model version.
        task: the kind of problem, with what was chosen at the training, such as a threshold.
        estimator: the fitted scikit-learn model.
        columns: name and type of each input, in order; a type is `double` or `string`.
        dataset: the spec at the time of the training.
        holdout: the rule that says which rows it was not trained on.
        training_set_sha256: content hash of the training set.
        run_id: the MLflow run that trained it.
        card_page: of its model card, for `mlflow_client.page_url`; None if it was trained before there were cards.
        problem: why it was loaded instead of the version with the alias; None if it is that version.
    """

    name: str
    version: int
    task: Task
    estimator: BaseEstimator
    columns: Mapping[str, str]
    dataset: Dataset
    holdout: HoldoutRule
    training_set_sha256: str
    run_id: str
    card_page: str | None = None
    problem: str | None = None

    def predict(self, rows: pd.DataFrame | pa.RecordBatch) -> tuple[Outputs, Values]:
        """Score a batch; a row's outputs are the same to the bit in any batch.

        Args:
            rows: shape (n_rows, n_columns). Other columns are ignored; the values of an absent column
                are missing.

        Returns:
            Outputs and predictions, see `task`: with two classes the probability of the positive class and the class
            index, each of shape (n_rows,); with more the probability of each class, shape (n_rows, n_classes), and the
            class index; numbers twice, shape (n_rows,).

        Raises:
            RegistryError: the model cannot score these rows.
        """
        if not len(rows):
            return self.task.no_rows()
        try:
            outputs = self._scorer.outputs(rows)
        except (ValueError, TypeError, AttributeError, LookupError) as error:
            raise RegistryError(f"{self.name} version {self.version} cannot score: {error}") from error
        return outputs, self.task.predictions(outputs)

    def explain(self, rows: pd.DataFrame | pa.RecordBatch, predictions: Values) -> RowEffects:
        """Explain the predictions of a batch; a row's effects are the same to the bit in any batch.

        Args:
            rows: as `predict` takes them.
            predictions: as `predict` returns them for these rows.

        Returns:
            Base and effects of the features, in the order of `columns`; for their scale see `explainer`.

        Raises:
            RegistryError: the model gives no reasons.
        """
        if not len(rows):
            return RowEffects(np.empty(0), np.empty((0, len(self.columns))))
        found = self.explainer.explain(rows, self.task.explained_outputs(predictions))
        if not (np.isfinite(found.effects).all() and np.isfinite(found.base).all()):
            raise RegistryError(f"{self.name} version {self.version} gives effects that are not finite numbers")
        return found

    @cached_property
    def explainer(self) -> RowExplainer:
        """What explains its predictions; made at first use.

        Raises:
            RegistryError: the model gives no reasons.
        """
        try:
            return RowExplainer(self.estimator, self._scorer, self.columns)
        except (ValueError, TypeError, AttributeError, LookupError) as error:
            raise RegistryError(f"{self.name} version {self.version} gives no reasons: {error}") from error

    @cached_property
    def _scorer(self) -> RowScorer:
        return RowScorer(self.estimator, self.columns)
