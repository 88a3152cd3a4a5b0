"""A fitted pipeline as tables and a few array operations: scikit-learn's own answer, without its cost per call.

Through scikit-learn one row costs nearly as much as a thousand: most of it is checking and copying frames. And a
linear model's last digit depends on which rows BLAS gets at a time. Here a row's probability is the same to the bit
whatever rows it comes with, so that a file and a request agree.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import TunedThresholdClassifierCV
from sklearn.pipeline import Pipeline
from threadpoolctl import ThreadpoolController

from ml_platform.estimators.row_probabilities import Matrix
from ml_platform.estimators.table import row_probabilities_of

log = logging.getLogger(__name__)

Cells = Mapping[str, NDArray[Any]]  # the columns that are there: float64 with NaN, or texts with None or NaN
LARGEST = 1e100  # of a scaled number: what linear models make of such is finite, and as sure as can be
UNKNOWN = "\x00"  # a text that no column can hold

_THREADS = ThreadpoolController()  # once: to look for the loaded libraries takes milliseconds


@dataclass(frozen=True)
class _Categories:
    """What one category column becomes: `values` by category (None is missing), in the columns `places`."""

    name: str
    places: NDArray[np.intp]
    values: Mapping[str | None, Matrix]

    def fill(self, matrix: Matrix, cells: Cells) -> None:
        unknown = self.values[UNKNOWN]
        texts = cells.get(self.name, [None] * len(matrix))
        found = [self.values.get(text if text == text else None, unknown) for text in texts]  # NaN is missing, too
        matrix[:, self.places] = found


@dataclass(frozen=True)
class _Numbers:
    """What the number columns become: missing ones filled, a mark for each of `marked`, and all of it scaled."""

    names: tuple[str, ...]
    places: NDArray[np.intp]
    medians: Matrix
    marked: NDArray[np.intp]
    scaler: Any

    def fill(self, matrix: Matrix, cells: Cells) -> None:
        numbers = np.full((len(matrix), len(self.names)), np.nan)
        for i, name in enumerate(self.names):
            if name in cells:
                numbers[:, i] = cells[name]
        missing = np.isnan(numbers)
        filled = np.hstack([np.where(missing, self.medians, numbers), missing[:, self.marked]])
        if self.scaler is not None:
            with np.errstate(over="ignore"):
                filled = ((filled - self.scaler.mean_) / self.scaler.scale_).clip(-LARGEST, LARGEST)
        matrix[:, self.places] = filled


class RowScorer:
    """Gives the probabilities of a fitted classifier that `candidates.pipeline` built."""

    def __init__(self, estimator: BaseEstimator, columns: Mapping[str, str]) -> None:
        """Read the tables out of the fitted steps, and try them against scikit-learn.

        Args:
            estimator: the pipeline, or a `TunedThresholdClassifierCV` of it.
            columns: its inputs in order, each with its type, `double` or `string`.
        """
        self._columns, self._estimator = columns, estimator
        self._parts: list[_Categories | _Numbers] = []
        pipeline = estimator.estimator_ if isinstance(estimator, TunedThresholdClassifierCV) else estimator
        if isinstance(pipeline, Pipeline) and isinstance(pipeline[0], ColumnTransformer):
            self._read(pipeline)
        if not self._parts:
            log.warning("a model that is not built as the platform's are: scikit-learn scores it, single rows slowly")

    def _read(self, pipeline: Pipeline) -> None:
        sample = _sample(pipeline[0], self._columns)
        expected = np.asarray(pipeline[0].transform(sample), dtype="float64")
        self._ask = row_probabilities_of(pipeline[-1], expected)
        self._base = expected[:1]
        self._parts = _parts(pipeline[0], sample)
        if not np.array_equal(self._matrix(sample), expected):
            self._parts = []

    def probabilities(self, rows: pd.DataFrame | pa.RecordBatch) -> Matrix:
        """Return what the classifier says of rows, at least one.

        Args:
            rows: shape (n_rows, n_columns). Further columns are ignored; one that is not there counts as missing.

        Returns:
            Of two classes the probability of the positive one, shape (n_rows,); of several, (n_rows, n_classes).
        """
        # On a busy machine more OpenMP threads make boosted trees many times slower, not faster.
        with _THREADS.limit(limits=1):
            if self._parts:
                found = self._ask(self._matrix(rows))
            else:
                frame = rows if isinstance(rows, pd.DataFrame) else rows.to_pandas()
                found = self._estimator.predict_proba(typed(frame, self._columns))
        return found[:, 1] if found.shape[1] == 2 else found

    def _matrix(self, rows: pd.DataFrame | pa.RecordBatch) -> Matrix:
        matrix = np.repeat(self._base, len(rows), axis=0)
        read = _of_frame if isinstance(rows, pd.DataFrame) else _of_batch
        cells = read(rows, self._columns)
        for part in self._parts:
            part.fill(matrix, cells)
        return matrix


def _of_frame(frame: pd.DataFrame, columns: Mapping[str, str]) -> Cells:
    there = {name: (frame[name], kind) for name, kind in columns.items() if name in frame}
    return {
        name: series.to_numpy(dtype="float64", na_value=np.nan) if kind == "double" else series.to_numpy(dtype=object)
        for name, (series, kind) in there.items()
    }


def _of_batch(batch: pa.RecordBatch, columns: Mapping[str, str]) -> Cells:
    """Read Arrow's columns, which takes a tenth of the time that a frame of one row does."""
    there = zip(batch.schema.names, batch.columns, strict=True)
    return {name: _of_array(array, columns[name]) for name, array in there if name in columns}


