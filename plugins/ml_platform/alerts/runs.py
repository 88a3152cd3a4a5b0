"""Causes in Airflow's database: failed runs, and approvals that are waited for.

The role `alerts` may read only these columns there: `stack.airflow_setup` grants them.
"""

from collections.abc import Collection
from typing import Any

from ml_platform.alerts.causes import Cause, Look
from ml_platform.alerts.store import Connection

TRAINING = "train_"
LAST_RUNS = """
SELECT dag.dag_id, run.run_id FROM dag CROSS JOIN LATERAL (
    SELECT run_id, state FROM dag_run
    WHERE dag_run.dag_id = dag.dag_id AND state IN ('success', 'failed') ORDER BY end_date DESC NULLS LAST LIMIT 1
) AS run WHERE run.state = 'failed' AND NOT dag.is_stale"""
APPROVALS = """
SELECT task.dag_id, task.run_id, question.subject FROM hitl_detail AS question
JOIN task_instance AS task ON task.id = question.ti_id
WHERE question.responded_at IS NULL AND coalesce(task.state, '') NOT IN ('success', 'failed', 'skipped', 'removed')"""


def failed_runs(connection: Connection, datasets: Collection[str]) -> Look:
    """Return the DAGs whose last finished run failed: over as soon as a later one succeeds.

    Args:
        connection: to Airflow's database.
        datasets: names of the data sets and feature tables, which the names of their DAGs end with.
    """
    causes = [
        Cause("training_failed" if dag.startswith(TRAINING) else "run_failed", dag, _run(dag, run), _of(dag, datasets))
        for dag, run in connection.execute(LAST_RUNS)
    ]
    return Look.of(["training_failed", "run_failed"], causes)


def approvals(connection: Connection, datasets: Collection[str]) -> Look:
    """Return the questions that wait for a person's answer."""
    causes = [
        Cause("approval_waits", f"{dag}/{run}", _run(dag, run) | {"subject": subject}, _of(dag, datasets))
        for dag, run, subject in connection.execute(APPROVALS)
    ]
    return Look.of(["approval_waits"], causes)


def _run(dag: str, run: str) -> dict[str, Any]:
    return {"dag": dag, "run": run}


def _of(dag: str, datasets: Collection[str]) -> str | None:
    """Return the data set of a DAG, `<verb>_<data set>`; None for a DAG of all, such as housekeeping."""
    name = dag.partition("_")[2]
    return name if name in datasets else None
