"""The point-in-time join for rows that are not in the database, such as those to score."""

from collections.abc import Iterable
from datetime import datetime
from operator import itemgetter
from typing import Any

import pandas as pd
import pyarrow as pa

from ml_platform.feature_store.lateral_join import Lookup, join_query
from ml_platform.settings import settings
from ml_platform.specs.column_types import ARROW_TYPES
from ml_platform.specs.spec import Dataset, FeatureTable, joined_name
from ml_platform.storage.database import identifier, literal, pool
from ml_platform.storage.tables import sql_types

ROW = "row__number"  # no column can have this name


def joined_features(dataset: Dataset, rows: pa.RecordBatch, uploaded: datetime) -> pd.DataFrame:
    """Join to each row the features of other tables that were true and known at its time.

    This does not use Feast's registry: an older model is scored by the spec that it was trained with.

    Args:
        dataset: the spec that the model was trained with.
        rows: typed, as `batches.read_batches` yields them, shape (n_rows, n_columns).
        uploaded: the time of the join if the data set has no event time.

    Returns:
        Shape (n_rows, n_joined_features), in the order of the rows; missing where no value was known.

    Raises:
        psycopg.Error: Postgres is not available, or a table was never loaded.
    """
    lookups = [table_lookup(table) for table in dataset.tables]
    query = join_query(entity_query(dataset, rows, uploaded), [ROW], "event_timestamp", lookups)
    with pool(settings().platform_database_uri.get_secret_value()).connection() as connection:
        joined = sorted(connection.cursor(binary=True).execute(query).fetchall(), key=itemgetter(0))
    names = [name for lookup in lookups for name in lookup.features.values()]
    columns = zip(names, list(zip(*joined, strict=True))[1:], strict=True)
    typed = {name: pa.array(cells, ARROW_TYPES[dataset.features[name].type]) for name, cells in columns}
    frame: pd.DataFrame = pa.RecordBatch.from_pydict(typed).to_pandas()
    return frame


def table_lookup(table: FeatureTable) -> Lookup:
    """Return the lookup of a table that a data set joins; the same as that of the table's view in the offline store."""
    return Lookup(
        source=f"features.{identifier(table.name)}",
        keys={key: joined_name(table.name, key) for key in table.keys},
        features={name: joined_name(table.name, name) for name in table.own_features},
        event="event_timestamp",
        created="created_timestamp",
        ttl=table.time_to_live,
        by_known_time=True,
    )


def entity_query(dataset: Dataset, rows: pa.RecordBatch, uploaded: datetime) -> str:
    """Return the SQL that yields for each row its number, its time and the columns that other tables are joined on."""
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
