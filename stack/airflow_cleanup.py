"""`python -m stack.airflow_cleanup`: remove Airflow's old records every day; `--dry-run`: say what would be removed.

`airflow db clean` does the work, with XComs. It looks at the age of records only, and would remove those of a run that
waits for a file or for a person since long ago. So it gets the DAGs with such a run as exceptions. Triggers stay:
Airflow removes them itself when nothing waits for them. So do DAGs and their versions, which are few.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2 import sql

from stack.errors import StackError
from stack.logs import own_log
from stack.servers.airflow_cleanup import kept

EVERY = timedelta(days=1)
RETRY = timedelta(hours=1)
LOOK = 60.0  # seconds between two looks whether it is time
ROWS_AT_ONCE = 5_000  # of one transaction
TIMEOUT = 3600  # seconds
RUNS = ("dag_run",)  # with all that belongs to runs: tasks, XComs, reschedules, questions to people
TECHNICAL = ("log", "job", "session", "revoked_token")  # of no run
EVENTS = "asset_event"
NOT_CLEANED = {"deadline"}  # with exceptions Airflow asks for a column that this table lacks; it goes with its runs
# Clearing a task of an old run makes the run young again, but the other tasks, whose XComs it needs, stay old.
WITH_OLD_UNFINISHED_RUN = """
SELECT DISTINCT run.dag_id FROM dag_run AS run
WHERE run.state NOT IN ('success', 'failed') AND (coalesce(run.start_date, run.run_after) < %(before)s OR EXISTS (
    SELECT FROM task_instance AS task
    WHERE task.dag_id = run.dag_id AND task.run_id = run.run_id AND task.start_date < %(before)s))
ORDER BY 1"""
OLD_EVENT_WAITS = "SELECT 1 FROM asset_dag_run_queue WHERE created_at < %(before)s LIMIT 1"
LEFT = "SELECT tablename FROM pg_tables WHERE tablename ~ '^_airflow_deleted__.*__b[0-9]+$'"  # by a killed cleaning


def clean(before: datetime, *, dry_run: bool = False) -> dict[str, int]:
    """Remove the records from before a moment, and return their number by table.

    Args:
        before: the moment.
        dry_run: only count them.

    Raises:
        StackError: Airflow's command failed.
        psycopg2.Error: the database does not answer.
    """
    with closing(psycopg2.connect(_address())) as connection, connection, connection.cursor() as cursor:
        busy, is_event_waiting = busy_dags(cursor, before), has_waiting_event(cursor, before)
        if not dry_run:
            drop_left(cursor)
    if busy:
        own_log.write(f"Runs that have not ended are older than {before:%Y-%m-%d}; all stays of {', '.join(busy)}")
    technical = TECHNICAL if is_event_waiting else (*TECHNICAL, EVENTS)
    counts = dict(_clean_tables(before, technical, [], dry_run=dry_run))
    return counts | dict(_clean_tables(before, RUNS, busy, dry_run=dry_run))


def busy_dags(cursor: Any, before: datetime) -> list[str]:
    """Return the DAGs with a run that has not ended, of which something is from before the moment."""
    cursor.execute(WITH_OLD_UNFINISHED_RUN, {"before": before})
    return [dag for (dag,) in cursor.fetchall()]


def has_waiting_event(cursor: Any, before: datetime) -> bool:
    """Return whether an event of an asset from before the moment still waits for its DAG, which is off."""
    cursor.execute(OLD_EVENT_WAITS, {"before": before})
    return cursor.fetchone() is not None


def drop_left(cursor: Any) -> None:
    """Drop the tables that a killed cleaning has left. What they hold is also where it was, or was to be removed."""
    cursor.execute(LEFT)
    for (table,) in cursor.fetchall():
        cursor.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(table)))


def _clean_tables(
    before: datetime, tables: tuple[str, ...], exceptions: list[str], *, dry_run: bool
) -> Iterator[tuple[str, int]]:
    command = [
        "airflow", "db", "clean", "--yes", "--skip-archive",
        "--batch-size", str(ROWS_AT_ONCE), "--clean-before-timestamp", before.isoformat(), "--tables", ",".join(tables),
        *(["--exclude-dag-ids", ",".join(exceptions)] if exceptions else []), *(["--dry-run"] if dry_run else []),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TIMEOUT)
    output = done.stdout + done.stderr
    failed = set(re.findall(r"attempting to clean table '(\w+)'", output)) - NOT_CLEANED
    if done.returncode or failed:
        raise StackError(f"`airflow db clean` failed ({', '.join(sorted(failed))}): {output.strip()[-2000:]}")
    for table, count in re.findall(r"Checking table (\w+)\nFound (\d+) rows", done.stdout):
        if int(count):
            yield table, int(count)


def _address() -> str:
    return os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].replace("postgresql+psycopg2:", "postgresql:")


def attempt(retention: timedelta, *, dry_run: bool = False) -> bool:
    """Clean once, and write what was removed or why not; return whether it succeeded."""
    before = datetime.now(UTC) - retention
    try:
        counts = clean(before, dry_run=dry_run)
    except (StackError, psycopg2.Error, OSError, subprocess.TimeoutExpired) as error:
        own_log.write(f"Airflow's records are not removed: {error}", "error")
        return False
    numbers = ", ".join(f"{table} {count:,}" for table, count in sorted(counts.items())) or "none"
    own_log.write(f"Records older than {retention.days} days {'would be' if dry_run else 'are'} removed: {numbers}")
    return True


def wait_before_next(done: float | None, now: float, *, has_failed: bool) -> float:
    """Return the seconds until the next attempt.

    Args:
        done: when the last one succeeded, in seconds since 1970; None if none has.
        now: in seconds since 1970.
        has_failed: whether the last attempt failed.
    """
    if has_failed:
        return RETRY.total_seconds()
    return 0.0 if done is None else max(0.0, done + EVERY.total_seconds() - now)


def main(arguments: list[str]) -> int:
    """Clean every day, or once; return the exit code."""
    datasets = Path(os.environ["DATASETS_DIR"])
    if "--dry-run" in arguments:
        retention = kept(datasets)
        return 0 if retention and attempt(retention, dry_run=True) else 1
    mark = Path(os.environ["AIRFLOW_HOME"]) / "last-cleanup"  # its time is that of the last success
    has_failed = False
    while True:
        done = mark.stat().st_mtime if mark.exists() else None
        time.sleep(max(LOOK, wait_before_next(done, time.time(), has_failed=has_failed)))
        if retention := kept(datasets):
            has_failed = not attempt(retention)
            if not has_failed:
                mark.touch()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
