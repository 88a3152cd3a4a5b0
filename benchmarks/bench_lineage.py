# ruff: noqa: S608 – only constants are combined
"""Measure what lineage costs: an event of ours, an event of Airflow's provider, and the query of a chain's uploads.

The provider's event is measured as in a task: the process, which has the platform's libraries, forks and waits.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ml_platform.lineage import records
from ml_platform.storage.database import transaction

LIBRARY = Path(__file__).resolve().parents[1] / "plugins"
NAME, SHA256 = "bench_lineage", "f" * 64
SCRIPT = """
import logging, os, statistics, sys, time
from ml_platform.airflow import executor
executor.load_library()
from ml_platform.airflow.lineage_transport import PlatformTransport
from ml_platform.lineage.events import RunTimes, Step, run_events
from datetime import UTC, datetime
from openlineage.client.uuid import generate_new_uuid
begin = time.perf_counter()
from airflow.providers.openlineage.plugins.listener import get_openlineage_listener
listener = get_openlineage_listener()
imported = time.perf_counter() - begin
ours = PlatformTransport()
def events():
    now = datetime.now(UTC)
    return run_events(Step("auto.load", [], []), RunTimes(str(generate_new_uuid()), now, now))
def emit_ours():
    for event in events():
        ours.emit(event)
def emit_forked():
    for event in events():
        listener._fork_execute(lambda: listener.adapter.emit(event), "bench")
def median(emit, times=int(sys.argv[1])):
    durations = []
    for _ in range(times):
        begin = time.perf_counter()
        emit()
        durations.append(time.perf_counter() - begin)
    return statistics.median(durations)
print("RESULT", median(emit_ours), median(emit_forked), imported)
sys.stdout.flush()
os._exit(0)
"""


def emitted(times: int) -> tuple[float, float, float]:
    """Return the seconds of the two events of a step by us and by the provider, and of its import."""
    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | {
            "PYTHONPATH": str(LIBRARY), "OMP_NUM_THREADS": "1", "AIRFLOW_HOME": home,
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": f"{home}/logs", "AIRFLOW__OPENLINEAGE__DISABLED": "False",
            "AIRFLOW__OPENLINEAGE__TRANSPORT":
                '{"type": "ml_platform.airflow.lineage_transport.PlatformTransport"}',
        }  # fmt: skip
        command = [sys.executable, "-c", SCRIPT, str(times)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)  # noqa: S603 – our own
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("RESULT")]
    ours, forked, imported = map(float, line.split()[1:])
    return ours, forked, imported


def queried(uploads: int, times: int) -> float:
    """Return the seconds in which the uploads of a training set are read."""
    with transaction() as cursor:
        digest = "md5(i::text) || md5(i::text)"
        cursor.execute(
            f"INSERT INTO uploads.training_sets SELECT $1, $2, {digest}, $1, 1 FROM generate_series(1, $3::int) i",
            (NAME, SHA256, uploads),
        )
        cursor.execute(
            "INSERT INTO uploads.ledger (dataset, purpose, sha256, object_key, rows_loaded)"
            f" SELECT $1, 'train', {digest}, 'train_' || i, 1 FROM generate_series(1, $2::int) i",
            (NAME, uploads),
        )
    durations = []
    for _ in range(times):
        begin = time.perf_counter()
        found = records.uploads_of(NAME, SHA256)
        durations.append(time.perf_counter() - begin)
    if len(found) != uploads:
        raise SystemExit(f"{len(found)} of {uploads} uploads were read")
    return statistics.median(durations)


def main() -> None:
    """Measure; print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=15)
    parser.add_argument("--uploads", type=int, default=10_000)
    options = parser.parse_args()
    ours, forked, imported = emitted(options.times)
    seconds = queried(options.uploads, options.times)
    sys.stdout.write(
        f"start and end of a step, to a file: ours {1000 * ours:.1f} ms, by Airflow's provider {1000 * forked:.0f} ms\n"
        f"the provider's listener, once per process: {imported:.2f} s\n"
        f"the {options.uploads:,} uploads of a training set: {seconds:.2f} s\n"
    )


if __name__ == "__main__":
    main()
