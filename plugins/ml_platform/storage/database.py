"""Postgres: connections, transactions and statements. Values are bound; names are quoted."""

import threading
import weakref
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import cache
from typing import Any

import adbc_driver_manager
import adbc_driver_postgresql
from adbc_driver_manager import dbapi
from psycopg_pool import ConnectionPool

from ml_platform.exceptions import PlatformError, ServiceError
from ml_platform.settings import settings


def identifier(name: str) -> str:
    """Quote a name for use in SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quote a text for SQL statements in which a value cannot be bound."""
    return "'" + text.replace("'", "''") + "'"


class _Driver:
    """What the driver reads of a database before it connects: all types and columns. It holds no connection.

    Reading takes ten times as long as connecting, and longer with every table. We need the built-in types only, which
    never change. Two names are private to the driver manager, whose version is locked: its public `adbc_clone` shares a
    database only as long as a connection stays open.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._database = dbapi._SharedDatabase(adbc_driver_postgresql.connect(address))
        weakref.finalize(self, self._database.close).atexit = False

    def connect(self) -> Any:
        """Open a connection without autocommit; closing it leaves the database object to the next one."""
        return dbapi.Connection(self._database, adbc_driver_manager.AdbcConnection(self._database._db))


_drivers = threading.local()  # the driver's objects are not thread-safe


def _connect() -> Any:
    address = settings().platform_database_uri.get_secret_value()
    driver: _Driver | None = getattr(_drivers, "newest", None)
    if driver is None or driver.address != address:
        driver = _drivers.newest = _Driver(address)
    return driver.connect()


class Connection:
    """A connection that is opened at first use and then kept: opening costs more than ten small transactions.

    Not thread-safe. An error closes it, and the next transaction opens a new one.
    """

    def __init__(self) -> None:
        """Create the object; the first transaction opens the connection."""
        self._connection: Any = None

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        """Yield an ADBC cursor; commit at the end, or roll back after an exception.

        Raises:
            ServiceError: Postgres cannot be reached or rejects a statement.
        """
        try:
            with ExitStack() as unless_committed:
                unless_committed.callback(self.close)
                if self._connection is None:
                    self._connection = _connect()
                with self._connection.cursor() as cursor:
                    yield cursor
                self._connection.commit()
                unless_committed.pop_all()
        except adbc_driver_manager.Error as error:
            raise ServiceError(f"Postgres: {error}") from error

    def close(self) -> None:
        """Close the connection if it is open; uncommitted changes are rolled back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


@contextmanager
def transaction() -> Iterator[Any]:
    """Run one transaction on a connection of its own; see `Connection.transaction`."""
    with closing(Connection()) as connection, connection.transaction() as cursor:
        yield cursor


@contextmanager
def savepoint(cursor: Any) -> Iterator[None]:
    """Roll back the block after a PlatformError, and raise it again; the transaction stays usable."""
    cursor.execute("SAVEPOINT inner_part")
    try:
        yield
    except PlatformError:
        cursor.execute("ROLLBACK TO SAVEPOINT inner_part")
        raise


def rows(cursor: Any, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """Run a statement with bound values ($1, $2, …) and return all its rows."""
    cursor.execute(statement, values or None)
    result: list[tuple[Any, ...]] = cursor.fetchall()
    return result


def fetch(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """Run one statement with bound values in its own transaction and return its rows.

    Raises:
        ServiceError: Postgres cannot be reached or rejects it.
    """
    with transaction() as cursor:
        return rows(cursor, statement, *values)


@cache
def pool(address: str) -> ConnectionPool[Any]:
    """Return this process's pool of connections to a database, for frequent small queries.

    A lost connection is replaced before it is used, for example after a restart of Postgres. If no connection is free
    within five seconds, `psycopg_pool.PoolTimeout` is raised, which is a `psycopg.Error`.

    Args:
        address: URI or `key=value` text. It contains the password, so it is a secret.
    """
    check = ConnectionPool.check_connection
    return ConnectionPool(address, min_size=0, max_size=16, timeout=5.0, check=check, open=True)
