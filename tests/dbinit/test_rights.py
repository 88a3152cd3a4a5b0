"""Each role enters its own database only, and does there what it must and nothing else."""

import psycopg2
import pytest
from psycopg2 import errors

pytestmark = pytest.mark.servers

ROLES = ("airflow", "mlflow", "feast", "platform", "reader", "serving", "alerts", "metrics")
DATABASES = ("airflow", "mlflow", "feast", "platform", "postgres", "template1")
HOMES = {role: {role} for role in ROLES} | {"reader": {"platform"}, "serving": {"feast", "platform"}}
HOMES |= {"alerts": {"airflow", "platform"}, "metrics": {"airflow", "platform"}}
LOGGED = """INSERT INTO predictions.log
    (model, model_version, entity_key, event_time, probability, prediction, requested_at, source)
    VALUES ('nobody', 1, '{}', now(), 0.5, 'no', now(), 'http')"""
WRITABLE = "SET transaction_read_only = off"
TABLES = (
    *("uploads.ledger", "uploads.arrivals", "uploads.rejected_rows", "uploads.specs"),
    *("sources.ranges", "sources.status"),
    *("models.decisions", "models.movements", "models.promotions", "models.versions", "predictions.log"),
)


def run(uri, sql):
    connection = psycopg2.connect(uri)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("database", DATABASES)
def test_a_role_enters_only_its_own_databases(servers, role, database):
    uri = servers.database_uri(role, database)
    if database in HOMES[role]:
        assert run(uri, "SELECT current_user") == [(role,)]
    else:
        with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
            psycopg2.connect(uri)


@pytest.mark.parametrize("role", [*ROLES, "postgres"])
def test_a_wrong_password_is_refused(servers, role):
    uri = servers.database_uri(role, "postgres").split("@")[1]
    for password in ("", role, "postgres", "password", "admin"):
        with pytest.raises(psycopg2.OperationalError, match=r"password|fe_sendauth"):
            psycopg2.connect(f"postgresql://{role}:{password}@{uri}")


def test_no_role_has_more_than_a_login(servers):
    more = "rolsuper OR rolcreatedb OR rolcreaterole OR rolreplication OR rolbypassrls"
    sql = f"SELECT bool_or({more}) FROM pg_roles WHERE rolname IN {ROLES}"
    assert run(servers.database_uri("postgres"), sql) == [(False,)]


def test_there_is_no_way_in_without_a_password(servers):
    rules = run(servers.database_uri("postgres"), "SELECT DISTINCT auth_method FROM pg_hba_file_rules")
    assert rules == [("scram-sha-256",)]
    assert run(servers.database_uri("postgres"), "SHOW unix_socket_directories") == [("",)]
    assert run(servers.database_uri("postgres"), "SHOW listen_addresses") == [("127.0.0.1",)]
    assert run(servers.database_uri("postgres"), "SHOW data_checksums") == [("on",)]


@pytest.mark.parametrize("table", TABLES)
def test_the_pipelines_write_and_the_reader_only_looks(servers, table):
    run(
        servers.database_uri("platform"),
        f"INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM {table} WHERE false",
    )
    run(servers.database_uri("reader", "platform"), f"SELECT * FROM {table} LIMIT 1")
    for verb in (
        f"DELETE FROM {table}",
        f"DROP TABLE {table}",
        f"SET default_transaction_read_only = off; DELETE FROM {table}",
    ):
        with pytest.raises((errors.InsufficientPrivilege, errors.ReadOnlySqlTransaction)):
            run(servers.database_uri("reader", "platform"), verb)


def test_the_reader_sees_what_was_live_when(servers):
    run(servers.database_uri("reader", "platform"), "SELECT * FROM models.history LIMIT 1")


