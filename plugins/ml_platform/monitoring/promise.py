"""What the live version promised: its predictions for the hold-out, beside the labels there."""

from collections.abc import Iterable

import pandas as pd
import pyarrow.parquet as pq

from ml_platform.registry.loaded_model import LoadedModel
from ml_platform.storage import object_store
from ml_platform.training.training_set import BUCKET, entity_ids, frozen_key, model_input, typed

TIME = "event_timestamp"


def holdout(model: LoadedModel, columns: Iterable[str] = ()) -> pd.DataFrame | None:
    """Predict the hold-out in the frozen training set of a model; None if that is not here, or has none.

    Args:
        model: a live version.
        columns: further columns of the training set; one that it does not have is left out.

    Returns:
        `label`, `prediction` and the columns, shape (n_rows, n_columns).

    Raises:
        ServiceError: the object store failed.
    """
    stored = object_store.head(BUCKET, frozen_key(model.dataset, model.training_set_sha256))
    if stored is None:
        return None
    parts: list[pd.DataFrame] = []
    with object_store.local_copy(stored) as copy:
        for batch in pq.ParquetFile(copy.file).iter_batches():
            rows = batch.to_pandas()
            is_held_out = model.holdout.mask(entity_ids(model.dataset, rows), pd.to_datetime(rows[TIME], utc=True))
            if is_held_out.any():
                parts.append(_predicted(model, rows[is_held_out], columns))
    return pd.concat(parts, ignore_index=True) if parts else None


def _predicted(model: LoadedModel, rows: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
    _, predictions = model.predict(model_input(model.dataset, rows))
    known = {name: column for name, column in model.dataset.columns.items() if name in columns and name in rows}
    labels = rows[model.dataset.label.column].to_numpy(model.task.label_type)
    return typed(known, rows).assign(label=labels, prediction=predictions)
