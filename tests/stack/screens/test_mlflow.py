"""MLflow behind the guard: found by its server, and on a real one."""

import json
import urllib.error
import urllib.request
from base64 import b64encode
from importlib.metadata import entry_points
from typing import Any

import pytest

from ml_platform.storage import mlflow_client
from tests.ml_platform.ingestion.upload_cases import new_name

CREATE = "/api/2.0/mlflow/experiments/create"


def test_mlflow_finds_the_application_by_its_name() -> None:
    (found,) = (one for one in entry_points(group="mlflow.app") if one.name == "ml-platform")
    assert found.value == "stack.screens.mlflow:create_app"


def create_experiment(url: str, user: str, password: str, **headers: str) -> int:
    """Return the status of the answer."""
    login = b64encode(f"{user}:{password}".encode()).decode()
    merged = {"Content-Type": "application/json", "Authorization": f"Basic {login}", **headers}
    request = urllib.request.Request(url + CREATE, json.dumps({"name": new_name()}).encode(), merged)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310 – http only
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.mark.servers
def test_people_and_pipelines_write_from_its_own_pages_and_nobody_else_does(mlflow_server: Any) -> None:
    config, url = mlflow_server, mlflow_server.mlflow_url
    for user, secret in (
        (config.mlflow_admin_user, config.mlflow_admin_password),
        (config.mlflow_pipelines_user, config.mlflow_pipelines_password),
    ):
        password = secret.get_secret_value()
        assert create_experiment(url, user, password) == 200
        assert create_experiment(url, user, password, Origin=f"http://localhost:{config.mlflow_port}") == 200
        assert create_experiment(url, user, password, Origin="http://localhost:3333") == 403
        assert create_experiment(url, user, password, Host="evil.example") == 403
        assert create_experiment(url, user, f"{password}x") == 401
    assert mlflow_client.connect().search_experiments()  # the login of the pipelines is in the environment of clients
