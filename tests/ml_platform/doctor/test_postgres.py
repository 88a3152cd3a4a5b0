"""Rights, migrations and transactions, on a real Postgres."""

import psycopg2
import pytest

from ml_platform.doctor import endpoints, postgres

pytestmark = pytest.mark.servers


def test_nothing_is_found_on_healthy_servers(servers):
    looks = (postgres.role_rights, postgres.table_rights, postgres.missing_migrations, postgres.server_version)
    found = {look.__name__: list(look(servers)) for look in (*looks, endpoints.clock_skew)}
    assert not any(found.values()), found


def test_a_right_that_was_granted_by_hand_is_found(servers, superuser):
    superuser("GRANT DELETE ON uploads.ledger TO reader")
    superuser("GRANT CONNECT ON DATABASE mlflow TO reader")
    try:
        assert list(postgres.table_rights(servers)) == ["the role reader has the right DELETE on uploads.ledger"]
        assert list(postgres.role_rights(servers)) == ["the role reader may enter mlflow"]
    finally:
        superuser("REVOKE DELETE ON uploads.ledger FROM reader")
        superuser("REVOKE CONNECT ON DATABASE mlflow FROM reader")


def test_a_migration_that_is_missing_is_found(servers, superuser):
    (newest,) = postgres.databases.query(servers, "platform", postgres.MIGRATION)
    superuser("UPDATE dbinit_version SET version_num = 'platform_0001'")
    try:
        (problem,) = postgres.missing_migrations(servers)
        assert problem == f"the database platform has the migration platform_0001, this code has {newest}"
    finally:
        superuser(f"UPDATE dbinit_version SET version_num = '{newest}'")


def test_an_idle_transaction_is_found(servers, monkeypatch):
    monkeypatch.setattr(postgres, "IDLE_TRANSACTIONS", postgres.IDLE_TRANSACTIONS.replace("5 min", "0 s"))
    connection = psycopg2.connect(servers.database_uri("platform"), application_name="forgotten")
    try:
        connection.cursor().execute("SELECT 1")
        found = [problem for problem in postgres.idle_transactions(servers) if "(forgotten)" in problem]
        assert len(found) == 1
        assert f"session {connection.info.backend_pid} of platform (forgotten) in platform has been idle" in found[0]
    finally:
        connection.close()
