"""Why a fitted model gives a row its output: a base value, and the effect of each feature, which add up to the output.

The scale is the one on which the model adds: margins for linear models and boosted trees, probabilities for forests,
networks and ensembles, numbers for regressors. Platt's calibration is a straight line on the scale of log odds, so
calibrated outputs are explained as log odds. The columns that encode one feature count as one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.base import BaseEstimator, is_classifier
from threadpoolctl import ThreadpoolController

from ml_platform.estimators.feature_effects import Effects, Encoding, sampled
from ml_platform.estimators.model_parts import calibrated_of, uncalibrated, weighted_members
from ml_platform.estimators.reference_row import reference_of
from ml_platform.estimators.row_probabilities import Predict, Response
from ml_platform.estimators.row_scorer import RowScorer
from ml_platform.estimators.sklearn_internals import sigmoid_of
from ml_platform.estimators.table import estimator_kind
from ml_platform.estimators.tree_shapley import Integers, Matrix
from ml_platform.estimators.weighted_mean import WeightedMean

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
        with _THREADS.limit(limits=1):
            self._read(estimator, sample, len(columns))

    def _read(self, estimator: BaseEstimator, sample: Matrix, n_features: int) -> None:
        model, predict, effects = _parts(estimator, self._scorer, sample)
        raw, calibrated = predict(sample), calibrated_of(estimator)
        self.scale, weights, offsets = _explained(model, raw.shape[1], calibrated.calibrators if calibrated else ())
        encoding = Encoding(self._scorer.features_of_columns(), n_features, _reference(estimator))
        self._effects = effects(encoding, weights)
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


@dataclass(frozen=True)
class _Mean:
    """An ensemble as an estimator of the encoded rows of all its members, side by side."""

    predict: Predict


def _parts(
    estimator: BaseEstimator, scorer: RowScorer, sample: Matrix
) -> tuple[Any, Predict, Callable[[Encoding, Matrix], Effects]]:
    """Return the model below the encoding, what predicts its raw outputs, and what makes its effects.

    Trees of an ensemble add up on other scales than the ensemble, so its effects are estimated as a whole.

    Raises:
        ValueError: the model cannot be explained.
    """
    inner = uncalibrated(estimator)
    if isinstance(inner, WeightedMean):
        return inner, scorer.mean_of_members, partial(sampled, _Mean(scorer.mean_of_members))
    model, kind = inner[-1], estimator_kind(inner[-1])
    if kind is None or kind.effects is None:
        raise ValueError(f"{type(model).__name__} cannot be explained")
    return model, kind.predict_rows(model, sample, _response(model)), partial(kind.effects, model)


def _reference(estimator: BaseEstimator) -> Matrix | None:
    references = [reference_of(pipeline[0]) for _, pipeline in weighted_members(estimator)]
    known = [reference for reference in references if reference is not None]
    return np.concatenate(known) if len(known) == len(references) else None


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
