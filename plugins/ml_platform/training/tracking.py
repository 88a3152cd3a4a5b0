"""A search in MLflow: a parent run, and a child run per candidate; both are read back when a search resumes."""

import json
import logging
import math
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
from ml_platform.evaluation.holdout_report import HoldoutReport, outputs_in
from ml_platform.evaluation.task import Outputs
from ml_platform.storage import mlflow_client
from ml_platform.training.candidates import Candidate
from ml_platform.training.group_reports import differences_table, groups_table
from ml_platform.training.model_card import CARD_FILES, CARD_PAGE
from ml_platform.training.search import CandidateResult

log = logging.getLogger(__name__)

PARENT = "mlflow.parentRunId"
PAGE = 1000
PREDICTIONS = "holdout_predictions.parquet"


def commit() -> str:
    """Return the commit of this code: from the file REVISION of a container image, else from git."""
    revision = ROOT / "REVISION"
    return revision.read_text().strip() if revision.exists() else get_git_commit(str(ROOT)) or "unknown"


def parent_run(client: MlflowClient, experiment: str, search_id: str, name: str, tags: Mapping[str, str]) -> Run:
    """Return the parent run of a search: the existing one if the search was killed, else a new one."""
    runs = client.search_runs([experiment], f"tags.search_id = '{search_id}'", order_by=["start_time"], max_results=1)
    if runs:
        log.info("the search resumes in run %s", runs[0].info.run_id)
        return runs[0]
    return client.create_run(experiment, run_name=name, tags={"search_id": search_id, "kind": "search", **tags})


def log_candidate(client: MlflowClient, parent: Run, result: CandidateResult) -> None:
    """Log one candidate as a child run: parameters; mean, sd and folds of each metric, or the error.

    A pruned one has the tag `pruned`, and the values of its first folds, but no means.
    """
    candidate = result.candidate
    tags = {PARENT: parent.info.run_id, "candidate_id": candidate.id, "kind": "candidate"} | _texts(result)
    tags["candidate"] = json.dumps([candidate.estimator, candidate.params])
    tags["folds"] = json.dumps(result.folds)  # the metrics below hold them too, but are read back one by one
    if result.interim:
        tags |= {"interim": json.dumps(result.interim), "pruned": json.dumps(result.pruned)}
    start_time = int(result.start_time * 1000)
    end_time = start_time + int(result.seconds * 1000)
    run = client.create_run(parent.info.experiment_id, run_name=str(candidate), start_time=start_time, tags=tags)
    params = {"estimator": candidate.estimator} | candidate.texts()
    client.log_batch(run.info.run_id, _metrics(result, end_time), [Param(*item) for item in params.items()])
    client.set_terminated(run.info.run_id, "FAILED" if result.error else "FINISHED", end_time=end_time)


def _texts(result: CandidateResult) -> dict[str, str]:
    texts = {"error": result.error or "", "warnings": "\n".join(result.notes)}
    return {name: text[-mlflow_client.TEXT_LIMIT :] for name, text in texts.items() if text}


def _metrics(result: CandidateResult, timestamp: int) -> list[Metric]:
    values = [("seconds", result.seconds, 0), ("elapsed", result.elapsed, 0)]
    values += [(name, mean, 0) for name, mean in result.means.items()]
    values += [(f"{name}_sd", sd, 0) for name, sd in result.sds.items()]
    values += [("interim_score", score, number) for number, score in result.interim.items() if math.isfinite(score)]
    values += [(f"fold_{name}", value, k) for name, folds in result.folds.items() for k, value in enumerate(folds)]
    return [Metric(name, value, timestamp, step) for name, value, step in values]


def logged_results(client: MlflowClient, parent: Run) -> dict[str, CandidateResult]:
    """Return the results that an earlier attempt logged, by candidate id.

    If a child is still RUNNING, its process was killed while it logged the result: it is closed as KILLED and ignored.
    """
    results: dict[str, CandidateResult] = {}
    for run in _children(client, parent):
        if run.info.status == "RUNNING":
            client.set_terminated(run.info.run_id, "KILLED")
        elif run.info.status in ("FINISHED", "FAILED"):
            results[run.data.tags["candidate_id"]] = _result(run)
    return results


def ended_results(client: MlflowClient, parent: Run) -> list[tuple[Run, CandidateResult]]:
    """Return each candidate that has ended, with its run; nothing is changed, so the search may still be running."""
    ended = (run for run in _children(client, parent) if run.info.status in ("FINISHED", "FAILED"))
    return [(run, _result(run)) for run in ended]


def candidate_runs(client: MlflowClient, parent: Run) -> dict[str, Run]:
    """Return the child runs of the candidates that could be fitted, by candidate id."""
    return {run.data.tags["candidate_id"]: run for run in _children(client, parent) if run.info.status == "FINISHED"}


