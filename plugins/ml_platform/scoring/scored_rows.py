"""Scored rows in memory, for answers over HTTP and in streams: predictions, and what is written of each."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import repeat
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ml_platform.evaluation.task import Outputs, Values
from ml_platform.registry.loaded_model import LoadedModel
from ml_platform.scoring.model_rows import model_rows
from ml_platform.scoring.reasons import Reasons, reasons_of
from ml_platform.scoring.row_identity import identity_fields, identity_values

TOO_LARGE = "a value is so large that the model gives no finite prediction"


@dataclass(frozen=True)
class ScoredRows:
    """Rows, and the predictions of a model for them.

    Attributes:
        model: the model.
        rows: typed, in the order that they were given in, shape (n_rows, n_columns).
        outputs: as `LoadedModel.predict` returns them.
        predictions: as `LoadedModel.predict` returns them, shape (n_rows,).
        reasons: of the predictions, if they were asked for.
    """

    model: LoadedModel
    rows: pa.RecordBatch
    outputs: Outputs
    predictions: Values
    reasons: Reasons | None = None

    @property
    def is_finite(self) -> NDArray[np.bool_]:
        """Whether the outputs of each row are finite numbers, shape (n_rows,); others are no predictions."""
        by_row = self.outputs.reshape(len(self.predictions), -1)
        return np.asarray(np.isfinite(by_row).all(axis=1))

    def by_row(self) -> Iterator[dict[str, Any]]:
        """Yield the answer for each row: its key, and its prediction, see `Task.answers`; and its reasons.

        Without a key, the number of the row, from 1, is in its place.
        """
        dataset = self.model.dataset
        headers = [field.name for field in identity_fields(dataset)]
        keys = zip(*(column.to_pylist() for column in identity_values(dataset, self.rows)), strict=True)
        answers = self.model.task.answers(self.outputs, self.predictions)
        reasons = self.reasons.by_row() if self.reasons else repeat({}, len(answers))
        for key, answer, explained in zip(keys, answers, reasons, strict=True):
            yield {"key": dict(zip(headers, key, strict=True)), **answer, **explained}


def score(model: LoadedModel, rows: pa.RecordBatch, requested: datetime, n_reasons: int = 0) -> ScoredRows:
    """Score typed rows in the same way as the rows of a file.

    Args:
        model: the model.
        rows: typed like the rows of a `test` file, shape (n_rows, n_columns).
        requested: the time of the request; also the time of the join if the data set has no event time.
        n_reasons: per row; 0 if there are none. With reasons, all outputs must be finite.

    Raises:
        RegistryError: the model cannot score, or gives no reasons.
    """
    inputs = model_rows(model.dataset, rows, requested)
    outputs, predictions = model.predict(inputs)
    scored = ScoredRows(model, rows, outputs, predictions)
    if not n_reasons or not scored.is_finite.all():
        return scored
    return ScoredRows(model, rows, outputs, predictions, reasons_of(model, inputs, predictions, n_reasons))
