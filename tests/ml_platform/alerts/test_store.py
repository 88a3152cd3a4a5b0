"""The tables of the alerts in Postgres."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from ml_platform.alerts import store
from ml_platform.alerts.causes import Cause, Look

pytestmark = pytest.mark.servers
START = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def test_the_role_may_write_its_own_tables_only(servers, connection):
    for statement in (
        "DELETE FROM monitoring.alerts", "UPDATE models.decisions SET reason = ''",
        "SELECT * FROM uploads.rejected_rows", "SELECT * FROM predictions.log",
        "INSERT INTO uploads.ledger DEFAULT VALUES",
    ):  # fmt: skip
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)


def test_the_list_begins_with_what_is_open(connection):
    full = Cause("disk_full", "/d", {"path": "/d"})
    store.record(connection, Look.of(["disk_full"], [full]), lambda *_: ["chat", "team"], START)
    store.record(connection, Look.of(["rolled_back"], [Cause("rolled_back", "1", {}, "auto")]), lambda *_: [], START)
    found = store.entries(connection, 10)
    assert [(entry.part.event, entry.channel) for entry in found] == [
        ("disk_full", "chat"), ("disk_full", "team"), ("rolled_back", None),
    ]  # fmt: skip
    assert all(entry.sent_at is None for entry in found)


def test_what_was_before_the_first_look_stays_before_it(connection):
    assert store.last_look(connection) is None
    assert store.watched_since(connection, START) == START
    later = START + timedelta(days=1)
    assert store.watched_since(connection, later) == START
    assert store.last_look(connection) == later
