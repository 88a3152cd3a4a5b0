"""The input of a model: typed rows, read by the spec that the model was trained with."""

from datetime import datetime

import pandas as pd
import pyarrow as pa

from ml_platform.specs.spec import Dataset


def reading_spec(trained: Dataset, current: Dataset) -> Dataset:
    """Return the spec to read a model's files by: its own, but columns added to the YAML later are ignored.

    Args:
        trained: the spec that the model was trained with.
        current: the spec in `datasets/*.yaml` now.
    """
    headers = {trained.header(name) for name in trained.columns}
    later = (header for header in map(current.header, current.columns) if header not in headers)
    return trained.model_copy(update={"ignore": (*trained.ignore, *later)})


def model_rows(dataset: Dataset, rows: pa.RecordBatch, uploaded: datetime) -> pd.DataFrame | pa.RecordBatch:
    """Return `model_frame` if the model needs other tables, else the rows unchanged."""
    return model_frame(dataset, rows, uploaded) if dataset.tables else rows


def model_frame(dataset: Dataset, rows: pa.RecordBatch, uploaded: datetime) -> pd.DataFrame:
    """Return rows with the features of other tables, joined as of each row's time.

    Args:
        dataset: the spec that the model was trained with.
        rows: typed, as `batches.read_batches` yields them, shape (n_rows, n_columns).
        uploaded: the time of the join if the data set has no event time.

    Returns:
        Shape (n_rows, n_columns + n_joined_features), in the order of the rows.
    """
    frame: pd.DataFrame = rows.to_pandas()
    if not dataset.tables:
        return frame
    from ml_platform.feature_store import point_in_time  # here, because the import of Feast takes seconds

    return pd.concat([frame, point_in_time.joined_features(dataset, rows, uploaded).set_axis(frame.index)], axis=1)
