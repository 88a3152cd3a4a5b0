"""The rows that features are joined to, in the forms that Feast takes: a query, a frame, or a range of time.

Like the offline store, this imports Feast and Feast's own dependencies, and nothing else.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from feast import RepoConfig
from feast.infra.offline_stores.offline_utils import get_temp_entity_table_name, infer_event_timestamp_from_entity_df
from feast.infra.utils.postgres.connection_utils import _get_conn
from psycopg import Cursor
from psycopg.postgres import types as postgres_types

from ml_platform.feature_store.lateral_join import identifier

READ_ONLY = "SET TRANSACTION READ ONLY"
TIME_TYPES = {postgres_types[name].oid for name in ("timestamp", "timestamptz")}
SQL_TYPES = {
    pa.null(): "text", pa.bool_(): "boolean", pa.string(): "text", pa.large_string(): "text",
    pa.int8(): "smallint", pa.int16(): "smallint", pa.int32(): "integer", pa.int64(): "bigint",
    pa.uint8(): "smallint", pa.uint16(): "integer", pa.uint32(): "bigint", pa.uint64(): "numeric",
    pa.float16(): "real", pa.float32(): "real", pa.float64(): "double precision",
    pa.binary(): "bytea", pa.date32(): "date",
}  # fmt: skip


@contextmanager
def utc_cursor(config: RepoConfig) -> Iterator[Cursor[Any]]:
    """Yield a cursor in a transaction on a connection of its own; times without a zone are UTC there."""
    with _get_conn(config.offline_store) as connection, connection.cursor() as cursor:
        cursor.execute("SET TIME ZONE 'UTC'")
        yield cursor


@dataclass(frozen=True)
class EntityRows:
    """The rows that features are joined to.

    Attributes:
        query: SQL that yields them.
        columns: their names.
        time_column: the one with the time of the join.
        first: the earliest time; None if there are no rows.
        last: the latest time; None if there are no rows.
        frame: the rows, if they must be copied to the temporary table `table` before the query runs.
        table: name of that table.
    """

    query: str
    columns: tuple[str, ...]
    time_column: str
    first: datetime | None
    last: datetime | None
    frame: pa.Table | None = None
    table: str = ""

    @classmethod
    def of_query(cls, query: str, config: RepoConfig) -> "EntityRows":
        """Return the rows of a query.

        Raises:
            EntityTimestampInferenceException: no column is named `event_timestamp`, and not exactly one has times.
            psycopg.Error: Postgres is not available or rejects the query.
        """
        rows = f"FROM (\n{query}\n) AS entity_rows"
        with utc_cursor(config) as cursor:
            cursor.execute(READ_ONLY)
            description = cursor.execute(f"SELECT * {rows} LIMIT 0").description or []
            types = {column.name: "M8[ns]" if column.type_code in TIME_TYPES else "O" for column in description}
            time_column = infer_event_timestamp_from_entity_df({name: np.dtype(kind) for name, kind in types.items()})
            at = identifier(time_column)
            first, last = cursor.execute(f"SELECT min({at}), max({at}) {rows}").fetchone() or (None, None)
        return cls(query, tuple(types), time_column, first, last)

    @classmethod
    def of_frame(cls, frame: pd.DataFrame) -> "EntityRows":
        """Return the rows of a frame, shape (n_rows, n_columns); times without a zone are UTC.

        Raises:
            EntityTimestampInferenceException: no column is named `event_timestamp`, and not exactly one has times.
            ValueError: a column has values that Postgres has no type for.
        """
        time_column = infer_event_timestamp_from_entity_df(dict(zip(frame.columns, frame.dtypes, strict=True)))
        times = pd.to_datetime(frame[time_column], utc=True).dt.floor("us")  # as exact as Postgres; never later
        table = pa.Table.from_pandas(frame.assign(**{time_column: times}), preserve_index=False)
        for field in table.schema:
            _sql_type(field.type, field.name)
        first, last = (None if pd.isna(time) else time.to_pydatetime() for time in (times.min(), times.max()))
        name = get_temp_entity_table_name()
        columns = tuple(table.column_names)
        return cls(f"SELECT * FROM {name}", columns, time_column, first, last, table, name)  # noqa: S608 – a made name

    def copy(self, cursor: "Cursor[Any]") -> None:
        """Copy the frame, if there is one, to its table, which lasts until the end of the transaction."""
        if self.frame is None:
            return
        schema = self.frame.schema
        columns = ", ".join(f"{identifier(field.name)} {_sql_type(field.type, field.name)}" for field in schema)
        cursor.execute(f"CREATE TEMPORARY TABLE {self.table} ({columns}) ON COMMIT DROP")
        with cursor.copy(f"COPY {self.table} FROM STDIN") as copy:
            for batch in self.frame.to_batches(max_chunksize=10_000):
                for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                    copy.write_row(row)
        cursor.execute(f"ANALYZE {self.table}")


def _sql_type(kind: pa.DataType, column: str) -> str:
    if pa.types.is_timestamp(kind):
        return "timestamptz" if kind.tz else "timestamp"
    if pa.types.is_decimal(kind):
        return "numeric"
    if pa.types.is_dictionary(kind):
        return _sql_type(kind.value_type, column)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return f"{_sql_type(kind.value_type, column)}[]"
    if kind not in SQL_TYPES:
        raise ValueError(f"column {column!r} of the entity rows has values of the type {kind}, which is not supported")
    return SQL_TYPES[kind]