def _children(client: MlflowClient, parent: Run) -> list[Run]:
    query = f"tags.`{PARENT}` = '{parent.info.run_id}' and tags.kind = 'candidate'"
    runs: list[Run] = []
    token: str | None = ""
    while token is not None:
        page = client.search_runs([parent.info.experiment_id], query, max_results=PAGE, page_token=token or None)
        runs += page
        token = page.token or None
    return runs


def _result(run: Run) -> CandidateResult:
    metrics, tags = run.data.metrics, run.data.tags
    return CandidateResult(
        Candidate(*json.loads(tags["candidate"])),
        means={name: value for name, value in metrics.items() if f"{name}_sd" in metrics},
        sds={name.removesuffix("_sd"): value for name, value in metrics.items() if name.endswith("_sd")},
        folds=json.loads(tags["folds"]),
        start_time=run.info.start_time / 1000,
        seconds=metrics.get("seconds", 0.0),
        elapsed=metrics.get("elapsed", 0.0),
        error=(tags.get("error") or "failed") if run.info.status == "FAILED" else None,
        notes=tuple(filter(None, tags.get("warnings", "").split("\n"))),
        interim={int(number): score for number, score in json.loads(tags.get("interim", "{}")).items()},
        pruned=json.loads(tags.get("pruned", "false")),
    )


def log_counts(client: MlflowClient, run_id: str, total: int, results: Iterable[CandidateResult]) -> None:
    """Log the progress of a search to its parent run: candidates in total, done, failed and pruned."""
    done = list(results)
    counts = {
        "candidates_total": total, "candidates_done": len(done),
        "candidates_failed": sum(result.error is not None for result in done),
        "candidates_pruned": sum(result.pruned for result in done),
    }  # fmt: skip
    mlflow_client.log_metrics(client, run_id, counts, step=len(done))


def log_input(client: MlflowClient, run_id: str, name: str, sha256: str, uri: str, profile: Mapping[str, Any]) -> None:
    """Log the training set as the run's input; MLflow allows 36 characters of its digest."""
    entity = DatasetEntity(name, sha256[:36], "s3", json.dumps({"uri": uri}), profile=json.dumps(profile))
    client.log_inputs(run_id, [DatasetInput(entity, [InputTag("mlflow.data.context", "training")])])


def log_holdout_report(client: MlflowClient, run_id: str, report: HoldoutReport) -> None:
    """Log metrics, charts, predictions and groups of a new model to its run."""
    metrics = {f"holdout_{name}": value for name, value in report.metrics.items()}
    metrics |= {f"out_of_fold_{name}": value for name, value in report.out_of_fold.items()}
    metrics |= report.task.figures(report.predictions["label"].to_numpy())
    mlflow_client.log_metrics(client, run_id, metrics)
    mlflow_client.log_charts(client, run_id, report.charts)
    with tempfile.TemporaryDirectory() as folder:
        report.predictions.to_parquet(Path(folder) / PREDICTIONS, index=False)
        client.log_artifact(run_id, str(Path(folder) / PREDICTIONS))
    if report.groups:
        client.log_text(run_id, groups_table(report.groups).to_csv(index=False), "groups/groups.csv")
        client.log_text(run_id, differences_table(report.groups).to_csv(index=False), "groups/differences.csv")


def log_model_card(run_id: str, texts: Mapping[str, str]) -> None:
    """Store a model card with its run.

    Args:
        run_id: of the training.
        texts: the card by the name of its file, as Markdown and as a page.
    """
    client = mlflow_client.connect()
    for name, text in texts.items():
        client.log_text(run_id, text, name)


def read_model_card(run_id: str) -> dict[str, str]:
    """Return the model card of a run, as `log_model_card` took it; empty if the run has none."""
    client = mlflow_client.connect()
    names = [item.path for item in client.list_artifacts(run_id) if item.path in CARD_FILES]
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: Path(client.download_artifacts(run_id, name, folder)) for name in names}
        return {name: path.read_text(encoding="utf-8") for name, path in paths.items()}


def model_card_page(run: Run) -> str:
    """Return the page of a run's model card, for `mlflow_client.page_url`."""
    return mlflow_client.artifact_page(run, CARD_PAGE)


def holdout_predictions(run_id: str) -> pd.DataFrame | None:
    """Return the predictions for the hold-out that were logged when a model was trained, see `HoldoutReport`.

    None if the run has none, as that of a version that another platform trained.
    """
    client = mlflow_client.connect()
    if not any(item.path == PREDICTIONS for item in client.list_artifacts(run_id)):
        return None
    with tempfile.TemporaryDirectory() as folder:
        return pd.read_parquet(client.download_artifacts(run_id, PREDICTIONS, folder))


def holdout_outputs(run_id: str) -> Outputs:
    """Return the outputs for the hold-out that were logged when a model was trained, in the model's shape."""
    with tempfile.TemporaryDirectory() as folder:
        path = mlflow_client.connect().download_artifacts(run_id, PREDICTIONS, folder)
        return outputs_in(pd.read_parquet(path))
