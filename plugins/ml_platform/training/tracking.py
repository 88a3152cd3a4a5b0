"""What MLflow is told of a search, and what it remembers of one: the parent run and a child run per candidate."""

import json
import logging
import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlflow import MlflowClient
from mlflow.entities import Dataset as DatasetEntity
from mlflow.entities import DatasetInput, InputTag, Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException
from mlflow.utils.git_utils import get_git_commit

from ml_platform import ROOT
from ml_platform.settings import settings
from ml_platform.training.candidates import Candidate
from ml_platform.training.search import Outcome

if TYPE_CHECKING:  # most who track draw nothing
    from matplotlib.figure import Figure

log = logging.getLogger(__name__)

PARENT = "mlflow.parentRunId"
TEXT_LIMIT = 4000  # of the characters that a tag takes
PAGE = 1000
QUIET = {"MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true", "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false"}


def client() -> MlflowClient:
    """Return a client of the tracking server; a server that is away for some minutes is waited for.

    MLflow's own retries do that: 7 of them over about 4 minutes (`MLFLOW_HTTP_REQUEST_MAX_RETRIES`).
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    uri = settings().mlflow_tracking_uri
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def commit() -> str:
    """Return the commit that runs: what a container image was built from (its file REVISION), else what git says."""
    built = ROOT / "REVISION"
    return built.read_text().strip() if built.exists() else get_git_commit(str(ROOT)) or "unknown"


def run_url(run: Run) -> str:
    """Return where a browser finds a run."""
    base = (settings().mlflow_url or settings().mlflow_tracking_uri).rstrip("/")
    return f"{base}/#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}"


def experiment_id(mlflow: MlflowClient, name: str) -> str:
    """Return the id of the experiment of that name, made if there is none and restored if it was deleted."""
    found = mlflow.get_experiment_by_name(name)
    if found is None:
        return _create_experiment(mlflow, name)
    if found.lifecycle_stage == "deleted":
        mlflow.restore_experiment(found.experiment_id)
    return str(found.experiment_id)


def _create_experiment(mlflow: MlflowClient, name: str) -> str:
    try:
        return str(mlflow.create_experiment(name))
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    return experiment_id(mlflow, name)  # another training was faster


def parent_run(mlflow: MlflowClient, experiment: str, search_id: str, name: str, tags: Mapping[str, str]) -> Run:
    """Return the parent run of a search: the one it had before it was killed, or a new one."""
    found = mlflow.search_runs([experiment], f"tags.search_id = '{search_id}'", order_by=["start_time"], max_results=1)
    if found:
        log.info("this search was begun before; it goes on in run %s", found[0].info.run_id)
        return found[0]
    return mlflow.create_run(experiment, run_name=name, tags={"search_id": search_id, "kind": "search", **tags})


@contextmanager
def running(mlflow: MlflowClient, run_id: str) -> Iterator[None]:
    """Show a run as RUNNING inside the block, FINISHED after it and FAILED if it was left by an error."""
    mlflow.update_run(run_id, status="RUNNING")
    status = "FAILED"
    try:
        yield
        status = "FINISHED"
    finally:
        mlflow.set_terminated(run_id, status)


def log_outcome(mlflow: MlflowClient, parent: Run, outcome: Outcome) -> None:
    """Log one candidate as a child run: parameters, mean, sd and folds of each metric, or why it failed."""
    candidate = outcome.candidate
    tags = {PARENT: parent.info.run_id, "candidate_id": candidate.id, "kind": "candidate"} | _texts(outcome)
    tags["candidate"] = json.dumps([candidate.estimator, candidate.params])
    started = int(outcome.started * 1000)
    ended = started + int(outcome.seconds * 1000)
    run = mlflow.create_run(parent.info.experiment_id, run_name=str(candidate), start_time=started, tags=tags)
    params = {"estimator": candidate.estimator} | {name: str(value) for name, value in candidate.params.items()}
    mlflow.log_batch(run.info.run_id, _metrics(outcome, ended), [Param(*item) for item in params.items()])
    mlflow.set_terminated(run.info.run_id, "FAILED" if outcome.error else "FINISHED", end_time=ended)


def _texts(outcome: Outcome) -> dict[str, str]:
    texts = {"error": outcome.error or "", "warnings": "\n".join(outcome.notes)}
    return {name: text[-TEXT_LIMIT:] for name, text in texts.items() if text}


def _metrics(outcome: Outcome, at: int) -> list[Metric]:
    values = [("fit_seconds", outcome.fit_seconds, 0), ("seconds", outcome.seconds, 0)]
    values += [(name, mean, 0) for name, mean in outcome.means.items()]
    values += [(f"{name}_sd", sd, 0) for name, sd in outcome.sds.items()]
    values += [(f"fold_{name}", value, k) for name, folds in outcome.folds.items() for k, value in enumerate(folds)]
    return [Metric(name, value, at, step) for name, value, step in values]


def remembered(mlflow: MlflowClient, parent: Run) -> dict[str, Outcome]:
    """Return the outcomes that an earlier attempt logged, by candidate id.

    A child that is still RUNNING was being logged when its process was killed: it is closed as KILLED and counts for
    nothing.
    """
    outcomes: dict[str, Outcome] = {}
    for run in _children(mlflow, parent):
        if run.info.status == "RUNNING":
            mlflow.set_terminated(run.info.run_id, "KILLED")
        elif run.info.status in ("FINISHED", "FAILED"):
            outcomes[run.data.tags["candidate_id"]] = _outcome(run)
    return outcomes


def _children(mlflow: MlflowClient, parent: Run) -> list[Run]:
    query = f"tags.`{PARENT}` = '{parent.info.run_id}' and tags.kind = 'candidate'"
    found: list[Run] = []
    token: str | None = ""
    while token is not None:
        page = mlflow.search_runs([parent.info.experiment_id], query, max_results=PAGE, page_token=token or None)
        found += page
        token = page.token or None
    return found


def _outcome(run: Run) -> Outcome:
    metrics, tags = run.data.metrics, run.data.tags
    return Outcome(
        Candidate(*json.loads(tags["candidate"])),
        means={name: value for name, value in metrics.items() if f"{name}_sd" in metrics},
        sds={name.removesuffix("_sd"): value for name, value in metrics.items() if name.endswith("_sd")},
        fit_seconds=metrics.get("fit_seconds", 0.0),
        started=run.info.start_time / 1000,
        seconds=metrics.get("seconds", 0.0),
        error=(tags.get("error") or "failed") if run.info.status == "FAILED" else None,
        notes=tuple(filter(None, tags.get("warnings", "").split("\n"))),
    )


def log_counts(mlflow: MlflowClient, run_id: str, total: int, outcomes: Iterable[Outcome]) -> None:
    """Show on the parent run how far the search is."""
    errors = [outcome.error for outcome in outcomes]
    counts = {
        "candidates_total": total, "candidates_done": len(errors), "candidates_failed": len(errors) - errors.count(None)
    }  # fmt: skip
    log_metrics(mlflow, run_id, counts, step=len(errors))


def log_metrics(mlflow: MlflowClient, run_id: str, values: Mapping[str, float], step: int = 0) -> None:
    """Log metrics of a run in one call."""
    now = int(time.time() * 1000)
    mlflow.log_batch(run_id, [Metric(name, float(value), now, step) for name, value in values.items()])


def set_tags(mlflow: MlflowClient, run_id: str, tags: Mapping[str, str]) -> None:
    """Set tags of a run in one call."""
    mlflow.log_batch(run_id, tags=[RunTag(*item) for item in tags.items()])


def log_input(mlflow: MlflowClient, run_id: str, name: str, sha256: str, uri: str, profile: Mapping[str, Any]) -> None:
    """Name the training set as the run's input; MLflow cuts a digest at 36 characters."""
    entity = DatasetEntity(name, sha256[:36], "s3", json.dumps({"uri": uri}), profile=json.dumps(profile))
    mlflow.log_inputs(run_id, [DatasetInput(entity, [InputTag("mlflow.data.context", "training")])])


def log_charts(mlflow: MlflowClient, run_id: str, charts: Mapping[str, "Figure"]) -> None:
    """Store figures as `charts/<name>.png`."""
    with tempfile.TemporaryDirectory() as folder:
        for name, figure in charts.items():
            figure.savefig(Path(folder) / f"{name}.png")
        mlflow.log_artifacts(run_id, folder, "charts")


def newest_search(name: str) -> dict[str, float]:
    """Return the metrics of a data set's newest search, such as `candidates_done`; empty if there is none."""
    mlflow = client()
    found = mlflow.get_experiment_by_name(name)
    runs = found and mlflow.search_runs(
        [found.experiment_id], "tags.kind = 'search'", max_results=1, order_by=["start_time DESC"]
    )
    return dict(runs[0].data.metrics) if runs else {}


def training_card(run_id: str) -> dict[str, Any]:
    """Return the card that a training wrote into its run."""
    with tempfile.TemporaryDirectory() as folder:
        path = client().download_artifacts(run_id, "training_card.json", folder)
        card: dict[str, Any] = json.loads(Path(path).read_text())
    return card
