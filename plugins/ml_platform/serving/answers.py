"""A request's rows become predictions: by the parser of files, the checks of files, and the model that scores files."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ml_platform import scoring
from ml_platform.exceptions import ContractError
from ml_platform.files.json_rows import ListRows, decoded
from ml_platform.parsing.batches import BadValue, typed_batches
from ml_platform.parsing.layout import columns_of
from ml_platform.registry import ChampionModel
from ml_platform.serving.settings import MOST_ROWS
from ml_platform.spec import Dataset

REQUEST = "the request"
TOO_LARGE = "a value is so large that the model gives no probability"


class BadRequestError(ContractError):
    """A request that breaks the contract: what is wrong with it, and with which of its rows."""

    def __init__(self, problem: str, bad: tuple[BadValue, ...] = ()) -> None:
        """Say what is wrong; `line` of a bad value is the number of the row, from 1."""
        super().__init__(problem)
        self.bad = bad


@dataclass(frozen=True)
class Scored:
    """What a model said of rows.

    Attributes:
        model: that said it.
        rows: typed, in the order of the request.
        probabilities: as `ChampionModel.predict` returns them.
        predictions: class indices, shape (n_rows,).
    """

    model: ChampionModel
    rows: pa.RecordBatch
    probabilities: NDArray[np.float64]
    predictions: NDArray[np.int64]

    def each(self) -> Iterator[tuple[dict[str, Any], float, str, dict[str, float] | None]]:
        """Yield of each row its key, the probability, the predicted class and, of several classes, that of each.

        As in a result file the probability is that of the positive class, of several classes that of the predicted one.
        """
        dataset, classes = self.model.dataset, self.model.classes
        keys = [self.rows.column(key).to_pylist() for key in dataset.keys]
        headers = [dataset.header(key) for key in dataset.keys]
        values = self.probabilities.tolist()
        for i, (prediction, *key) in enumerate(zip(self.predictions.tolist(), *keys, strict=True)):
            each = None if self.model.threshold is not None else dict(zip(classes, values[i], strict=True))
            probability = values[i] if each is None else values[i][prediction]
            yield dict(zip(headers, key, strict=True)), probability, classes[prediction], each


def rows_of(body: bytes) -> list[Any]:
    """Return the rows of a request's body, `{"rows": [{...}, ...]}`, numbers as the texts that stand there.

    Raises:
        BadRequestError: it is no such JSON, or has no rows or too many.
    """
    try:
        said = decoded(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise BadRequestError(f"{REQUEST}: not valid UTF-8 at byte {error.start + 1}") from None
    except ValueError as error:
        raise BadRequestError(f"{REQUEST}: {error}") from None
    if not isinstance(said, dict) or set(said) != {"rows"} or not isinstance(said["rows"], list):
        raise BadRequestError(f'{REQUEST}: not of the form {{"rows": [{{...}}, ...]}}')
    rows: list[Any] = said["rows"]
    if not 1 <= len(rows) <= MOST_ROWS:
        raise BadRequestError(f"{REQUEST}: has {len(rows):,} rows; allowed are 1 to {MOST_ROWS:,}")
    return rows


def typed_rows(dataset: Dataset, rows: list[Any]) -> pa.RecordBatch:
    """Type rows as those of a `test` file are.

    Args:
        dataset: the spec that the model was trained by.
        rows: as `rows_of` returns them.

    Raises:
        BadRequestError: a row is bad (all of them are named), or the rows lack a column.
    """
    wanted = [dataset.header(column) for column in columns_of(dataset, "test")]
    try:
        batches = list(typed_batches(ListRows(rows, REQUEST, wanted), dataset, "test"))
    except ContractError as error:
        raise BadRequestError(str(error)) from None
    if bad := tuple(value for batch in batches for value in batch.bad):
        raise BadRequestError(f"{REQUEST}: {len({b.line for b in bad}):,} of {len(rows):,} rows are bad", bad)
    return pa.Table.from_batches([batch.rows for batch in batches]).combine_chunks().to_batches()[0]


def scored(model: ChampionModel, rows: pa.RecordBatch, requested: datetime) -> Scored:
    """Score typed rows, as `scoring` does with those of a file.

    Args:
        model: that answers.
        rows: as `typed_rows` returns them.
        requested: the moment that stands in where the data set has no event time.

    Raises:
        BadRequestError: a row has no probability.
        RegistryError: the model cannot score.
    """
    probabilities, predictions = model.predict(scoring.model_frame(model.dataset, rows, requested))
    finite = np.isfinite(probabilities.reshape(len(predictions), -1)).all(axis=1)
    if not finite.all():
        bad = tuple(BadValue(int(row) + 1, "", "", TOO_LARGE) for row in np.flatnonzero(~finite))
        raise BadRequestError(f"{REQUEST}: {len(bad):,} of {len(predictions):,} rows are bad", bad)
    return Scored(model, rows, probabilities, predictions)
