"""MLflow's runs of candidates that are older than their retention. The runs of searches stay.

A search's own run has what an audit asks for: the training set, the metrics and the predictions on the hold-out, the
card, and the version that it registered. The runs of its candidates show how the others did.
"""

from collections.abc import Iterator
from datetime import datetime

from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from ml_platform.exceptions import ServiceError
from ml_platform.storage import mlflow_client
from ml_platform.training.tracking import PARENT

PAGE = 1000
ENDED = ("FINISHED", "FAILED", "KILLED")


def before(name: str, moment: datetime) -> Iterator[Run]:
    """Yield the runs of candidates of a data set that started before a moment and that nothing needs.

    Those of a search stay while it runs, and while a version that it registered has an alias.

    Raises:
        ServiceError: MLflow failed; run it again.
    """
    client = mlflow_client.connect()
    try:
        experiment = client.get_experiment_by_name(name)
        if experiment is None:
            return
        needed = _searches_with_alias(client, name)
        removable: dict[str, bool] = {}
        for run in _candidates(client, experiment.experiment_id, moment):
            parent = run.data.tags.get(PARENT, "")
            if parent not in removable:
                removable[parent] = parent not in needed and client.get_run(parent).info.status in ENDED
            if removable[parent]:
                yield run
    except MlflowException as error:
        raise ServiceError(f"MLflow: {error}") from error


def remove(run: Run) -> None:
    """Delete a run; idempotent.

    Raises:
        ServiceError: MLflow failed; run it again.
    """
    try:
        mlflow_client.connect().delete_run(run.info.run_id)
    except MlflowException as error:
        raise ServiceError(f"MLflow: {error}") from error


def _searches_with_alias(client: MlflowClient, name: str) -> set[str]:
    return {version.run_id or "" for version in mlflow_client.versions(client, name) if version.aliases}


def _candidates(client: MlflowClient, experiment_id: str, moment: datetime) -> list[Run]:
    query = f"tags.kind = 'candidate' and attributes.start_time < {int(moment.timestamp() * 1000)}"
    runs: list[Run] = []
    token: str | None = ""
    while token is not None:
        page = client.search_runs(
            [experiment_id], query, max_results=PAGE, order_by=["start_time"], page_token=token or None
        )
        runs += page
        token = page.token or None
    return runs
