"""The collector on a real Postgres, with its own role and the columns that Airflow's set-up grants it."""

import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from uuid import uuid4

import psycopg
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from ml_platform import ROOT
from ml_platform.alerts.store import connect
from ml_platform.metrics import collector, counting
from ml_platform.metrics.collector import PlatformCollector
from ml_platform.metrics.definitions import METRICS, OWN, PREFIX
from ml_platform.metrics.environment import Environment

AIRFLOW = {
    "dag_run": "dag_id text, run_id text, run_after timestamptz, state text, start_date timestamptz,"
    " end_date timestamptz, conf jsonb",
    "task_instance": "dag_id text, run_id text, task_id text, state text, duration float, end_date timestamptz,"
    " rendered_map_index text",
    "job": "job_type text, state text, latest_heartbeat timestamptz, hostname text",
}
LABELS = {PREFIX + one.name: one.labels for one in (*METRICS, *OWN)}
FIGURES = """{"findings": [
    {"kind": "values", "feature": "AGE", "effect": 0.4, "verdict": "drift"},
    {"kind": "missing", "feature": "INCOME", "effect": -0.1, "verdict": "too small"}]}"""


@pytest.fixture(scope="module")
def owners(servers):
    """Connections that may write: to `platform`, and to `airflow` with the tables that are read there."""
    from stack.airflow_setup import READ_BY_METRICS

    with (
        closing(connect(servers.database_uri("platform"))) as platform,
        closing(connect(servers.database_uri("airflow"))) as airflow,
    ):
        for table, columns in AIRFLOW.items():
            airflow.execute(f"CREATE TABLE {table} ({columns})")
            airflow.execute(f"GRANT SELECT ({', '.join(READ_BY_METRICS[table])}) ON {table} TO metrics")
        yield SimpleNamespace(platform=platform, airflow=airflow)
        airflow.execute(f"DROP TABLE {', '.join(AIRFLOW)}")


@pytest.fixture
def environment(servers):
    databases = {name: servers.database_uri("metrics", name) for name in ("platform", "airflow")}
    return Environment(databases, "127.0.0.1", 1, {})