def _of_array(array: pa.Array, kind: str) -> NDArray[Any]:
    if kind == "double" and not (pa.types.is_floating(array.type) or pa.types.is_integer(array.type)):
        return np.array(array.to_pylist(), dtype="float64")  # a boolean
    cells: NDArray[Any] = array.to_numpy(zero_copy_only=False)
    return cells


def typed(frame: pd.DataFrame, columns: Mapping[str, str]) -> pd.DataFrame:
    """Return a model's inputs as scikit-learn takes them: float64, or texts with NaN for what is missing."""
    nothing = pd.Series(np.nan, index=frame.index)
    inputs = {name: _typed(frame.get(name, nothing), kind) for name, kind in columns.items()}
    return pd.DataFrame(inputs, index=frame.index)


def _typed(values: pd.Series, kind: str) -> pd.Series:
    return values.astype("float64") if kind == "double" else values.astype(object).where(values.notna(), np.nan)


def _fitted(transformer: Any) -> dict[str, tuple[Any, list[str]]]:
    return {name: (fitted, list(names)) for name, fitted, names in transformer.transformers_ if name != "remainder"}


def _known(transformer: Any) -> dict[str, list[Any]]:
    """Return per category column everything that it can say: its categories, nothing, and what was never seen."""
    if "categories" not in _fitted(transformer):
        return {}
    encoder, names = _fitted(transformer)["categories"]
    return {name: [*known, np.nan, UNKNOWN] for name, known in zip(names, encoder[-1].categories_, strict=True)}


def _sample(transformer: Any, columns: Mapping[str, str], rows: int = 50) -> pd.DataFrame:
    """Draw rows of every kind; the first knows nothing of any column."""
    random, known = np.random.default_rng(0), _known(transformer)
    cells: dict[str, Any] = {}
    for name, kind in columns.items():
        if kind == "double":
            cells[name] = np.where(random.random(rows) < 0.3, np.nan, random.normal(0, 1000, rows))
        else:
            cells[name] = np.array(known.get(name, [np.nan]), dtype=object)[
                random.integers(0, len(known.get(name, [np.nan])), rows)
            ]
            cells[name][0] = UNKNOWN
    return pd.DataFrame(cells)


def _parts(transformer: Any, sample: pd.DataFrame) -> list[_Categories | _Numbers]:
    first = sample.iloc[[0]]
    parts: list[_Categories | _Numbers] = []
    for name, known in _known(transformer).items():
        tried = pd.concat([first] * len(known), ignore_index=True)
        tried[name] = np.array(known, dtype=object)
        said = np.asarray(transformer.transform(tried), dtype="float64")
        places = np.flatnonzero((said != said[-1]).any(axis=0))
        keys = (None if value is np.nan else value for value in known)
        parts.append(_Categories(name, places, dict(zip(keys, said[:, places], strict=True))))
    if "numbers" in _fitted(transformer):
        parts.append(_numbers(transformer))
    return parts


def _numbers(transformer: Any) -> _Numbers:
    fitted, names = _fitted(transformer)["numbers"]
    imputer: SimpleImputer = fitted[0] if isinstance(fitted, Pipeline) else fitted
    marked = imputer.indicator_.features_ if imputer.indicator_ is not None else np.empty(0)
    where = transformer.output_indices_["numbers"]
    places = np.arange(where.start, where.stop)
    scaler = fitted[1] if isinstance(fitted, Pipeline) else None
    return _Numbers(tuple(names), places, imputer.statistics_, marked.astype(np.intp), scaler)
