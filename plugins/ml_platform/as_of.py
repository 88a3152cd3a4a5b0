"""The features of other tables for rows that are not in the database: as true, and known, at each row's time."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import pandas as pd
import pyarrow as pa

from ml_platform import features
from ml_platform.database import identifier, literal
from ml_platform.spec import Dataset
from ml_platform.tables import sql_types

ROW = "row__number"  # a name that no column can have


def joined(dataset: Dataset, rows: pa.RecordBatch, uploaded: datetime) -> pd.DataFrame:
    """Return the joined features of rows, one row each in their order; missing where none was known.

    Args:
        dataset: the spec that a model was trained with.
        rows: typed, as `parsing.read_batches` yields them.
        uploaded: the moment that stands in where the data set has no event time.
    """
    found = features.joined_features(dataset, entity_query(dataset, rows, uploaded)).sort_values(ROW)
    return found[[name for name in dataset.features if name in found]]


def entity_query(dataset: Dataset, rows: pa.RecordBatch, uploaded: datetime) -> str:
    """Return the SQL that yields of each row its number, its time and the columns that other tables are joined on."""
    times = rows.column(dataset.event_time).to_pylist() if dataset.event_time else [uploaded] * rows.num_rows
    arrays = {ROW: _sql_array(range(rows.num_rows), "bigint")}
    arrays["event_timestamp"] = _sql_array([time.isoformat() for time in times], "timestamptz")
    for alias, column in dataset.join_columns.items():
        arrays[alias] = _sql_array(rows.column(column).to_pylist(), sql_types(dataset)[column])
    names = ", ".join(identifier(name) for name in arrays)
    return f"SELECT * FROM unnest({', '.join(arrays.values())}) AS scored ({names})"  # noqa: S608 – values are quoted


def _sql_array(values: Iterable[Any], kind: str) -> str:
    quoted = ("NULL" if value is None else literal(str(value)) for value in values)
    return f"ARRAY[{', '.join(quoted)}]::{kind}[]"
