"""Postgres: the one module that opens connections to it. Values are bound; names are quoted."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import adbc_driver_manager
from adbc_driver_postgresql import dbapi
from psycopg_pool import ConnectionPool

from ml_platform.exceptions import PlatformError, ServiceError
from ml_platform.settings import settings


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


@cache
def pool(address: str) -> ConnectionPool[Any]:
    """Return this process's pool of connections to a database, for small questions that are asked again and again.

    A connection that was lost, as all are when Postgres restarts, is replaced before it is given out. None given out in
    five seconds is a `psycopg_pool.PoolTimeout`, which is a `psycopg.Error`.

    Args:
        address: URI or `key=value` text with the password in it: a secret.
    """
    check = ConnectionPool.check_connection
    return ConnectionPool(address, min_size=0, max_size=16, timeout=5.0, check=check, open=True)
