"""Live models that do not load, or are not what the platform recorded."""

from types import SimpleNamespace

import pytest
from mlflow.exceptions import MlflowException

from ml_platform.doctor import models
from ml_platform.exceptions import RegistryError, ServiceError
from ml_platform.registry import registry
from ml_platform.storage import database
from stack.runners import compose


@pytest.fixture
def live(monkeypatch):
    """Return a function that sets the aliases in MLflow, and the live versions that are recorded."""

    def use(aliases, recorded):
        monkeypatch.setattr(registry, "champions", lambda: aliases)
        monkeypatch.setattr(database, "fetch", lambda sql: list(recorded.items()))
        monkeypatch.setattr(registry, "get_version", lambda name, number: SimpleNamespace(name=name))

    monkeypatch.setattr(registry, "load_live", lambda version: None)
    return use


def test_models_that_load_are_no_problem(live):
    live({"a": 1, "b": 2}, {"a": 1, "b": 2})
    assert list(models.problems()) == []


def test_an_alias_that_is_not_the_recorded_one_is_found(live):
    live({"a": 1, "b": 2}, {"a": 3, "c": 1})
    assert list(models.problems()) == [
        "a: the alias champion names version 1 in MLflow, and the platform made version 3 live",
        "b: the alias champion names version 2 in MLflow, and the platform made none live",
        "c: the alias champion names no version in MLflow, and the platform made version 1 live",
    ]


def test_a_model_that_does_not_load_is_found(live, monkeypatch):
    def load(version):
        raise RegistryError("a version 1: its files\ndiffer")

    live({"a": 1}, {"a": 1})
    monkeypatch.setattr(registry, "load_live", load)
    assert list(models.problems()) == ["a version 1: its files differ"]


def test_an_outage_of_mlflow_is_a_service_error(monkeypatch):
    def away():
        raise MlflowException("away")

    monkeypatch.setattr(registry, "champions", away)
    with pytest.raises(ServiceError, match="MLflow: away"):
        list(models.problems())


def test_in_containers_a_task_looks(config, monkeypatch):
    calls = []
    monkeypatch.setattr(compose, "output", lambda config, *arguments: calls.append(arguments) or "a: bad\nb: bad")
    found = models.bad_champions(config.model_copy(update={"target": "compose"}))
    assert list(found) == ["a: bad", "b: bad"]
    assert calls == [("exec", "-T", "airflow-scheduler", "python", "-m", models.MODULE)]
