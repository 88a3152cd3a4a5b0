"""The MLflow client against a real server: experiments, the status of runs, metrics, tags and charts."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

from ml_platform.settings import settings
from ml_platform.storage import mlflow_client
from tests.ml_platform.ingestion.upload_cases import new_name

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("mlflow_server")]


@pytest.fixture
def client() -> MlflowClient:
    return mlflow_client.connect()


@pytest.fixture
def run(client: MlflowClient) -> Run:
    return client.create_run(mlflow_client.experiment_id(client, new_name()))


def status(client: MlflowClient, run: Run) -> str:
    return str(client.get_run(run.info.run_id).info.status)


def test_an_experiment_is_created_once(client: MlflowClient) -> None:
    name = new_name()
    first = mlflow_client.experiment_id(client, name)
    assert mlflow_client.experiment_id(client, name) == first
    assert client.get_experiment(first).name == name


def test_an_experiment_that_several_create_at_once_is_one(client: MlflowClient) -> None:
    name = new_name()
    with ThreadPoolExecutor(4) as pool:
        ids = set(pool.map(lambda _: mlflow_client.experiment_id(mlflow_client.connect(), name), range(8)))
    assert ids == {mlflow_client.experiment_id(client, name)}


def test_a_deleted_experiment_is_restored(client: MlflowClient) -> None:
    name = new_name()
    first = mlflow_client.experiment_id(client, name)
    client.delete_experiment(first)
    assert mlflow_client.experiment_id(client, name) == first
    assert client.get_experiment(first).lifecycle_stage == "active"


def test_a_run_is_running_in_the_block_and_finished_after_it(client: MlflowClient, run: Run) -> None:
    with mlflow_client.running(client, run.info.run_id):
        assert status(client, run) == "RUNNING"
    assert status(client, run) == "FINISHED"


def test_a_run_that_an_error_ends_has_failed_and_may_run_again(client: MlflowClient, run: Run) -> None:
    with pytest.raises(ZeroDivisionError), mlflow_client.running(client, run.info.run_id):
        raise ZeroDivisionError
    assert status(client, run) == "FAILED"
    with mlflow_client.running(client, run.info.run_id):
        assert status(client, run) == "RUNNING"
    assert status(client, run) == "FINISHED"


def test_metrics_and_tags_are_logged(client: MlflowClient, run: Run) -> None:
    mlflow_client.log_metrics(client, run.info.run_id, {"f1": 1, "rows": 8161.0})
    mlflow_client.log_metrics(client, run.info.run_id, {"f1": 0.5}, step=3)
    mlflow_client.set_tags(client, run.info.run_id, {"a": "1", "b": "x" * mlflow_client.TEXT_LIMIT})
    data = client.get_run(run.info.run_id).data
    assert data.metrics == {"f1": 0.5, "rows": 8161.0}
    assert [(metric.step, metric.value) for metric in client.get_metric_history(run.info.run_id, "f1")] == [
        (0, 1.0),
        (3, 0.5),
    ]
    assert (data.tags["a"], len(data.tags["b"])) == ("1", mlflow_client.TEXT_LIMIT)


def test_charts_are_stored_as_images(client: MlflowClient, run: Run, tmp_path: Path) -> None:
    from matplotlib.figure import Figure

    mlflow_client.log_charts(client, run.info.run_id, {"roc": Figure(), "lift": Figure()})
    paths = [item.path for item in client.list_artifacts(run.info.run_id, "charts")]
    assert paths == ["charts/lift.png", "charts/roc.png"]
    chart = Path(client.download_artifacts(run.info.run_id, paths[0], str(tmp_path)))
    assert chart.read_bytes().startswith(b"\x89PNG")


def test_a_run_has_an_address_for_browsers(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"/#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}"
    try:
        for address, base in (
            ("", settings().mlflow_tracking_uri.rstrip("/")),
            ("https://ml.test/", "https://ml.test"),
        ):
            monkeypatch.setenv("MLFLOW_URL", address)
            settings.cache_clear()
            assert mlflow_client.run_url(run) == base + path
            compared = base + "/#/compare-runs?runs=%5B%22a%22%2C%20%22b%22%5D&experiments=%5B%227%22%5D"
            assert mlflow_client.compare_url("7", ["a", "b"]) == compared
    finally:
        monkeypatch.undo()
        settings.cache_clear()
