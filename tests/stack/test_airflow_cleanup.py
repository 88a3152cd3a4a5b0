"""Airflow's old records: which command removes them, what is left alone, and when it is tried again."""

from contextlib import closing
from datetime import UTC, datetime, timedelta

import psycopg2
import pytest

from stack import airflow_cleanup
from stack.airflow_cleanup import attempt, busy_dags, drop_left, has_waiting_event, wait_before_next

BEFORE = datetime(2026, 8, 1, tzinfo=UTC)
OLD, YOUNG = BEFORE - timedelta(days=1), BEFORE + timedelta(days=1)
TABLES = """
CREATE TEMP TABLE dag_run (dag_id text, run_id text, state text, start_date timestamptz, run_after timestamptz);
CREATE TEMP TABLE task_instance (dag_id text, run_id text, start_date timestamptz);
CREATE TEMP TABLE asset_dag_run_queue (created_at timestamptz);
CREATE TEMP TABLE "_airflow_deleted__log__20260801__b2" (a int);
CREATE TEMP TABLE "_airflow_deleted__log__20260801" (a int)"""


@pytest.fixture
def cursor(servers):
    with closing(psycopg2.connect(servers.database_uri("airflow"))) as connection, connection.cursor() as cursor:
        cursor.execute(TABLES)
        yield cursor


@pytest.mark.servers
def test_a_dag_is_left_alone_while_something_of_an_unfinished_run_is_old(cursor):
    runs = [
        ("ended", "success", OLD), ("failed", "failed", OLD), ("waits", "running", OLD), ("young", "running", YOUNG),
        ("cleared", "running", YOUNG), ("queued", "queued", None),
    ]  # fmt: skip
    cursor.executemany("INSERT INTO dag_run VALUES (%s, 'r', %s, %s, '2026-07-01')", runs)
    tasks = [("cleared", OLD), ("cleared", YOUNG), ("young", YOUNG), ("ended", OLD)]
    cursor.executemany("INSERT INTO task_instance VALUES (%s, 'r', %s)", tasks)
    assert busy_dags(cursor, BEFORE) == ["cleared", "queued", "waits"]


@pytest.mark.servers
def test_events_stay_while_an_old_one_waits_for_its_dag(cursor):
    cursor.execute("INSERT INTO asset_dag_run_queue VALUES (%s)", (YOUNG,))
    assert not has_waiting_event(cursor, BEFORE)
    cursor.execute("INSERT INTO asset_dag_run_queue VALUES (%s)", (OLD,))
    assert has_waiting_event(cursor, BEFORE)


@pytest.mark.servers
def test_what_a_killed_cleaning_left_is_dropped_and_an_archive_of_a_person_stays(cursor):
    drop_left(cursor)
    cursor.execute("SELECT tablename FROM pg_tables WHERE tablename LIKE '%deleted%'")
    assert cursor.fetchall() == [("_airflow_deleted__log__20260801",)]


@pytest.fixture
def airflow(tmp_path, monkeypatch):
    """A program `airflow` that writes down its arguments; the function says what it prints, and returns the calls."""
    calls = tmp_path / "calls"
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "postgresql+psycopg2://")

    def write(output, busy=(), *, waits=False, code=0):
        program = tmp_path / "airflow"
        program.write_text(f"#!/bin/sh\necho \"$@\" >> {calls}\ncat <<'END'\n{output}\nEND\nexit {code}\n")
        program.chmod(0o755)
        calls.write_text("")
        monkeypatch.setattr(airflow_cleanup.psycopg2, "connect", FakeConnection)
        monkeypatch.setattr(airflow_cleanup, "busy_dags", lambda cursor, before: list(busy))
        monkeypatch.setattr(airflow_cleanup, "has_waiting_event", lambda cursor, before: waits)
        monkeypatch.setattr(airflow_cleanup, "drop_left", lambda cursor: None)
        return lambda: calls.read_text().splitlines()

    return write


class FakeConnection:
    """A connection whose cursor nobody uses."""

    def __init__(self, address):
        self.cursor = lambda: self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def close(self):
        pass


OUTPUT = "Checking table log\nFound 1200 rows meeting deletion criteria.\n\nChecking table job\nFound 0 rows meeting"


def test_old_records_are_removed_without_an_archive_and_without_those_of_waiting_runs(airflow, capsys):
    calls = airflow(OUTPUT, ["ingest_auto", "train_auto"])
    assert attempt(timedelta(days=90))
    technical, runs = calls()
    assert "db clean --yes --skip-archive" in runs
    assert technical.endswith("--tables log,job,session,revoked_token,asset_event")
    assert runs.endswith("--tables dag_run --exclude-dag-ids ingest_auto,train_auto")
    output = capsys.readouterr().out
    assert "all stays of ingest_auto, train_auto" in output
    assert output.endswith("Records older than 90 days are removed: log 1,200\n")


def test_events_that_wait_stay(airflow):
    calls = airflow(OUTPUT, waits=True)
    assert attempt(timedelta(days=90))
    assert calls()[0].endswith("--tables log,job,session,revoked_token")


def test_a_dry_run_removes_nothing(airflow, capsys):
    calls = airflow(OUTPUT)
    assert attempt(timedelta(days=90), dry_run=True)
    assert [call.endswith("--dry-run") for call in calls()] == [True, True]
    assert "would be removed" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("output", "code"), [("no database", 1), ("Encountered error when attempting to clean table 'xcom'. ", 0)]
)
def test_a_failure_is_reported(airflow, capsys, output, code):
    airflow(output, code=code)
    assert not attempt(timedelta(days=90))
    assert "Airflow's records are not removed: `airflow db clean` failed" in capsys.readouterr().out


def test_the_one_table_that_airflow_cannot_clean_with_exceptions_is_no_failure(airflow):
    airflow("Encountered error when attempting to clean table 'deadline'. ", ["ingest_auto"])
    assert attempt(timedelta(days=90))


@pytest.mark.parametrize(
    ("done", "has_failed", "seconds"),
    [(None, False, 0), (1000.0, False, 86400 - 500), (1500.0 - 86401, False, 0), (1000.0, True, 3600)],
)
def test_when_the_next_attempt_is(done, has_failed, seconds):
    assert wait_before_next(done, 1500.0, has_failed=has_failed) == seconds
