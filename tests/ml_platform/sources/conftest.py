"""Servers of others, which the tests of sources share."""

import os
import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from ml_platform.sources import landing
from ml_platform.sources.connection import SourceConnection
from stack.config import Config
from tests.conftest import spare_port
from tests.ml_platform.sources.source_cases import foreign_bucket, s3_client, s3_connection
from tests.ml_platform.sources.sql_cases import CLAIMS
from tests.ml_platform.sources.sql_servers import (
    Foreign,
    MariaDB,
    mariadb_database,
    mariadb_server,
    postgres_database,
    sqlite_file,
)
from tests.schema_registry import Registry, running_registry


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port on which nobody can listen: it is taken."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture
def registry() -> Iterator[Registry]:
    """A schema registry of the test's own."""
    with running_registry() as found:
        yield found


@pytest.fixture
def any_registry() -> Iterator[Registry]:
    """A schema registry that may have schemas of others: a real one, if SCHEMA_REGISTRY is its address."""
    if address := os.environ.get("SCHEMA_REGISTRY"):
        yield Registry(address)
    else:
        with running_registry() as found:
            yield found


@pytest.fixture
def partner(servers: Config) -> SourceConnection:
    """A connection to an object store of others."""
    return s3_connection(servers)


@pytest.fixture
def client(partner: SourceConnection) -> Any:
    """A client of that object store."""
    return s3_client(partner)


@pytest.fixture
def bucket(partner: SourceConnection) -> Iterator[str]:
    """A bucket of others."""
    with foreign_bucket(partner) as name:
        yield name


@pytest.fixture(scope="session")
def mariadb(servers: Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDB]:
    with mariadb_server(tmp_path_factory.mktemp("mariadb"), spare_port(servers) - 1) as server:
        yield server


@pytest.fixture
def warehouse(servers: Config) -> Iterator[Foreign]:
    """A database of Postgres with a table of claims."""
    with postgres_database(servers) as found:
        CLAIMS.create(found.owner)
        yield found


@pytest.fixture
def maria(mariadb: MariaDB) -> Iterator[Foreign]:
    """A database of MariaDB with a table of claims."""
    with mariadb_database(mariadb) as found:
        CLAIMS.create(found.owner)
        yield found


@pytest.fixture
def lite(tmp_path) -> Iterator[Foreign]:
    """A file of SQLite with a table of claims."""
    with sqlite_file(tmp_path) as found:
        CLAIMS.create(found.owner)
        yield found


@pytest.fixture(params=["warehouse", "maria", "lite"])
def foreign(request: pytest.FixtureRequest) -> Foreign:
    """Each kind of database."""
    found: Foreign = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def no_rest(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let a range be read at once; return how long it would have rested, in seconds."""
    rests: list[float] = []
    monkeypatch.setattr(landing, "time", SimpleNamespace(sleep=rests.append))
    return rests
