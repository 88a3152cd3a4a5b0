"""Locks in Postgres: of a transaction, and of a model's aliases."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg2

from ml_platform.settings import settings
from ml_platform.storage.database import rows

TIMEOUT = "15min"


def lock(cursor: Any, name: str, *, shared: bool = False) -> None:
    """Wait for the lock of this name, and hold it until the cursor's transaction ends; several may share it."""
    function = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
    rows(cursor, f"SELECT {function}(hashtext($1::text))::text", name)


@contextmanager
def promotion_lock(name: str) -> Iterator[Callable[[], None]]:
    """Hold the lock of a model's aliases inside the block.

    MLflow's aliases have no compare-and-swap, so a Postgres advisory lock serialises all processes that change them. It
    lives as long as its connection: when a process dies, its lock is released.

    Yields:
        A function that raises psycopg2.OperationalError if the connection, and so the lock, was lost.

    Raises:
        psycopg2.Error: Postgres cannot be reached, or another process held the lock for longer than `TIMEOUT`.
    """
    with closing(psycopg2.connect(settings().platform_database_uri.get_secret_value())) as connection:
        connection.autocommit = True
        _execute(connection, "SELECT set_config('lock_timeout', %s, false)", TIMEOUT)
        _execute(connection, "SELECT pg_advisory_lock(hashtext(%s))", f"promote:{name}")
        yield lambda: _execute(connection, "SELECT 1")


def _execute(connection: Any, query: str, *values: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