@pytest.fixture
def page(environment, monkeypatch, tmp_path):
    """Return a function that reads the page again: the value of each sample by name and label values."""
    monkeypatch.setattr(collector, "FRESH", 0.0)
    monkeypatch.setattr(counting, "NEW", timedelta(0))
    registry = CollectorRegistry()
    registry.register(PlatformCollector(environment, ROOT / "datasets"))

    def read():
        text = generate_latest(registry).decode()
        return {
            (sample.name.removeprefix(PREFIX), *map(sample.labels.get, LABELS[family.name])): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    return read


@pytest.fixture
def name(owners):
    """A name of a model of our own; what is recorded about it is removed."""
    chosen = f"m_{uuid4().hex[:8]}"
    yield chosen
    tables = {
        "uploads.arrivals": "dataset", "uploads.ledger": "dataset", "monitoring.checks": "dataset",
        "sources.status": "dataset", "models.movements": "model", "models.decisions": "model",
        "models.versions": "model",
    }  # fmt: skip
    for table, column in tables.items():
        owners.platform.execute(f"DELETE FROM {table} WHERE {column} = %s", (chosen,))


@pytest.mark.servers
def test_files_and_rows_are_counted_from_the_start_on(page, owners, name):
    arrived = (
        "INSERT INTO uploads.arrivals (bucket, object_key, etag, last_modified, dataset, purpose, outcome, report)"
        " VALUES ('train', %s, 'e', now() - interval '30 seconds', %s, 'train', %s,"
        ' \'{"rows_read": 10, "rows_loaded": 8, "rows_rejected": 2}\')'
    )
    owners.platform.execute(arrived.replace("now()", "now() - interval '1 day'"), ("Ada Lovelace.csv", name, "loaded"))
    owners.platform.execute(
        "UPDATE uploads.arrivals SET arrived_at = now() - interval '1 day' WHERE dataset = %s", (name,)
    )
    before = page()
    assert ("files_total", name, "train", "loaded") not in before
    owners.platform.execute(arrived, ("a.csv", name, "loaded"))
    owners.platform.execute(arrived, ("b.csv", name, "rejected"))
    found = page()
    assert found["files_total", name, "train", "loaded"] == 1
    assert found["files_total", name, "train", "rejected"] == 1
    assert found["rows_read_total", name, "train"] == 20
    assert found["rows_loaded_total", name, "train"] == 16
    assert found["rows_rejected_total", name, "train"] == 4
    assert found["file_wait_seconds_count", name, "train"] == 2
    assert found["file_wait_seconds_sum", name, "train"] == pytest.approx(60, abs=1)
    assert not any("Ada" in part or "a.csv" in part for key in found for part in key)


@pytest.mark.servers
def test_the_live_model_its_predictions_and_its_checks(page, owners, name):
    first = page()
    sha256 = "0" * 64
    owners.platform.execute(
        "INSERT INTO models.versions (model, version, run_id, model_sha256, tags, recorded_at, recorded_by)"
        " VALUES (%s, 3, 'r', %s, '{}', '2026-05-04 10:00Z', 'me')",
        (name, sha256),
    )
    owners.platform.execute(
        "INSERT INTO models.decisions (model, version, run_id, decision, reason, challenger_score, min_gain,"
        " confidence, training_set_sha256, decided_by, metric) VALUES"
        " (%s, 3, 'r', 'promoted', '', 0.5, 0, 0.95, %s, 'me', 'f1')",
        (name, sha256),
    )
    for version, moment in ((2, "09:00Z"), (3, "11:00Z")):
        owners.platform.execute(
            "INSERT INTO models.movements (model, to_version, run_id, moved_at, moved_by, why, reason, is_done)"
            " VALUES (%s, %s, 'r', %s, 'me', 'gate', '', true)",
            (name, version, f"2026-05-04 {moment}"),
        )
    owners.platform.execute(
        "INSERT INTO predictions.log (model, model_version, entity_key, event_time, probability, prediction,"
        " requested_at, source) SELECT 'auto', 3, '{}', now(), 0.5, 'no', now(), 'http' FROM generate_series(1, 7)"
    )
    owners.platform.execute(
        "INSERT INTO monitoring.checks (dataset, kind, model_version, window_start, window_end, reference, rows,"
        " verdict, figures, checked_by) VALUES"
        " (%s, 'drift', 3, '2026-05-03Z', '2026-05-04Z', 't', 200, 'drift', %s, 'me'),"
        " (%s, 'performance', 3, '2026-05-03Z', '2026-05-04Z', 't', 90, 'below the promise',"
        ' \'{"metric": "f1", "promised": {"value": 0.6}, "seen": {"value": 0.4}, "expected": null}\', \'me\')',
        (name, FIGURES, name),
    )
    found = page()
    owners.platform.execute("DELETE FROM predictions.log WHERE model = 'auto' AND entity_key = '{}'")
    live = datetime(2026, 5, 4, 11, tzinfo=UTC)
    assert found["champion_version", name] == 3
    assert found["champion_live_since_timestamp_seconds", name] == live.timestamp()
    assert found["champion_trained_timestamp_seconds", name] == (live - timedelta(hours=1)).timestamp()
    assert found["champion_holdout_score", name, "f1"] == 0.5
    assert found["gate_decisions_total", name, "promoted"] == 1
    assert ("champion_changes_total", name, "gate") not in found  # it was long before the start
    assert found["predictions_total", "auto", "http"] == first.get(("predictions_total", "auto", "http"), 0) + 7
    assert found["check_alarm", name, "drift"] == found["check_alarm", name, "performance"] == 1
    assert found["check_rows", name, "drift"] == 200
    assert found["drift_effect", name, "values", "AGE"] == 0.4
    assert found["drift_effect", name, "missing", "INCOME"] == 0.1
    assert found["drift_tests", name, "too small"] == 1
    assert found["performance_score", name, "f1", "promised"] == 0.6
    assert found["performance_score", name, "f1", "seen"] == 0.4
    assert ("performance_score", name, "f1", "expected") not in found


@pytest.mark.servers
def test_tasks_and_runs_of_airflow_and_the_lag_of_a_source(page, owners, name):
    page()
    owners.airflow.execute(
        "INSERT INTO dag_run VALUES ('train_auto', 'r1', now(), 'success', now() - interval '9 seconds', now());"
        "INSERT INTO task_instance VALUES ('train_auto', 'r1', 'search', 'success', 5.5, now()),"
        " ('train_auto', 'r1', 'gate', 'failed', 1, now()), ('train_auto', 'r1', 'promote', 'queued', null, null);"
        "INSERT INTO job VALUES ('SchedulerJob', 'running', '2026-05-04 11:00Z')"
    )
    owners.platform.execute(
        "INSERT INTO sources.status (dataset, purpose, origin, lag, problem, problem_since)"
        " VALUES (%s, 'train', 'kafka', 12, 'no route to 10.0.0.1', now())",
        (name,),
    )
    found = page()
    assert found["task_seconds_sum", "train_auto", "search", "success"] == 5.5
    assert found["task_seconds_count", "train_auto", "gate", "failed"] == 1
    assert found["run_seconds_sum", "train_auto", "success"] == pytest.approx(9, abs=0.1)
    assert found["tasks", "queued"] == 1
    assert found["tasks", "running"] == 0
    assert found["component_heartbeat_timestamp_seconds", "SchedulerJob"] > 1.7e9
    assert found["source_lag", name, "train"] == 12
    assert found["source_problem", name, "train"] == 1
    assert not any("10.0.0.1" in part for key in found for part in key)


@pytest.mark.servers
def test_the_role_reads_numbers_and_no_value_of_a_row(servers, owners):
    """It can read neither files' names nor predictions, and changes nothing."""
    for database, statements in {
        "platform": (
            "SELECT report FROM uploads.arrivals", "SELECT object_key FROM uploads.ledger",
            "SELECT prediction FROM predictions.log", "SELECT entity_key FROM predictions.log",
            "SELECT problem FROM sources.status", "SELECT facts FROM monitoring.alerts",
            "SELECT * FROM uploads.rejected_rows", "SELECT tags FROM models.versions",
        ),
        "airflow": ("SELECT conf FROM dag_run", "SELECT rendered_map_index FROM task_instance"),
    }.items():  # fmt: skip
        with closing(connect(servers.database_uri("metrics", database))) as connection:
            for statement in statements:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(statement)
            with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
                connection.execute("CREATE TABLE stray (one int)")


@pytest.mark.servers
def test_every_metric_is_on_the_page(environment, owners):
    families = {family.name: family for family in PlatformCollector(environment, ROOT / "datasets").collect()}
    assert set(families) == {f"ml_platform_{one.name}" for one in (*METRICS, *OWN)}
    assert [sample.value for sample in families["ml_platform_database_up"].samples] == [1.0, 1.0]


def test_without_postgres_the_page_says_so(tmp_path):
    away = "postgresql://metrics@127.0.0.1:1/platform"
    environment = Environment({"platform": away, "airflow": away}, "127.0.0.1", 1, {})
    families = {family.name: family for family in PlatformCollector(environment, tmp_path).collect()}
    assert [sample.value for sample in families.pop("ml_platform_database_up").samples] == [0.0, 0.0]
    assert set(families) == {"ml_platform_server_up", "ml_platform_collection_seconds"}


def test_an_answer_is_kept_for_a_few_seconds(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(collector, "servers", lambda pages: asked.append(pages) or {})
    read = PlatformCollector(Environment({}, "127.0.0.1", 1, {}), tmp_path).collect
    read()
    read()
    assert len(asked) == 1


def test_a_label_with_too_many_values_is_cut(monkeypatch):
    monkeypatch.setattr(collector, "MOST_SERIES", 3)
    rows = [(f"d{number}", number) for number in range(9)]
    connection = SimpleNamespace(execute=lambda *_: SimpleNamespace(fetchmany=lambda most: rows[:most]))
    assert len(collector.query(connection, METRICS[-1], {})) == 3


@pytest.mark.sockets
def test_a_server_is_up_if_its_page_says_so():
    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/good" else 500)
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        base = f"http://127.0.0.1:{server.server_port}"
        found = collector.servers({"good": f"{base}/good", "bad": f"{base}/bad", "away": "http://127.0.0.1:1/"})
        server.shutdown()
        thread.join()
    assert found == {("good",): (1.0,), ("bad",): (0.0,), ("away",): (0.0,)}
    assert collector.servers({}) == {}
