"""Postgres: the one module that opens connections to it. Values are bound; names are quoted."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
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


class Connection:
    """A connection that is opened when it is needed and kept: to open one costs more than ten small transactions do.

    For one thread. After an error it is closed, and the next transaction opens another.
    """

    def __init__(self) -> None:
        """Open nothing yet."""
        self._connection: Any = None

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """Yield an ADBC cursor; commit at the end, or roll everything back if anything is raised.

        Raises:
            ServiceError: Postgres cannot be reached or refuses a statement.
        """
        try:
            with ExitStack() as unless_committed:
                unless_committed.callback(self.close)
                if self._connection is None:
                    address = settings().platform_database_uri.get_secret_value()
                    self._connection = dbapi.connect(address, autocommit=False)
                with self._connection.cursor() as cursor:
                    yield cursor
                self._connection.commit()
                unless_committed.pop_all()
        except adbc_driver_manager.Error as error:
            raise ServiceError(f"Postgres: {error}") from error

    def close(self) -> None:
        """Close it, if it is open; what was not committed is undone."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


@contextmanager
def transaction() -> Iterator[Any]:
    """Open a connection for one transaction, as `Connection.transaction` does."""
    with closing(Connection()) as connection, connection.transaction() as cursor:
        yield cursor


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
