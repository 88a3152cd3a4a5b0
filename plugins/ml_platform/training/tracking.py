"""What MLflow is told of a search, and what it remembers of one: the parent run and a child run per candidate."""

import json
import logging
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Dataset as DatasetEntity
from mlflow.entities import DatasetInput, InputTag, Metric, Param, Run
from mlflow.utils.git_utils import get_git_commit

from ml_platform import ROOT
from ml_platform.evaluation.holdout_report import HoldoutReport, probabilities_in
from ml_platform.evaluation.metrics import Probabilities
from ml_platform.storage import mlflow_client
from ml_platform.training.candidates import Candidate
from ml_platform.training.search import CandidateResult

log = logging.getLogger(__name__)

PARENT = "mlflow.parentRunId"
PAGE = 1000
PREDICTIONS = "holdout_predictions.parquet"


def commit() -> str:
    """Return the commit that runs: what a container image was built from (its file REVISION), else what git says."""
    built = ROOT / "REVISION"
    return built.read_text().strip() if built.exists() else get_git_commit(str(ROOT)) or "unknown"


def parent_run(client: MlflowClient, experiment: str, search_id: str, name: str, tags: Mapping[str, str]) -> Run:
    """Return the parent run of a search: the one it had before it was killed, or a new one."""
    found = client.search_runs([experiment], f"tags.search_id = '{search_id}'", order_by=["start_time"], max_results=1)
    if found:
        log.info("this search was begun before; it goes on in run %s", found[0].info.run_id)
        return found[0]
    return client.create_run(experiment, run_name=name, tags={"search_id": search_id, "kind": "search", **tags})


def log_candidate(client: MlflowClient, parent: Run, result: CandidateResult) -> None:
    """Log one candidate as a child run: parameters, mean, sd and folds of each metric, or why it failed."""
    candidate = result.candidate
    tags = {PARENT: parent.info.run_id, "candidate_id": candidate.id, "kind": "candidate"} | _texts(result)
    tags["candidate"] = json.dumps([candidate.estimator, candidate.params])
    started = int(result.started * 1000)
    ended = started + int(result.seconds * 1000)
    run = client.create_run(parent.info.experiment_id, run_name=str(candidate), start_time=started, tags=tags)
    params = {"estimator": candidate.estimator} | {name: str(value) for name, value in candidate.params.items()}
    client.log_batch(run.info.run_id, _metrics(result, ended), [Param(*item) for item in params.items()])
    client.set_terminated(run.info.run_id, "FAILED" if result.error else "FINISHED", end_time=ended)


def _texts(result: CandidateResult) -> dict[str, str]:
    texts = {"error": result.error or "", "warnings": "\n".join(result.notes)}
    return {name: text[-mlflow_client.TEXT_LIMIT :] for name, text in texts.items() if text}


def _metrics(result: CandidateResult, at: int) -> list[Metric]:
    values = [("fit_seconds", result.fit_seconds, 0), ("seconds", result.seconds, 0)]
    values += [(name, mean, 0) for name, mean in result.means.items()]
    values += [(f"{name}_sd", sd, 0) for name, sd in result.sds.items()]
    values += [(f"fold_{name}", value, k) for name, folds in result.folds.items() for k, value in enumerate(folds)]
    return [Metric(name, value, at, step) for name, value, step in values]


def logged_results(client: MlflowClient, parent: Run) -> dict[str, CandidateResult]:
    """Return the results that an earlier attempt logged, by candidate id.

    A child that is still RUNNING was being logged when its process was killed: it is closed as KILLED and counts for
    nothing.
    """
    results: dict[str, CandidateResult] = {}
    for run in _children(client, parent):
        if run.info.status == "RUNNING":
            client.set_terminated(run.info.run_id, "KILLED")
        elif run.info.status in ("FINISHED", "FAILED"):
            results[run.data.tags["candidate_id"]] = _result(run)
    return results


def _children(client: MlflowClient, parent: Run) -> list[Run]:
    query = f"tags.`{PARENT}` = '{parent.info.run_id}' and tags.kind = 'candidate'"
    found: list[Run] = []
    token: str | None = ""
    while token is not None:
        page = client.search_runs([parent.info.experiment_id], query, max_results=PAGE, page_token=token or None)
        found += page
        token = page.token or None
    return found


def _result(run: Run) -> CandidateResult:
    metrics, tags = run.data.metrics, run.data.tags
    return CandidateResult(
        Candidate(*json.loads(tags["candidate"])),
        means={name: value for name, value in metrics.items() if f"{name}_sd" in metrics},
        sds={name.removesuffix("_sd"): value for name, value in metrics.items() if name.endswith("_sd")},
        fit_seconds=metrics.get("fit_seconds", 0.0),
        started=run.info.start_time / 1000,
        seconds=metrics.get("seconds", 0.0),
        error=(tags.get("error") or "failed") if run.info.status == "FAILED" else None,
        notes=tuple(filter(None, tags.get("warnings", "").split("\n"))),
    )


def log_counts(client: MlflowClient, run_id: str, total: int, results: Iterable[CandidateResult]) -> None:
    """Show on the parent run how far the search is."""
    errors = [result.error for result in results]
    counts = {
        "candidates_total": total, "candidates_done": len(errors), "candidates_failed": len(errors) - errors.count(None)
    }  # fmt: skip
    mlflow_client.log_metrics(client, run_id, counts, step=len(errors))


def log_input(client: MlflowClient, run_id: str, name: str, sha256: str, uri: str, profile: Mapping[str, Any]) -> None:
    """Name the training set as the run's input; MLflow cuts a digest at 36 characters."""
    entity = DatasetEntity(name, sha256[:36], "s3", json.dumps({"uri": uri}), profile=json.dumps(profile))
    client.log_inputs(run_id, [DatasetInput(entity, [InputTag("mlflow.data.context", "training")])])


def newest_search(name: str) -> dict[str, float]:
    """Return the metrics of a data set's newest search, such as `candidates_done`; empty if there is none."""
    client = mlflow_client.connect()
    found = client.get_experiment_by_name(name)
    runs = found and client.search_runs(
        [found.experiment_id], "tags.kind = 'search'", max_results=1, order_by=["start_time DESC"]
    )
    return dict(runs[0].data.metrics) if runs else {}


def log_holdout_report(client: MlflowClient, run_id: str, report: HoldoutReport) -> None:
    """Keep metrics, charts and predictions of a new model with its run."""
    metrics = {f"holdout_{name}": value for name, value in report.metrics.items()}
    if report.threshold is not None and report.positives is not None:
        metrics |= {"threshold": report.threshold, "holdout_positives": report.positives}
    mlflow_client.log_metrics(client, run_id, metrics)
    mlflow_client.log_charts(client, run_id, report.charts)
    with tempfile.TemporaryDirectory() as folder:
        report.predictions.to_parquet(Path(folder) / PREDICTIONS, index=False)
        client.log_artifact(run_id, str(Path(folder) / PREDICTIONS))


def holdout_probabilities(run_id: str) -> Probabilities:
    """Return the probabilities that a model gave to the hold-out when it was trained, in the shape it gave them."""
    with tempfile.TemporaryDirectory() as folder:
        path = mlflow_client.connect().download_artifacts(run_id, PREDICTIONS, folder)
        return probabilities_in(pd.read_parquet(path))
