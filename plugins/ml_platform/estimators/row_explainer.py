"""Why a fitted model gives a row its output: a base value, and the effect of each feature, which add up to the output.

The scale is the one on which the model adds: margins for linear models and boosted trees, probabilities for forests and
networks, numbers for regressors. Platt's calibration is a straight line on the scale of log odds, so calibrated outputs
are explained as log odds. The columns that encode one feature count as one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.base import BaseEstimator, is_classifier
from threadpoolctl import ThreadpoolController

from ml_platform.estimators.feature_effects import Encoding
from ml_platform.estimators.model_parts import calibrated_of, uncalibrated
from ml_platform.estimators.reference_row import reference_of
from ml_platform.estimators.row_probabilities import Response
from ml_platform.estimators.row_scorer import RowScorer
from ml_platform.estimators.sklearn_internals import sigmoid_of
from ml_platform.estimators.table import estimator_kind
from ml_platform.estimators.tree_shapley import Integers, Matrix

Scale = Literal["margin", "calibrated", "probability", "number", "logarithm"]
BLOCK_ROWS = 256  # bounds the memory: a library's effects are of each class and column
TOLERANCE = 1e-4  # of all effects together: xgboost adds in float32

_THREADS = ThreadpoolController()


@dataclass(frozen=True)
class RowEffects:
    """Effects on one output of each row; base and effects add up to it.

    Attributes:
        base: the output if nothing is known about the row, shape (n_rows,).
        effects: of each feature, shape (n_rows, n_features).
    """

    base: Matrix
    effects: Matrix


class RowExplainer:
    """Explains the outputs of a `RowScorer`.

    Attributes:
        scale: of the outputs that are explained.
        base: of each output, shape (n_outputs,).
    """

    scale: Scale

    def __init__(self, estimator: BaseEstimator, scorer: RowScorer, columns: Mapping[str, str]) -> None:
        """Read what is needed from the fitted steps, and check on a few rows that the effects add up to the outputs.

        Args:
            estimator: the pipeline, alone or inside of calibrators, threshold or interval.
            scorer: of the same estimator.
            columns: name and type of each input, in order; a type is `double` or `string`.

        Raises:
            ValueError: the model gives no reasons; the text says why.
        """
        self._scorer, sample = scorer, scorer.sample
        if sample is None:
            raise ValueError("the platform did not build this model")
        pipeline, calibrated = uncalibrated(estimator), calibrated_of(estimator)
        model, kind = pipeline[-1], estimator_kind(pipeline[-1])
        if kind is None or kind.effects is None:
            raise ValueError(f"{type(model).__name__} cannot be explained")
        raw = kind.predict_rows(model, sample, _response(model))(sample)
        self.scale, weights, offsets = _explained(model, raw.shape[1], calibrated.calibrators if calibrated else ())
        encoding = Encoding(scorer.features_of_columns(), len(columns), reference_of(pipeline[0]))
        self._effects = kind.effects(model, encoding, weights)
        self.base: Matrix = self._effects.base + offsets
        self._check(sample, (np.log(raw) if self.scale == "logarithm" else raw) @ weights + offsets)

    def _check(self, sample: Matrix, expected: Matrix) -> None:
        for output in range(expected.shape[1]):
            effects = self._effects.of_rows(sample, np.full(len(sample), output))
            missed = np.abs(self.base[output] + effects.sum(axis=1) - expected[:, output])
            largest = np.abs(effects).sum(axis=1) + np.abs(self.base[output])
            if not (missed <= TOLERANCE * largest).all():
                raise ValueError("its effects do not add up to its output")

    def explain(self, rows: pd.DataFrame | pa.RecordBatch, outputs: Integers) -> RowEffects:
        """Return the effects for rows; those of a row are the same to the bit in any batch.

        Args:
            rows: as `RowScorer.outputs` takes them, shape (n_rows, n_columns).
            outputs: index of the explained output of each row, shape (n_rows,).
        """
        with _THREADS.limit(limits=1):
            matrix = self._scorer.encoded(rows)
            blocks = (slice(start, start + BLOCK_ROWS) for start in range(0, len(matrix), BLOCK_ROWS))
            effects = [self._effects.of_rows(matrix[block], outputs[block]) for block in blocks]
        return RowEffects(self.base[outputs], np.concatenate(effects) + 0.0)  # without -0.0


def _response(model: Any) -> Response:
    """Return the method whose results a model adds up, and that calibrators take."""
    if not is_classifier(model):
        return "predict"
    return "decision_function" if hasattr(model, "decision_function") else "predict_proba"


def _explained(model: Any, n_raw: int, calibrators: Sequence[Any]) -> tuple[Scale, Matrix, Matrix]:
    """Return the scale, the weights of the raw outputs, shape (n_raw, n_outputs), and what is added to their sums.

    With two classes the output is that of the positive one. With more, margins only mean something beside each other,
    so the mean over the classes is subtracted: what is left is the same for all margins with the same probabilities.
    """
    response, weights = _response(model), np.eye(n_raw)
    if response == "predict_proba" and n_raw == 2:
        weights = weights[:, 1:]
    if calibrators:
        slopes, intercepts = np.array([sigmoid_of(calibrator) for calibrator in calibrators]).T
        return "calibrated", weights * slopes, intercepts
    nothing = np.zeros(weights.shape[1])
    if response == "decision_function":
        return "margin", weights - 1 / n_raw if n_raw > 1 else weights, nothing
    if response == "predict_proba":
        return "probability", weights, nothing
    # These losses of histogram gradient boosting add up the logarithm of the number.
    is_logarithm = getattr(model, "loss", "") in ("gamma", "poisson")
    return "logarithm" if is_logarithm else "number", weights, nothing
