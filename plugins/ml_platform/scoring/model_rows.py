"""Typed rows as a model takes them, read by the spec that it was trained with."""

from datetime import datetime

import pandas as pd
import pyarrow as pa

from ml_platform.specs.spec import Dataset


def reading_spec(trained: Dataset, current: Dataset) -> Dataset:
    """Return the spec that a model's files are read by: its own; columns that came later are no extra columns."""
    known = {trained.header(name) for name in trained.columns}
    later = (header for header in map(current.header, current.columns) if header not in known)
    return trained.model_copy(update={"ignore": (*trained.ignore, *later)})


def model_rows(dataset: Dataset, rows: pa.RecordBatch, uploaded: datetime) -> pd.DataFrame | pa.RecordBatch:
    """Return what `model_frame` does, but rows that need no other table as they are."""
    return model_frame(dataset, rows, uploaded) if dataset.tables else rows


def model_frame(dataset: Dataset, rows: pa.RecordBatch, uploaded: datetime) -> pd.DataFrame:
    """Return rows of a file as a model takes them, with the features of other tables as of each row's time.

    Args:
        dataset: the spec that the model was trained with.
        rows: typed, as `parsing.read_batches` yields them.
        uploaded: the moment that stands in where the data set has no event time.
    """
    frame: pd.DataFrame = rows.to_pandas()
    if not dataset.tables:
        return frame
    from ml_platform.feature_store import point_in_time  # here, for it brings Feast, whose import takes seconds

    return pd.concat([frame, point_in_time.joined_features(dataset, rows, uploaded).set_axis(frame.index)], axis=1)
