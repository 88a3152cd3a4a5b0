"""Postgres: the one module that opens connections to it. Values are bound; names are quoted."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import adbc_driver_manager
import pyarrow as pa
from adbc_driver_postgresql import dbapi

from ml_platform.conversion import KINDS
from ml_platform.exceptions import ConfigurationError, PlatformError, ServiceError
from ml_platform.settings import settings
from ml_platform.spec import Dataset

log = logging.getLogger(__name__)

SQL_TYPES = {
    pa.int64(): "bigint",
    pa.float64(): "double precision",
    pa.string(): "text",
    pa.bool_(): "boolean",
    pa.timestamp("us", tz="UTC"): "timestamp with time zone",
}


def identifier(name: str) -> str:
    """Quote a name for use in SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a text for use in SQL, where a value cannot be bound."""
    return "'" + text.replace("'", "''") + "'"


@contextmanager
def transaction() -> Iterator[Any]:
    """Open a connection and yield an ADBC cursor; commit at the end, or roll everything back if anything is raised.

    Raises:
        ServiceError: Postgres cannot be reached or refuses a statement.
    """
    try:
        with dbapi.connect(settings().platform_database_uri.get_secret_value(), autocommit=False) as connection:
            with connection.cursor() as cursor:
                yield cursor
            connection.commit()
    except adbc_driver_manager.Error as error:
        raise ServiceError(f"Postgres: {error}") from error


@contextmanager
def savepoint(cursor: Any) -> Iterator[None]:
    """Undo what is done inside if one of the platform's own errors is raised; the transaction goes on."""
    cursor.execute("SAVEPOINT inner_part")
    try:
        yield
    except PlatformError:
        cursor.execute("ROLLBACK TO SAVEPOINT inner_part")
        raise


def rows(cursor: Any, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """Run a statement with bound values ($1, $2, …) and return all its rows."""
    cursor.execute(statement, values or None)
    found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def fetch(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """Run one statement with bound values in a transaction of its own and return its rows.

    Raises:
        ServiceError: Postgres cannot be reached or refuses it.
    """
    with transaction() as cursor:
        return rows(cursor, statement, *values)


def sql_types(dataset: Dataset) -> dict[str, str]:
    """Return the SQL type of each column of a data set."""
    return {name: SQL_TYPES[KINDS[column.type].arrow] for name, column in dataset.columns.items()}


def feature_columns(dataset: Dataset) -> tuple[str, ...]:
    """Return the columns of `features.<data set>` besides key and bookkeeping; text is kept though no model sees it."""
    elsewhere = {dataset.entity.key, *dataset.label_columns, dataset.event_time, dataset.known_at}
    return tuple(name for name in dataset.columns if name not in elsewhere)


def ensure_tables(dataset: Dataset) -> None:
    """Create the tables `features.<data set>` and `labels.<data set>`, or add the columns that are new in the YAML.

    Raises:
        ConfigurationError: a column's type differs from the table's.
    """
    with transaction() as cursor:
        rows(cursor, "SELECT pg_advisory_xact_lock(hashtext('ml_platform tables'))::text")
        _ensure_table(cursor, dataset, "features", feature_columns(dataset))
        _ensure_table(cursor, dataset, "labels", dataset.label_columns)


def _ensure_table(cursor: Any, dataset: Dataset, schema: str, columns: tuple[str, ...]) -> None:
    types, key = sql_types(dataset), dataset.entity.key
    wanted = {key: types[key]} | {column: types[column] for column in columns}
    there = _columns_there(cursor, schema, dataset.name)
    table = f"{schema}.{identifier(dataset.name)}"
    if not there:
        _create(cursor, table, dataset, wanted)
        return
    for name, kind in wanted.items():
        if name not in there:
            cursor.execute(f"ALTER TABLE {table} ADD COLUMN {identifier(name)} {kind}")
            log.info("%s: the new column %s was added", table, name)
        elif there[name] != kind:
            raise ConfigurationError(
                f"datasets/{dataset.name}.yaml: columns.{name} is now {dataset.columns[name].type} ({kind}), but the "
                f"table {table} holds {there[name]}; give the column a new name, or move the old table away"
            )


def _columns_there(cursor: Any, schema: str, table: str) -> dict[str, str]:
    found = rows(
        cursor,
        "SELECT column_name::text, data_type::text FROM information_schema.columns"
        " WHERE table_schema = $1 AND table_name = $2",
        schema,
        table,
    )
    return dict(found)


def _create(cursor: Any, table: str, dataset: Dataset, columns: dict[str, str]) -> None:
    key = identifier(dataset.entity.key)
    own = ["event_timestamp timestamptz NOT NULL", "created_timestamp timestamptz NOT NULL"]
    own += ["upload_sha256 text NOT NULL", "line bigint NOT NULL"]
    declared = [f"{identifier(name)} {kind}" for name, kind in columns.items()]
    cursor.execute(f"CREATE TABLE {table} ({', '.join([*declared, *own])})")
    cursor.execute(f"ALTER TABLE {table} ALTER COLUMN {key} SET NOT NULL")
    # Unique: two versions with equal clocks would make the point-in-time join choose at random.
    cursor.execute(f"CREATE UNIQUE INDEX ON {table} ({key}, event_timestamp, created_timestamp)")
    log.info("%s: created with %d columns", table, len(columns) + len(own))
