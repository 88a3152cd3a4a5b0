"""Kill the scheduler's main process alone, at a random moment while a file is loaded: the run goes on by itself.

The workers of the scheduler outlive such a kill, with its connections to Postgres and its locks. `make prove` kills it
thirty times, `make test` once.
"""

import csv
import io
import os
import random
import time
from pathlib import Path

import psutil
import pytest

from stack.runners import processes
from stack.watchdog import main_process
from tests.end_to_end.conftest import eventually

pytestmark = [
    pytest.mark.servers,
    pytest.mark.end_to_end,
    pytest.mark.skipif(
        os.environ.get("TARGET") == "compose",
        reason="in a container all processes end together; tests/compose kills it",
    ),
]

SAMPLE = Path(__file__).resolve().parents[2] / "minio" / "samples" / "train_auto.csv"
SCHEDULER = "airflow-scheduler"
KILLS = 30
IN_MAKE_TEST = 1
LOAD_SECONDS = 8  # about the time from the drop to the report
ROWS = 20


def file_of(first_key: int) -> bytes:
    """Return rows of the sample under new keys."""
    lines = csv.DictReader(io.StringIO(SAMPLE.read_text(encoding="utf-8-sig")))
    rows = [row | {"INDEX": str(first_key + number)} for number, row in zip(range(ROWS), lines, strict=False)]
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture(scope="module", autouse=True)
def loads_without_trainings(airflow) -> None:
    eventually(lambda: "ingest_auto" in airflow.dags(), "Airflow knows the DAG")
    airflow.unpause("ingest_auto")
    airflow.pause("train_auto")


@pytest.mark.parametrize(
    "number", [pytest.param(n, marks=() if n < IN_MAKE_TEST else pytest.mark.prove) for n in range(KILLS)]
)
def test_a_scheduler_killed_alone_holds_up_no_run(stack, buckets, query, number, record_property) -> None:
    record_property("tried", 1)
    state, key = str(stack.state_dir), f"train_auto_killed_{number}.csv"
    first_key = 50_000_000 + 1000 * number
    scheduler = eventually(lambda: main_process(state, SCHEDULER), "the scheduler runs")
    before = processes.leftovers(state, SCHEDULER)
    buckets.put("train", key, file_of(first_key))
    time.sleep(random.uniform(0, LOAD_SECONDS))  # noqa: S311 – a moment, not a secret
    scheduler.kill()
    killed = time.monotonic()

    def loaded() -> bool:
        sql = 'SELECT count(*) FROM features.auto WHERE "INDEX" BETWEEN %s AND %s'
        return key not in buckets.keys("train") and query(sql, first_key, first_key + ROWS) == [(ROWS,)]

    eventually(loaded, f"{key} is loaded")
    record_property("seconds", round(time.monotonic() - killed))
    eventually(lambda: not any(map(is_alive, before)), "what the killed scheduler left is ended")
