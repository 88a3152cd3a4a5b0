"""A registered model in memory, whatever its alias: what it was trained on, and its predictions."""

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
    """A registered model, loaded after its files were checked.

    Attributes:
        name: of the registered model, which is the data set's.
        version: its number.
        threshold: the probability from which a row counts as positive; None with several classes.
        estimator: the fitted scikit-learn classifier.
        columns: its inputs in order, each with its type, `double` or `string`.
        classes: the label's values as files write them, by class index; of two the negative one first.
        dataset: the spec that it was trained by.
        holdout: which rows it has not been trained on.
        training_set_sha256: content hash of the training set.
        run_id: the MLflow run that made it.
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

    def predict(self, rows: pd.DataFrame | pa.RecordBatch) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Score a batch; a row's probability is the same to the bit whatever rows it comes with.

        Args:
            rows: shape (n_rows, n_columns). Further columns are ignored; one that is not there counts as missing.

        Returns:
            Probabilities and class indices. Of two classes the probability of the positive one, shape (n_rows,), and 1
            where it reaches the threshold, else 0; of several, shape (n_rows, n_classes), and the most probable class.
            The class indices have shape (n_rows,).

        Raises:
            RegistryError: the model was loaded, but cannot score.
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
