"""MLflow: the client of its server, and the calls that several packages use."""

import json
import os
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from mlflow import MlflowClient
from mlflow.entities import Metric, Run, RunTag
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from ml_platform.settings import settings

if TYPE_CHECKING:  # most callers draw no charts
    from matplotlib.figure import Figure

TEXT_LIMIT = 4000  # the longest value of a tag, in characters
KIND = {"mlflow.experimentKind": "custom_model_development"}
QUIET = {"MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true", "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false"}


def connect() -> MlflowClient:
    """Return a client of the tracking server and registry.

    It survives an outage of some minutes: MLflow itself retries 7 times over about 4 minutes
    (`MLFLOW_HTTP_REQUEST_MAX_RETRIES`).
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    uri = settings().mlflow_tracking_uri
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def run_url(run: Run) -> str:
    """Return the address of a run for browsers."""
    return page_url(_run_page(run))


def artifact_page(run: Run, path: str) -> str:
    """Return the page of an artifact of a run, for `page_url`: without MLflow's address, which may change."""
    return f"{_run_page(run)}/artifacts/{path}"


def page_url(page: str) -> str:
    """Return the address of one of MLflow's pages for browsers."""
    return f"{_browser_url()}/#/{page}"


def _run_page(run: Run) -> str:
    return f"experiments/{run.info.experiment_id}/runs/{run.info.run_id}"


def version_url(name: str, version: int) -> str:
    """Return the address of a model version for browsers; its description links to the model card."""
    return page_url(f"models/{name}/versions/{version}")


def compare_url(experiment_id: str, run_ids: Sequence[str]) -> str:
    """Return the address for browsers of the page that shows runs of an experiment side by side."""
    runs, experiments = (quote(json.dumps(ids), safe="") for ids in (list(run_ids), [experiment_id]))
    return page_url(f"compare-runs?runs={runs}&experiments={experiments}")


def _browser_url() -> str:
    return (settings().mlflow_url or settings().mlflow_tracking_uri).rstrip("/")


def experiment_id(client: MlflowClient, name: str) -> str:
    """Return the id of the experiment of a name; it is created if there is none, and restored if it was deleted.

    Its kind says that it is about trained models, not about language models; a kind that a person chose stays.
    """
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        return _create_experiment(client, name)
    if experiment.lifecycle_stage == "deleted":
        client.restore_experiment(experiment.experiment_id)
    for tag, value in KIND.items():
        if tag not in experiment.tags:
            client.set_experiment_tag(experiment.experiment_id, tag, value)
    return str(experiment.experiment_id)


def _create_experiment(client: MlflowClient, name: str) -> str:
    try:
        return str(client.create_experiment(name, tags=KIND))
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    return experiment_id(client, name)  # another process created it in the meantime


def versions(client: MlflowClient, name: str) -> Iterator[ModelVersion]:
    """Yield all versions of a registered model; none if there is no such model."""
    token: str | None = ""
    while token is not None:
        page = client.search_model_versions(f"name = '{name}'", page_token=token or None)
        yield from page
        token = page.token or None


@contextmanager
def running(client: MlflowClient, run_id: str) -> Iterator[None]:
    """Set the status of a run: RUNNING in the block, then FINISHED, or FAILED after an exception."""
    client.update_run(run_id, status="RUNNING")
    status = "FAILED"
    try:
        yield
        status = "FINISHED"
    finally:
        client.set_terminated(run_id, status)


def log_metrics(client: MlflowClient, run_id: str, values: Mapping[str, float], step: int = 0) -> None:
    """Log metrics of a run in one call."""
    now = int(time.time() * 1000)
    client.log_batch(run_id, [Metric(name, float(value), now, step) for name, value in values.items()])


def set_tags(client: MlflowClient, run_id: str, tags: Mapping[str, str]) -> None:
    """Set tags of a run in one call."""
    client.log_batch(run_id, tags=[RunTag(*item) for item in tags.items()])


def log_charts(client: MlflowClient, run_id: str, charts: Mapping[str, "Figure"]) -> None:
    """Store figures as `charts/<name>.png`."""
    with tempfile.TemporaryDirectory() as folder:
        for name, figure in charts.items():
            figure.savefig(Path(folder) / f"{name}.png")
        client.log_artifacts(run_id, folder, "charts")
