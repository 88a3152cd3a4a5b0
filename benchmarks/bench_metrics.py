"""Measure one collection of the metrics where much is recorded: predictions, files and tasks.

Airflow's tables are made with the columns and indexes that the queries use.
"""

import argparse
import os
import statistics
import sys
import time
from contextlib import closing

from ml_platform.alerts.store import Connection, connect
from ml_platform.metrics.collector import PlatformCollector
from ml_platform.metrics.definitions import METRICS
from ml_platform.metrics.environment import Environment
from ml_platform.specs.catalog import DATASETS_DIR
from stack.airflow_setup import READ_BY_METRICS
from stack.config import load

AIRFLOW = """
CREATE TABLE dag_run (dag_id text, run_id text, run_after timestamptz, state text, start_date timestamptz,
    end_date timestamptz, UNIQUE (dag_id, run_id));
CREATE INDEX ON dag_run (run_after);
CREATE TABLE task_instance (dag_id text, run_id text, task_id text, state text, duration float, end_date timestamptz);
CREATE INDEX ON task_instance (dag_id, run_id);
CREATE INDEX ON task_instance (state);
CREATE TABLE job (job_type text, state text, latest_heartbeat timestamptz)"""

# a row per second, the newest ones now: a busy platform, and what has been recorded in weeks before
FILL = {
    "platform": (
        "INSERT INTO predictions.log (model, model_version, entity_key, event_time, probability, prediction,"
        " requested_at, source) SELECT 'auto', 1, '{}', now(), 0.5, 'no', now() - i * interval '1 second' / 100, 'http'"
        " FROM generate_series(-30000, %(predictions)s) AS i",
        "INSERT INTO uploads.arrivals (bucket, object_key, etag, last_modified, dataset, purpose, outcome, report,"
        " arrived_at) SELECT 'train', i::text, 'e', now(), 'auto', 'train', 'loaded',"
        ' \'{"rows_read": 10, "rows_loaded": 9, "rows_rejected": 1}\', now() - i * interval \'10 seconds\''
        " FROM generate_series(-30, %(files)s) AS i",
        "INSERT INTO uploads.ledger (dataset, purpose, sha256, rows_loaded)"
        " SELECT 'auto', 'train', md5(i::text) || md5(i::text), 9 FROM generate_series(1, %(files)s) AS i",
        "ANALYZE predictions.log, uploads.arrivals, uploads.ledger",
    ),
    "airflow": (
        "INSERT INTO dag_run SELECT 'ingest_auto', i::text, now() - i * interval '10 seconds', 'success', now(),"
        " now() - i * interval '10 seconds' FROM generate_series(-30, %(runs)s) AS i",
        "INSERT INTO task_instance SELECT 'ingest_auto', i::text, 't' || t, 'success', 1,"
        " now() - i * interval '10 seconds' FROM generate_series(-30, %(runs)s) AS i, generate_series(1, 5) AS t",
        "ANALYZE dag_run, task_instance",
    ),
}


def command_line() -> argparse.ArgumentParser:
    """Return the parser of the arguments."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--predictions", type=int, default=5_000_000)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=100_000, help="of a DAG with five tasks")
    parser.add_argument("--times", type=int, default=5)
    return parser


def fill(connection: Connection, database: str, options: argparse.Namespace) -> None:
    """Write the rows that are looked at."""
    for statement in FILL[database]:
        connection.execute(statement, vars(options))


def measure(collector: PlatformCollector, times: int) -> float:
    """Return the seconds of a collection, the median."""
    durations = []
    for _ in range(times):
        begin = time.perf_counter()
        collector.collect()
        durations.append(time.perf_counter() - begin)
        collector._until = 0.0  # else it would return the same answer
    return statistics.median(durations)


def main() -> None:
    """Fill the tables, and measure with the role of the server."""
    options = command_line().parse_args()
    config = load(os.environ.get("ENV_FILE"))
    with closing(connect(config.database_uri("airflow"))) as airflow:
        airflow.execute(AIRFLOW)
        for table, columns in READ_BY_METRICS.items():
            airflow.execute(f"GRANT SELECT ({', '.join(columns)}) ON {table} TO metrics")
        databases = {name: config.database_uri("metrics", name) for name in FILL}
        collector = PlatformCollector(Environment(databases, "127.0.0.1", 0, {}), DATASETS_DIR)
        empty = measure(collector, options.times)
        for database in FILL:
            with closing(connect(config.database_uri(database))) as owner:
                fill(owner, database, options)
        full = measure(collector, options.times)
    rows = f"{options.predictions:,} predictions, {options.files:,} files, {options.runs:,} runs"
    sys.stdout.write(f"{len(METRICS)} metrics: {1000 * empty:,.0f} ms with empty tables, {1000 * full:,.0f} ms with\n")
    sys.stdout.write(f"{rows}, of them 30,000 predictions, 30 files and 30 runs since the start\n")


if __name__ == "__main__":
    main()
