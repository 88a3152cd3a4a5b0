"""Databases of others to read from: one of Postgres, a MariaDB of its own, and a file of SQLite."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from ml_platform.sources.connection import SourceConnection
from stack.config import Config
from tests.conftest import is_free

START_SECONDS = 300


@dataclass(frozen=True)
class Foreign:
    """A database that belongs to others: how they write to it, and how a source reads it."""

    owner: sa.Engine
    connection: SourceConnection

    def run(self, *statements: str) -> None:
        with self.owner.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def insert(self, table: str, rows: list[dict[str, Any]]) -> None:
        columns = [sa.column(name) for name in rows[0]]
        with self.owner.begin() as connection:
            connection.execute(sa.insert(sa.table(table, *columns)), rows)

    def connected_as(self, **changes: Any) -> SourceConnection:
        return SourceConnection(**{**vars(self.connection), **changes})


@contextmanager
def postgres_database(config: Config) -> Iterator[Foreign]:
    """Make a database of its own."""
    name = f"shop_{uuid4().hex[:8]}"
    admin = sa.create_engine(config.database_uri("postgres", driver="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    owner = sa.create_engine(config.database_uri("postgres", name, driver="postgresql+psycopg"))
    fields = SourceConnection(
        "warehouse",
        "postgres",
        "127.0.0.1",
        config.postgres_port,
        "postgres",
        config.postgres_superuser_password,
        name,
    )
    try:
        yield Foreign(owner, fields)
    finally:
        owner.dispose()
        with admin.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        admin.dispose()


@contextmanager
def sqlite_file(folder: Path) -> Iterator[Foreign]:
    path = folder / "other's 100% file?.db"
    owner = sa.create_engine(sa.URL.create("sqlite", database=str(path)))
    with owner.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode = WAL")
    try:
        yield Foreign(owner, SourceConnection("warehouse", "sqlite", str(path)))
    finally:
        owner.dispose()


def mariadb_program(name: str) -> str:
    """Return the path of a program; skip the test if it is missing, but fail where it must be there (as in CI)."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if path is None:
        message = f"{name} is missing: apt-get install mariadb-server-core mariadb-client-core"
        pytest.fail(message) if os.environ.get("REQUIRE_MARIADB") == "1" else pytest.skip(message)
    return path


class MariaDB:
    """A server in a folder; its users are root, without a password, on its socket, and `reader` with one."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder = folder
        self._data = folder / "data"
        self.port = port
        self._process: subprocess.Popen[bytes] | None = None
        user = ["--user=root"] if os.geteuid() == 0 else []
        options = ["--no-defaults", f"--datadir={self._data}", *user]
        subprocess.run(
            [mariadb_program("mariadb-install-db"), *options, "--auth-root-authentication-method=normal"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        address = ["--bind-address=127.0.0.1", f"--port={self.port}", f"--socket={folder / 's'}"]
        files = [f"--pid-file={folder / 'pid'}", f"--log-error={folder / 'log'}", "--innodb-buffer-pool-size=64M"]
        self._command = [mariadb_program("mariadbd"), *options, *address, *files]

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + START_SECONDS
        while is_free(self.port):
            assert self._process.poll() is None, (self._folder / "log").read_text()
            assert time.monotonic() < end
            time.sleep(0.1)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def engine(self, database: str = "") -> sa.Engine:
        url = sa.URL.create(
            "mariadb+pymysql", "root", database=database, query={"unix_socket": str(self._folder / "s")}
        )
        return sa.create_engine(url, pool_pre_ping=True)


@contextmanager
def mariadb_server(folder: Path, port: int) -> Iterator[MariaDB]:
    server = MariaDB(folder, port)
    server.start()
    with server.engine().begin() as connection:
        connection.exec_driver_sql("CREATE USER reader@'127.0.0.1' IDENTIFIED BY 'a secret'")
        connection.exec_driver_sql("GRANT SELECT ON *.* TO reader@'127.0.0.1'")
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def mariadb_database(server: MariaDB) -> Iterator[Foreign]:
    """Make a database of its own on a server."""
    name = f"shop_{uuid4().hex[:8]}"
    with server.engine().begin() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    owner = server.engine(name)
    secret = SecretStr("a secret")
    fields = SourceConnection("warehouse", "mysql", "127.0.0.1", server.port, "reader", secret, name)
    try:
        yield Foreign(owner, fields)
    finally:
        owner.dispose()
