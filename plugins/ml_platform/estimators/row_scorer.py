"""A fitted pipeline as tables and a few array operations: the results of scikit-learn, without its cost per call.

scikit-learn takes nearly as long for one row as for a thousand; most of that time is spent on checks and copies of
frames. The last digit of a linear model also depends on which rows BLAS gets together. Here a row's output is the
same to the bit in any batch, so a file and a request give the same result.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from threadpoolctl import ThreadpoolController

from ml_platform.estimators.model_parts import calibrated_of, weighted_members
from ml_platform.estimators.row_probabilities import Matrix, Predict, calibrated
from ml_platform.estimators.table import row_outputs_of
from ml_platform.estimators.unseen_missing import UnseenMissingImputer
from ml_platform.estimators.weighted_mean import weighted_mean

log = logging.getLogger(__name__)

Cells = Mapping[str, NDArray[Any]]  # by column name: float64 with NaN, or texts with None or NaN
LARGEST = 1e100  # limit of a scaled number: a linear model still gives a finite sum, and a probability of 0 or 1
SAMPLE_ROWS = 3  # kept to check other results by
UNKNOWN = "\x00"  # stands for an unknown category: no column can hold this text

_THREADS = ThreadpoolController()  # made once: the search for loaded libraries takes milliseconds


@dataclass(frozen=True)
class _Categories:
    """The encoding of one category column.

    Attributes:
        name: of the column.
        positions: the columns of the matrix that it fills.
        values: what it fills them with, by category; None is missing.
    """

    name: str
    positions: NDArray[np.intp]
    values: Mapping[str | None, Matrix]

    def names_of_positions(self) -> list[str]:
        return [self.name] * len(self.positions)

    def fill(self, matrix: Matrix, cells: Cells) -> None:
        unknown = self.values[UNKNOWN]
        texts = cells.get(self.name, [None] * len(matrix))
        # NaN, which does not equal itself, is missing, too.
        matrix[:, self.positions] = [self.values.get(text if text == text else None, unknown) for text in texts]


@dataclass(frozen=True)
class _Numbers:
    """The encoding of all number columns.

    Attributes:
        names: of the columns.
        positions: the columns of the matrix that they fill.
        medians: replace missing numbers, shape (n_columns,); NaN leaves them missing.
        indicators: indices of the columns that get a further column, which is 1 where the number is missing.
        scaler: the fitted `StandardScaler`, or None.
    """

    names: tuple[str, ...]
    positions: NDArray[np.intp]
    medians: Matrix
    indicators: NDArray[np.intp]
    scaler: Any

    def names_of_positions(self) -> list[str]:
        return [*self.names, *(self.names[number] for number in self.indicators)]

    def fill(self, matrix: Matrix, cells: Cells) -> None:
        numbers = np.full((len(matrix), len(self.names)), np.nan)
        for i, name in enumerate(self.names):
            if name in cells:
                numbers[:, i] = cells[name]
        missing = np.isnan(numbers)
        filled = np.hstack([np.where(missing, self.medians, numbers), missing[:, self.indicators]])
        if self.scaler is not None:
            with np.errstate(over="ignore"):
                filled = ((filled - self.scaler.mean_) / self.scaler.scale_).clip(-LARGEST, LARGEST)
        matrix[:, self.positions] = filled


@dataclass(frozen=True)
class _PipelineTables:
    """A fitted pipeline as tables.

    Attributes:
        base: the encoded row whose categories are unknown, shape (1, n_columns).
        sample: a few encoded rows, shape (n_rows, n_columns).
        parts: fill the other cells.
        predict: returns probabilities or numbers for encoded rows.
    """

    base: Matrix
    sample: Matrix
    parts: Sequence[_Categories | _Numbers]
    predict: Predict

    def features_of_columns(self, names: Sequence[str]) -> NDArray[np.intp]:
        """Return for each encoded column the index of its input in `names`, shape (n_columns,)."""
        index = {name: number for number, name in enumerate(names)}
        features = np.zeros(self.base.shape[1], dtype=np.intp)  # a column that no value changes may be of any input
        for part in self.parts:
            features[part.positions] = [index[name] for name in part.names_of_positions()]
        return features

    def matrix(self, cells: Cells, rows: int) -> Matrix:
        """Return the encoded rows, shape (rows, n_columns)."""
        matrix = np.repeat(self.base, rows, axis=0)
        for part in self.parts:
            part.fill(matrix, cells)
        return matrix


class RowScorer:
    """Computes the outputs of rows with a fitted pipeline that `candidates.pipeline` built, or an ensemble of them."""

    def __init__(self, estimator: BaseEstimator, columns: Mapping[str, str]) -> None:
        """Read the tables from the fitted steps, and compare them with scikit-learn on a sample.

        Args:
            estimator: the pipeline, alone or inside of calibrators, threshold or interval.
            columns: name and type of each input, in order; a type is `double` or `string`.
        """
        self._columns, self._estimator = columns, estimator
        parts, members = calibrated_of(estimator), weighted_members(estimator)
        calibrators = parts.calibrators if parts else []
        # The calibrators of a pipeline take its scores, those of an ensemble the mean of the probabilities.
        of_pipeline, self._calibrators = (calibrators, []) if len(members) == 1 else ([], calibrators)
        self._weights = [weight for weight, _ in members]
        tables = [_pipeline_tables(member, columns, of_pipeline) for _, member in members]
        self._tables = [] if None in tables else [one for one in tables if one is not None]
        if not self._tables:
            log.warning("the platform did not build this model: scikit-learn scores it, which is slow for single rows")

    def outputs(self, rows: pd.DataFrame | pa.RecordBatch) -> Matrix:
        """Return the outputs for rows.

        Args:
            rows: shape (n_rows, n_columns), at least one row. Other columns are ignored; the values of an absent column
                are missing.

        Returns:
            With two classes the probability of the positive class, shape (n_rows,); with more, the probability of each
            class, shape (n_rows, n_classes); of a regressor the numbers, shape (n_rows,).
        """
        # On a busy machine more OpenMP threads make boosted trees many times slower.
        with _THREADS.limit(limits=1):
            if self._tables:
                raw = self._calibrated(self.mean_of_members(self.encoded(rows)))
            else:
                frame = rows if isinstance(rows, pd.DataFrame) else rows.to_pandas()
                predict = getattr(self._estimator, "predict_proba", self._estimator.predict)
                raw = predict(sklearn_input(frame, self._columns)).reshape(len(rows), -1)
        return raw if raw.shape[1] > 2 else raw[:, -1]

    @property
    def sample(self) -> Matrix | None:
        """A few encoded rows, shape (n_rows, n_matrix_columns); None if scikit-learn scores."""
        return np.concatenate([one.sample for one in self._tables], axis=1) if self._tables else None

    def features_of_columns(self) -> NDArray[np.intp]:
        """Return for each column of `encoded` the index of the input that it encodes, shape (n_matrix_columns,)."""
        return np.concatenate([one.features_of_columns(list(self._columns)) for one in self._tables])

    def encoded(self, rows: pd.DataFrame | pa.RecordBatch) -> Matrix:
        """Return the inputs of the estimator, those of the members of an ensemble side by side; see `outputs`.

        Returns:
            Shape (n_rows, n_matrix_columns).
        """
        read_cells = _frame_cells if isinstance(rows, pd.DataFrame) else _batch_cells
        cells = read_cells(rows, self._columns)
        return np.concatenate([one.matrix(cells, len(rows)) for one in self._tables], axis=1)

    def mean_of_members(self, matrix: Matrix) -> Matrix:
        """Return what the pipeline predicts, or the weighted mean of several, before the calibrators of an ensemble.

        Args:
            matrix: as `encoded` returns it.
        """
        ends = np.cumsum([one.base.shape[1] for one in self._tables])[:-1]
        inputs = zip(self._tables, np.split(matrix, ends, axis=1), strict=True)
        return weighted_mean(self._weights, [one.predict(np.ascontiguousarray(part)) for one, part in inputs])

    def _calibrated(self, raw: Matrix) -> Matrix:
        if not self._calibrators:
            return raw
        return calibrated(lambda scores: scores, self._calibrators)(raw[:, -len(self._calibrators) :])


def _pipeline_tables(
    pipeline: BaseEstimator, columns: Mapping[str, str], calibrators: Sequence[Any]
) -> _PipelineTables | None:
    """Return a fitted pipeline as tables; None if they would not encode a sample as the pipeline does."""
    if not (isinstance(pipeline, Pipeline) and isinstance(pipeline[0], ColumnTransformer)):
        return None
    sample = _sample(pipeline[0], columns)
    expected = np.asarray(pipeline[0].transform(sample), dtype="float64")
    parts = _parts(pipeline[0], sample)
    predict = row_outputs_of(pipeline[-1], expected, calibrators)
    tables = _PipelineTables(expected[:1], expected[:SAMPLE_ROWS], parts, predict)
    encoded = tables.matrix(_frame_cells(sample, columns), len(sample))
    return tables if parts and np.array_equal(encoded, expected, equal_nan=True) else None


def _frame_cells(frame: pd.DataFrame, columns: Mapping[str, str]) -> Cells:
    present = {name: (frame[name], kind) for name, kind in columns.items() if name in frame}
    return {
        name: series.to_numpy(dtype="float64", na_value=np.nan) if kind == "double" else series.to_numpy(dtype=object)
        for name, (series, kind) in present.items()
    }


def _batch_cells(batch: pa.RecordBatch, columns: Mapping[str, str]) -> Cells:
    """Read the cells of an Arrow batch; for one row this takes a tenth of the time of a frame."""
    present = zip(batch.schema.names, batch.columns, strict=True)
    return {name: _array_cells(array, columns[name]) for name, array in present if name in columns}


def _array_cells(array: pa.Array, kind: str) -> NDArray[Any]:
    if kind == "double" and not (pa.types.is_floating(array.type) or pa.types.is_integer(array.type)):
        return np.array(array.to_pylist(), dtype="float64")  # a boolean
    cells: NDArray[Any] = array.to_numpy(zero_copy_only=False)
    return cells


def sklearn_input(frame: pd.DataFrame, columns: Mapping[str, str]) -> pd.DataFrame:
    """Return a model's inputs as scikit-learn takes them: float64 or texts; NaN is missing in both.

    Args:
        frame: shape (n_rows, n_columns). Other columns are ignored; the values of an absent column are missing.
        columns: name and type of each input, in order; a type is `double` or `string`.
    """
    empty = pd.Series(np.nan, index=frame.index)
    inputs = {name: _sklearn_column(frame.get(name, empty), kind) for name, kind in columns.items()}
    return pd.DataFrame(inputs, index=frame.index)


def _sklearn_column(values: pd.Series, kind: str) -> pd.Series:
    return values.astype("float64") if kind == "double" else values.astype(object).where(values.notna(), np.nan)


def _transformers(transformer: Any) -> dict[str, tuple[Any, list[str]]]:
    return {name: (fitted, list(names)) for name, fitted, names in transformer.transformers_ if name != "remainder"}


def _category_values(transformer: Any) -> dict[str, list[Any]]:
    """Return all different inputs of each category column: its categories, a missing value and an unknown category."""
    if "categories" not in _transformers(transformer):
        return {}
    encoder, names = _transformers(transformer)["categories"]
    return {name: [*known, np.nan, UNKNOWN] for name, known in zip(names, encoder[-1].categories_, strict=True)}


def _sample(transformer: Any, columns: Mapping[str, str], rows: int = 50) -> pd.DataFrame:
    """Draw rows with missing values and all categories; in the first row every category is unknown."""
    random, values = np.random.default_rng(0), _category_values(transformer)
    cells: dict[str, Any] = {}
    for name, kind in columns.items():
        if kind == "double":
            cells[name] = np.where(random.random(rows) < 0.3, np.nan, random.normal(0, 1000, rows))
        else:
            cells[name] = np.array(values.get(name, [np.nan]), dtype=object)[
                random.integers(0, len(values.get(name, [np.nan])), rows)
            ]
            cells[name][0] = UNKNOWN
    return pd.DataFrame(cells)


def _parts(transformer: Any, sample: pd.DataFrame) -> list[_Categories | _Numbers]:
    first = sample.iloc[[0]]
    parts: list[_Categories | _Numbers] = []
    for name, values in _category_values(transformer).items():
        rows = pd.concat([first] * len(values), ignore_index=True)
        rows[name] = np.array(values, dtype=object)
        outputs = np.asarray(transformer.transform(rows), dtype="float64")
        # NaN equals NaN here: it is the code of a missing category for some estimators.
        positions = np.flatnonzero(
            ((outputs != outputs[-1]) & ~(np.isnan(outputs) & np.isnan(outputs[-1]))).any(axis=0)
        )
        keys = (None if value is np.nan else value for value in values)
        parts.append(_Categories(name, positions, dict(zip(keys, outputs[:, positions], strict=True))))
    if "numbers" in _transformers(transformer):
        parts.append(_numbers(transformer))
    return parts


def _numbers(transformer: Any) -> _Numbers:
    fitted, names = _transformers(transformer)["numbers"]
    imputer: SimpleImputer | UnseenMissingImputer = fitted[0] if isinstance(fitted, Pipeline) else fitted
    indicators = imputer.indicator_.features_ if imputer.indicator_ is not None else np.empty(0)
    outputs = transformer.output_indices_["numbers"]
    positions = np.arange(outputs.start, outputs.stop)
    scaler = fitted[1] if isinstance(fitted, Pipeline) else None
    return _Numbers(tuple(names), positions, imputer.statistics_, indicators.astype(np.intp), scaler)