@pytest.mark.parametrize("schema", ["features", "labels"])
def test_the_reader_sees_tables_that_come_later(servers, schema):
    run(servers.database_uri("platform"), f"CREATE TABLE {schema}.later AS SELECT 1 AS one")
    try:
        assert run(servers.database_uri("reader", "platform"), f"SELECT one FROM {schema}.later") == [(1,)]
        with pytest.raises(errors.InsufficientPrivilege):
            run(
                servers.database_uri("reader", "platform"),
                f"{WRITABLE}; DELETE FROM {schema}.later",
            )
    finally:
        run(servers.database_uri("platform"), f"DROP TABLE {schema}.later")


def test_the_service_reads_features_and_adds_to_its_log_and_nothing_else(servers):
    run(servers.database_uri("platform"), "CREATE TABLE features.served AS SELECT 1 AS one")
    service = servers.database_uri("serving", "platform")
    try:
        assert run(service, "SELECT one FROM features.served") == [(1,)]
        run(service, LOGGED)
        run(service, "SELECT * FROM models.trusted LIMIT 1")
        for table in ("arrivals", "attempts", "withdrawals"):
            run(service, f"SELECT * FROM uploads.{table} LIMIT 1")
        for table in ("versions", "decisions", "movements"):
            run(service, f"SELECT * FROM models.{table} LIMIT 1")
        assert run(service, "SELECT predictions.version_of_result('no such result')") == [(None,)]
        run(service, "SELECT * FROM sources.status JOIN sources.ranges USING (dataset) LIMIT 1")
        for statement in (
            "DELETE FROM features.served", "DROP TABLE features.served", "SELECT * FROM predictions.log",
            "DELETE FROM predictions.log", "SELECT * FROM uploads.ledger", "SELECT * FROM uploads.rejected_rows",
            "DELETE FROM models.movements", "DELETE FROM models.versions", "DELETE FROM sources.status",
            "UPDATE uploads.arrivals SET outcome = 'loaded'", "DELETE FROM uploads.attempts",
            "CREATE TABLE features.mine (one int)", "CREATE SCHEMA stray",
        ):  # fmt: skip
            with pytest.raises(errors.InsufficientPrivilege):
                run(service, statement)
    finally:
        run(servers.database_uri("platform"), "DROP TABLE features.served")
    with pytest.raises(errors.InsufficientPrivilege):
        run(servers.database_uri("serving", "feast"), "CREATE TABLE stray (one int)")


def test_the_service_removes_what_a_stream_has_logged_and_nothing_else(servers):
    service = servers.database_uri("serving", "platform")
    streamed = LOGGED.replace("requested_at, source)", "requested_at, source, stream_partition, stream_offset)")
    for statement in (LOGGED, streamed.replace("'http')", "'stream', '0-topic', 7)")):
        run(service, statement)
    kept = "SELECT source, count(*) FROM predictions.log WHERE model = 'nobody' GROUP BY 1 ORDER BY 1"
    before = run(servers.database_uri("reader", "platform"), kept)
    assert run(service, "SELECT predictions.forget_stream('nobody', '0-topic', 8)") == [(0,)]
    assert run(service, "SELECT predictions.forget_stream('nobody', '0-topic', 7)") == [(1,)]
    assert run(servers.database_uri("reader", "platform"), kept) == [one for one in before if one[0] != "stream"]
    with pytest.raises((errors.InsufficientPrivilege, errors.ReadOnlySqlTransaction)):
        run(servers.database_uri("reader", "platform"), "SELECT predictions.forget_stream('nobody', '0-topic', 0)")


def test_the_platform_makes_no_schema_of_its_own(servers):
    with pytest.raises(errors.InsufficientPrivilege):
        run(servers.database_uri("platform"), "CREATE SCHEMA stray")
    with pytest.raises(errors.InsufficientPrivilege):
        run(servers.database_uri("platform"), "CREATE TABLE public.stray (one int)")


def test_the_ledger_refuses_what_is_no_hash(servers):
    with pytest.raises(errors.CheckViolation):
        run(
            servers.database_uri("platform"),
            "INSERT INTO uploads.ledger (dataset, purpose, sha256) VALUES ('a', 'train', 'b')",
        )
