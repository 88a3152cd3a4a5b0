"""Postgres: quoting, transactions, savepoints, and connections that are lost."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from uuid import uuid4

import adbc_driver_postgresql
import pytest

from ml_platform.exceptions import ContractError, ServiceError
from ml_platform.settings import settings
from ml_platform.storage.database import Connection, fetch, identifier, literal, pool, rows, savepoint, transaction
from tests.ml_platform.ingestion.upload_cases import new_name

NAUGHTY = ['a"b', "a'b", "a; DROP TABLE x; --", "a$1b", "%s", "{x}", "\\", "漢字", "a\nb"]


def test_names_and_texts_are_quoted() -> None:
    assert identifier('a"b') == '"a""b"'
    assert literal("it's") == "'it''s'"


@pytest.mark.servers
@pytest.mark.usefixtures("servers")
class TestPostgres:
    @pytest.mark.parametrize("text", NAUGHTY)
    def test_hostile_texts_are_only_data(self, text: str) -> None:
        statement = f"SELECT $1::text AS {identifier(text)}, {literal(text)}"
        assert fetch(statement, text) == [(text, text)]

    def test_an_error_rolls_everything_back(self) -> None:
        name = new_name()
        with pytest.raises(ServiceError):
            fetch(f"CREATE TABLE features.{name} AS SELECT 1 / 0 AS a")
        assert fetch("SELECT to_regclass($1::text)::text", f"features.{name}") == [(None,)]

    def test_a_savepoint_rolls_back_its_block_only(self) -> None:
        name = new_name()
        with transaction() as cursor:
            cursor.execute(f"CREATE TABLE features.{name} (a int)")
            with suppress(ContractError), savepoint(cursor):
                cursor.execute(f"INSERT INTO features.{name} VALUES (1)")
                raise ContractError("undone")
            cursor.execute(f"INSERT INTO features.{name} VALUES (2)")
        assert fetch(f"SELECT a FROM features.{name}") == [(2,)]

    def test_a_connection_is_kept_until_an_error(self) -> None:
        def server_process() -> int:
            with connection.transaction() as cursor:
                return rows(cursor, "SELECT pg_backend_pid()")[0][0]

        with closing(Connection()) as connection:
            first = server_process()
            assert server_process() == first
            with pytest.raises(ServiceError), connection.transaction() as cursor:
                cursor.execute("SELECT 1 / 0")
            second = server_process()
            assert second != first
            with suppress(ContractError), connection.transaction() as cursor:
                cursor.execute("CREATE TEMP TABLE half_done AS SELECT 1")
                raise ContractError("undone")
            with connection.transaction() as cursor:
                assert rows(cursor, "SELECT to_regclass('half_done')::text") == [(None,)]

    def test_a_connection_that_the_server_ended_is_opened_again(self) -> None:
        with closing(Connection()) as connection:
            with connection.transaction() as cursor:
                ((process,),) = rows(cursor, "SELECT pg_backend_pid()")
            fetch("SELECT pg_terminate_backend($1::int, 5000)", process)
            with pytest.raises(ServiceError), connection.transaction() as cursor:
                rows(cursor, "SELECT 1")
            with connection.transaction() as cursor:
                assert rows(cursor, "SELECT 1") == [(1,)]

    def test_what_the_driver_reads_before_it_connects_is_read_once_in_a_thread(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def server_process() -> int:
            return fetch("SELECT pg_backend_pid()")[0][0]

        reads: list[str] = []
        read = adbc_driver_postgresql.connect
        monkeypatch.setattr(adbc_driver_postgresql, "connect", lambda address: reads.append(address) or read(address))
        first, name = server_process(), new_name()
        reads.clear()
        fetch(f"CREATE TABLE features.{name} AS SELECT 1 AS a")
        assert fetch(f"SELECT a FROM features.{name}") == [(1,)]
        assert server_process() != first  # each transaction has a connection of its own
        assert fetch("SELECT pid FROM pg_stat_activity WHERE pid = $1::int", first) == []
        assert reads == []
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(fetch, "SELECT 1").result() == [(1,)]
        assert len(reads) == 1

    def test_an_error_of_postgres_ends_the_transaction_in_a_savepoint_too(self) -> None:
        name = new_name()
        with suppress(ServiceError), transaction() as cursor:
            cursor.execute(f"CREATE TABLE features.{name} (a int)")
            with savepoint(cursor):
                cursor.execute("SELECT 1 / 0")
        assert fetch("SELECT to_regclass($1::text)::text", f"features.{name}") == [(None,)]

    def test_a_pool_keeps_its_connections_and_replaces_lost_ones(self) -> None:
        address = f"{settings().platform_database_uri.get_secret_value()}?application_name={uuid4().hex}"

        def server_process() -> int:
            with connections.connection() as connection:
                return connection.execute("SELECT pg_backend_pid()").fetchone()[0]

        with closing(pool(address)) as connections:
            assert pool(address) is connections
            first = server_process()
            assert server_process() == first
            fetch("SELECT pg_terminate_backend($1::int, 5000)", first)
            assert server_process() != first


def test_an_outage_is_worth_a_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("S3_ENDPOINT_URL", "S3_ACCESS_KEY", "S3_SECRET_KEY", "FEAST_REGISTRY_URI", "MLFLOW_TRACKING_URI"):
        monkeypatch.setenv(name, "unused")
    monkeypatch.setenv("PLATFORM_DB_HOST", "127.0.0.1")
    monkeypatch.setenv("PLATFORM_DB_PORT", "9")
    monkeypatch.setenv("PLATFORM_DB_PASSWORD", "canary")
    settings.cache_clear()
    with pytest.raises(ServiceError) as error:
        fetch("SELECT 1")
    settings.cache_clear()
    assert "canary" not in str(error.value)
