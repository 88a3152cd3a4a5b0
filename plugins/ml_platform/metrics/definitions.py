"""The metrics: name, labels, and the query that returns the labels and then the value.

Labels are names of specs, DAGs and servers, or words of a fixed list. Nothing that comes from a file is a label.
The query of a counter or summary is about the entries from `after` until `before`; `datasets` are the names of the data
sets. A summary is a sum and a number, as Prometheus has it.
"""

from dataclasses import dataclass
from typing import Literal

PREFIX = "ml_platform_"

Database = Literal["platform", "airflow"]


@dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes:
        name: without the prefix; its unit is part of it.
        kind: a gauge says what is true now; a counter and a summary count since the server started.
        help: what it is, for people.
        labels: their names.
        sql: returns the labels, then the value; of a summary the sum and the number.
        database: where it is asked.
    """

    name: str
    kind: Literal["gauge", "counter", "summary"]
    help: str
    labels: tuple[str, ...]
    sql: str
    database: Database = "platform"

    @property
    def full_name(self) -> str:
        """The name on the page; the library adds `_total` to that of a counter."""
        return f"{PREFIX}{self.name}{'_total' if self.kind == 'counter' else ''}"


IN_TIME = "{0} >= %(after)s AND {0} < %(before)s"

_FILES = f"FROM monitoring.settled_files WHERE {IN_TIME.format('arrived_at')} GROUP BY 1, 2"

FILES = (
    Metric(
        "files", "counter", "Files that were settled, by what became of them", ("dataset", "purpose", "outcome"),
        f"SELECT dataset, purpose, outcome, count(*) {_FILES}, 3",
    ),
    Metric(
        "rows_read", "counter", "Rows that were read from files", ("dataset", "purpose"),
        f"SELECT dataset, purpose, sum(rows_read) {_FILES}",
    ),
    Metric(
        "rows_loaded", "counter", "Rows of files that were loaded", ("dataset", "purpose"),
        f"SELECT dataset, purpose, sum(rows_loaded) {_FILES}",
    ),
    Metric(
        "rows_rejected", "counter", "Rows of files that were rejected", ("dataset", "purpose"),
        f"SELECT dataset, purpose, sum(rows_rejected) {_FILES}",
    ),
    Metric(
        "file_wait_seconds", "summary", "Time from the upload of a file until it was settled", ("dataset", "purpose"),
        "SELECT dataset, purpose, sum(greatest(extract(epoch FROM arrived_at - uploaded_at), 0)), count(*)"
        f" {_FILES}",
    ),
    Metric(
        "files_waiting", "gauge", "Files in work, or that wait for their next attempt or for another spec",
        ("bucket", "state"),
        "SELECT bucket, CASE WHEN next_attempt IS NULL THEN 'waits for another spec' ELSE 'in work' END, count(*)"
        " FROM uploads.attempts GROUP BY 1, 2",
    ),
    Metric(
        "stored_rows", "gauge", "Rows that were loaded and not erased", ("dataset",),
        "SELECT dataset, sum(coalesce(rows_loaded, 0) - rows_erased) FROM uploads.ledger"
        " WHERE purpose = 'train' GROUP BY 1",
    ),
    Metric(
        "last_load_timestamp_seconds", "gauge", "When a file was last loaded", ("dataset",),
        "SELECT dataset, extract(epoch FROM max(claimed_at)) FROM uploads.ledger WHERE purpose = 'train' GROUP BY 1",
    ),
    Metric(
        "source_lag", "gauge", "Rows, or files, of a source that wait to be read", ("dataset", "purpose"),
        "SELECT dataset, purpose, lag FROM sources.status WHERE lag IS NOT NULL",
    ),
    Metric(
        "source_seen_timestamp_seconds", "gauge", "When a source last answered", ("dataset", "purpose"),
        "SELECT dataset, purpose, extract(epoch FROM seen_at) FROM sources.status WHERE seen_at IS NOT NULL",
    ),
    Metric(
        "source_problem", "gauge", "1 while a source cannot be read", ("dataset", "purpose"),
        "SELECT dataset, purpose, (problem_since IS NOT NULL)::int FROM sources.status",
    ),
)  # fmt: skip

_LIVE = """
WITH live AS (
    SELECT DISTINCT ON (model) model, to_version AS version, moved_at, run_id
    FROM models.movements WHERE is_done ORDER BY model, movement_id DESC
)"""
_LAST = """
WITH last AS (
    SELECT DISTINCT ON (dataset, kind) dataset, kind, window_end, rows, verdict, figures
    FROM monitoring.checks ORDER BY dataset, kind, window_end DESC, check_id DESC
)"""
_FINDINGS = "FROM last, jsonb_array_elements(figures -> 'findings') AS finding WHERE last.kind = 'drift'"

MODELS = (
    Metric(
        "predictions", "counter", "Predictions in the log", ("dataset", "source"),
        "SELECT model, source, count(*) FROM predictions.log WHERE model = ANY(%(datasets)s)"
        f" AND {IN_TIME.format('requested_at')} GROUP BY 1, 2",
    ),
    Metric(
        "gate_decisions", "counter", "Decisions of the gate", ("dataset", "decision"),
        f"SELECT model, decision, count(*) FROM models.decisions WHERE {IN_TIME.format('decided_at')} GROUP BY 1, 2",
    ),
    Metric(
        "champion_changes", "counter", "Changes of the live model", ("dataset", "why"),
        "SELECT model, why, count(*) FROM models.movements"
        f" WHERE is_done AND {IN_TIME.format('moved_at')} GROUP BY 1, 2",
    ),
    Metric(
        "champion_version", "gauge", "The version of the live model", ("dataset",),
        f"{_LIVE} SELECT model, version FROM live WHERE version IS NOT NULL",
    ),
    Metric(
        "champion_live_since_timestamp_seconds", "gauge", "When the live model went live", ("dataset",),
        f"{_LIVE} SELECT model, extract(epoch FROM moved_at) FROM live WHERE version IS NOT NULL",
    ),
    Metric(
        "champion_trained_timestamp_seconds", "gauge", "When the live model was trained", ("dataset",),
        f"{_LIVE} SELECT model, extract(epoch FROM recorded_at)"
        " FROM live JOIN models.versions USING (model, version, run_id)",
    ),
    Metric(
        "champion_holdout_score", "gauge", "Score of the live model on the hold-out, at the gate",
        ("dataset", "metric"),
        f"{_LIVE} SELECT model, metric, challenger_score FROM live JOIN models.decisions USING (model, version, run_id)"
        " WHERE challenger_score IS NOT NULL",
    ),
    Metric(
        "check_timestamp_seconds", "gauge", "Until when the last check of this kind looked", ("dataset", "kind"),
        f"{_LAST} SELECT dataset, kind, extract(epoch FROM window_end) FROM last",
    ),
    Metric(
        "check_rows", "gauge", "Rows that the last check of this kind looked at", ("dataset", "kind"),
        f"{_LAST} SELECT dataset, kind, rows FROM last",
    ),
    Metric(
        "check_alarm", "gauge", "1 if the last check of this kind found drift or a broken promise", ("dataset", "kind"),
        f"{_LAST} SELECT dataset, kind, (verdict IN ('drift', 'below the promise'))::int FROM last",
    ),
    Metric(
        "drift_effect", "gauge", "Size of a difference in the last check for drift: PSI, AUC or share, by its test",
        ("dataset", "test", "feature"),
        f"{_LAST}, ranked AS (SELECT dataset, finding ->> 'kind' AS test, finding ->> 'feature' AS feature,"
        " abs((finding ->> 'effect')::float) AS effect, row_number() OVER (PARTITION BY dataset"
        f" ORDER BY abs((finding ->> 'effect')::float) DESC) AS place {_FINDINGS})"
        " SELECT dataset, test, feature, effect FROM ranked WHERE place <= 50",
    ),
    Metric(
        "drift_tests", "gauge", "Tests of the last check for drift, by their verdict", ("dataset", "verdict"),
        f"{_LAST} SELECT dataset, finding ->> 'verdict', count(*) {_FINDINGS} GROUP BY 1, 2",
    ),
    Metric(
        "performance_score", "gauge", "Score of the live model in the last check: promised, seen, or expected",
        ("dataset", "metric", "of"),
        f"{_LAST} SELECT DISTINCT ON (dataset, part.of) dataset, figures ->> 'metric', part.of,"
        " (figures -> part.of ->> 'value')::float FROM last, unnest(ARRAY['promised', 'seen', 'expected']) AS part(of)"
        " WHERE last.kind <> 'drift' AND figures -> part.of ->> 'value' IS NOT NULL"
        " ORDER BY dataset, part.of, window_end DESC",
    ),
    Metric(
        "alerts_open", "gauge", "Alerts that are not over, by their event", ("event",),
        "SELECT event, count(*) FROM monitoring.alerts WHERE is_state AND ended_at IS NULL GROUP BY 1",
    ),
    Metric(
        "alert_messages_unsent", "gauge", "Messages of alerts that wait for their next attempt", ("channel",),
        "SELECT channel, count(*) FROM monitoring.alert_messages WHERE sent_at IS NULL GROUP BY 1",
    ),
)  # fmt: skip

# Airflow has no index on the end of a task, but on when a run is due. Two days are more than any run should take.
_RECENT = "run.run_after >= %(after)s::timestamptz - interval '2 days'"

AIRFLOW = (
    Metric(
        "task_seconds", "summary", "Duration of the tasks that ended", ("dag", "task", "state"),
        "SELECT ti.dag_id, ti.task_id, ti.state, sum(ti.duration), count(*) FROM task_instance AS ti"
        " JOIN dag_run AS run USING (dag_id, run_id)"
        f" WHERE {_RECENT} AND ti.state IN ('success', 'failed') AND ti.duration IS NOT NULL"
        f" AND {IN_TIME.format('ti.end_date')} GROUP BY 1, 2, 3", "airflow",
    ),
    Metric(
        "run_seconds", "summary", "Duration of the DAG runs that ended", ("dag", "state"),
        "SELECT dag_id, state, sum(extract(epoch FROM end_date - start_date)), count(*) FROM dag_run AS run"
        f" WHERE {_RECENT} AND state IN ('success', 'failed') AND start_date IS NOT NULL"
        f" AND {IN_TIME.format('end_date')} GROUP BY 1, 2", "airflow",
    ),
    Metric(
        "tasks", "gauge", "Tasks that are not over, by their state", ("state",),
        "SELECT known.state, count(ti.state) FROM"
        " unnest(ARRAY['scheduled', 'queued', 'running', 'deferred', 'up_for_retry']) AS known(state)"
        " LEFT JOIN task_instance AS ti ON ti.state = known.state GROUP BY 1", "airflow",
    ),
    Metric(
        "component_heartbeat_timestamp_seconds", "gauge", "The newest heartbeat of a component of Airflow",
        ("component",),
        "SELECT job_type, extract(epoch FROM max(latest_heartbeat)) FROM job WHERE state = 'running' GROUP BY 1",
        "airflow",
    ),
)  # fmt: skip

METRICS = (*FILES, *MODELS, *AIRFLOW)

# What the server finds out without a query: name, help and labels.
OWN = (
    Metric("server_up", "gauge", "1 if the health page of a server says that it works", ("server",), ""),
    Metric("database_up", "gauge", "1 if a database answered all queries of this page", ("database",), ""),
    Metric("collection_seconds", "gauge", "How long the last collection of these metrics took", (), ""),
)
