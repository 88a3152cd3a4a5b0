"""What scored rows are compared with: the rows that the live version was trained on, and its predictions for others."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray

from ml_platform.monitoring.row_sample import RowSample
from ml_platform.monitoring.window import MOST_ROWS, compared_values
from ml_platform.registry.loaded_model import LoadedModel
from ml_platform.storage import object_store
from ml_platform.training.training_set import BUCKET, entity_ids, frozen_key, model_input

MOST_PREDICTIONS = 10_000
TIME = "event_timestamp"


@dataclass(frozen=True)
class Season:
    """A part of the year, or of another period: training rows of earlier periods are compared.

    Attributes:
        length: of the period.
        first: event time from which the rows of now are.
        last: event time up to which they are.
    """

    length: timedelta
    first: datetime
    last: datetime

    def mask(self, times: pd.Series) -> NDArray[np.bool_]:
        """Return which event times (UTC) are from `first` to `last`, one or more periods before; shape (n_rows,)."""
        before = (pd.Timestamp(self.first) - times).dt.total_seconds().to_numpy() / self.length.total_seconds()
        periods = np.maximum(np.ceil(before), 1.0)
        moved = times + pd.to_timedelta(periods * self.length.total_seconds(), unit="s")
        return np.asarray((moved >= self.first) & (moved <= self.last))


@dataclass(frozen=True)
class Reference:
    """Rows of a frozen training set.

    Attributes:
        frame: a sample of the rows that the model was trained on, as `model_input` returns them.
        rows: how many there are.
        predictions: of the model for a sample of the hold-out; None without such rows. For rows that it was trained on
            it is too sure.
    """

    frame: pd.DataFrame
    rows: int
    predictions: pd.Series | None


def reference_rows(model: LoadedModel, season: Season | None = None) -> Reference | None:
    """Read the training set of a model; None if it is not here, or has no rows of this season.

    Raises:
        ServiceError: the object store failed.
    """
    stored = object_store.head(BUCKET, frozen_key(model.dataset, model.training_set_sha256))
    if stored is None:
        return None
    trained = RowSample(MOST_ROWS, model.training_set_sha256)
    held_out = RowSample(MOST_PREDICTIONS, model.training_set_sha256)
    with object_store.local_copy(stored) as copy:
        for batch in pq.ParquetFile(copy.file).iter_batches():
            _add(trained, held_out, model, season, batch.to_pandas())
    frame = trained.frame()
    if frame is None or frame.empty:
        return None
    return Reference(frame, trained.rows_seen, _predictions(model, held_out.frame()))


def _add(
    trained: RowSample, held_out: RowSample, model: LoadedModel, season: Season | None, rows: pd.DataFrame
) -> None:
    times = pd.to_datetime(rows[TIME], utc=True)
    is_held_out = model.holdout.mask(entity_ids(model.dataset, rows), times)
    in_season = season.mask(times) if season else np.ones(len(rows), dtype=bool)
    for sample, chosen in ((trained, ~is_held_out & in_season), (held_out, is_held_out & in_season)):
        inputs = model_input(model.dataset, rows[chosen])
        sample.add(len(inputs), inputs.__getitem__)


def _predictions(model: LoadedModel, rows: pd.DataFrame | None) -> pd.Series | None:
    if rows is None or rows.empty:
        return None
    logged = model.task.log_columns(*model.predict(rows))
    return compared_values(model.task, list(logged[model.task.drift_column]))
