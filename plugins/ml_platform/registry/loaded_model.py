"""A registered model in memory: facts about its training, and its predictions."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from ml_platform.estimators.row_scorer import RowScorer
from ml_platform.evaluation.metrics import predictions_of
from ml_platform.exceptions import RegistryError
from ml_platform.specs.holdout import HoldoutRule
from ml_platform.specs.spec import Dataset


@dataclass(frozen=True)
class LoadedModel:
    """A registered model, loaded after a check of its files.

    Attributes:
        name: of the registered model, which is the name of the data set.
        version: number of the model version.
        threshold: rows with at least this probability are positive; None with more than two classes.
        estimator: the fitted scikit-learn classifier.
        columns: name and type of each input, in order; a type is `double` or `string`.
        classes: the values of the label as in the files, by class index; with two classes the negative one is first.
        dataset: the spec at the time of the training.
        holdout: the rule that says which rows it was not trained on.
        training_set_sha256: content hash of the training set.
        run_id: the MLflow run that trained it.
        problem: why it was loaded instead of the version with the alias; None if it is that version.
    """

    name: str
    version: int
    threshold: float | None
    estimator: BaseEstimator
    columns: Mapping[str, str]
    classes: tuple[str, ...]
    dataset: Dataset
    holdout: HoldoutRule
    training_set_sha256: str
    run_id: str
    problem: str | None = None

    def predict(self, rows: pd.DataFrame | pa.RecordBatch) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Score a batch; a row's probability is the same to the bit in any batch.

        Args:
            rows: shape (n_rows, n_columns). Other columns are ignored; the values of an absent column
                are missing.

        Returns:
            Probabilities, and class indices of shape (n_rows,). With two classes the probability of the positive class,
            shape (n_rows,); the index is 1 where it reaches the threshold, else 0. With more classes the probability of
            each, shape (n_rows, n_classes); the index is the most probable class.

        Raises:
            RegistryError: the model cannot score these rows.
        """
        if not len(rows):
            n_classes = len(self.classes)
            return np.empty(0 if n_classes == 2 else (0, n_classes)), np.empty(0, dtype=np.int64)
        try:
            probabilities = self._scorer.probabilities(rows)
        except (ValueError, TypeError, AttributeError, LookupError) as error:
            raise RegistryError(f"{self.name} version {self.version} cannot score: {error}") from error
        return probabilities, predictions_of(probabilities, self.threshold)

    @cached_property
    def _scorer(self) -> RowScorer:
        return RowScorer(self.estimator, self.columns)
