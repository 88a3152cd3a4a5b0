"""Checks in MLflow: one run per data set and kind, whose metrics have a point per check, so that they show as lines."""

from collections.abc import Iterator

from mlflow import MlflowClient
from mlflow.entities import Metric

from ml_platform.monitoring.checks import BROKEN, Check
from ml_platform.storage import mlflow_client

EXPERIMENT = "monitoring"


def log_check(check: Check) -> None:
    """Add the points of a check; logged again, they replace themselves.

    Raises:
        MlflowException: MLflow failed; run it again.
    """
    client = mlflow_client.connect()
    moment = int(check.window.end.timestamp() * 1000)
    step = moment // 1000  # seconds, so that points are in the order of time
    points = [Metric(name, value, moment, step) for name, value in _values(check)]
    client.log_batch(_run(client, check.window.model, check.kind), points)


def _run(client: MlflowClient, name: str, kind: str) -> str:
    experiment = mlflow_client.experiment_id(client, EXPERIMENT)
    query = f"tags.dataset = '{name}' and tags.kind = '{kind}'"
    runs = client.search_runs([experiment], query, order_by=["start_time"], max_results=1)
    run = (
        runs[0]
        if runs
        else client.create_run(experiment, run_name=f"{name} {kind}", tags={"dataset": name, "kind": kind})
    )
    return str(run.info.run_id)


def _values(check: Check) -> Iterator[tuple[str, float]]:
    yield "rows", float(check.rows)
    yield "model_version", float(check.window.version)
    yield from _drift(check) if check.kind == "drift" else _performance(check)


def _performance(check: Check) -> Iterator[tuple[str, float]]:
    yield "is_below_the_promise", float(check.verdict == BROKEN)
    for name in ("promised", "seen", "expected"):
        if (found := check.figures[name]) is not None:
            yield name, found["value"]
    for one in check.figures["mistakes"]:
        yield f"seen/{one['kind']}", one["seen"]
        yield f"promised/{one['kind']}", one["promised"]


def _drift(check: Check) -> Iterator[tuple[str, float]]:
    findings = check.figures["findings"]
    yield "drift", float(check.verdict == "drift")
    yield "share_of_tests_with_drift", sum(one["verdict"] == "drift" for one in findings) / max(1, len(findings))
    for one in findings:
        yield "/".join(filter(None, (one["kind"], one["feature"]))), one["effect"]
