"""How servers are looked at, on their machine and from a container."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from ml_platform.doctor import servers
from ml_platform.exceptions import ServiceError
from stack.config import Config


def test_each_server_of_the_machine_has_a_version_a_page_and_a_remedy(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "Supervisor", lambda config: SimpleNamespace(states=lambda: {"postgres": "FATAL"}))
    looks = {look.name: look for look in servers.server_looks(config)}
    assert {"postgres", "objects", "mlflow", "airflow-api", "airflow-scheduler", "home"} <= set(looks)
    assert looks["mlflow"].page.startswith("http://localhost:")
    assert looks["mlflow"].version.startswith("3.")
    assert (looks["postgres"].problem(), looks["objects"].problem()) == ("fatal", "not running")
    assert looks["postgres"].fix == "`make logs server=postgres` shows why; `make up` starts what is stopped"


def test_a_server_that_runs_is_asked(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "Supervisor", lambda config: SimpleNamespace(states=lambda: {"mlflow": "RUNNING"}))
    monkeypatch.setattr(servers, "problem_of", lambda server, states: f"{server.name} {states[server.name]}")
    looks = {look.name: look for look in servers.server_looks(config)}
    assert looks["mlflow"].problem() == "mlflow RUNNING"


@pytest.mark.sockets
def test_a_container_looks_at_what_it_reaches(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise ServiceError("connection refused")

    monkeypatch.setattr(servers, "fetch", away)
    monkeypatch.setattr(servers.object_store, "list_objects", lambda bucket, prefix: [])
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.delenv("AIRFLOW_API_URL", raising=False)
    looks = {look.name: look.problem() for look in servers.server_looks(None)}
    assert looks["postgres"] == "connection refused"
    assert looks["objects"] is None
    assert "refused" in str(looks["mlflow"])
    assert looks["airflow-api"] == "the variable AIRFLOW_API_URL is not set"


def test_a_process_without_a_file_of_settings_makes_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENV_FILE", str(tmp_path / ".env"))
    assert servers.known_config() is None
    assert not (tmp_path / ".env").exists()
