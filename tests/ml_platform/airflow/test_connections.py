"""Environments and sources are Airflow connections: address, login, and what is wrong with them."""

import asyncio
import json

import pytest
from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from ml_platform.airflow.connections import async_source_connection, environment, source_connection
from ml_platform.exceptions import ConfigurationError

WHERE = {"conn_type": "http", "schema": "https", "host": "mlflow.example.org", "port": 443}


def make(monkeypatch, **fields):
    monkeypatch.setenv("AIRFLOW_CONN_MLFLOW_PRODUCTION", json.dumps(fields))
    return environment("production")


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        (WHERE, "https://mlflow.example.org:443"),
        ({"conn_type": "http", "host": "mlflow", "port": 5000}, "http://mlflow:5000"),
        ({"conn_type": "http", "host": "https://mlflow.example.org/"}, "https://mlflow.example.org"),
        ({"conn_type": "generic", "host": "mlflow"}, "http://mlflow"),
    ],
)
def test_the_address_is_built_from_the_connection(monkeypatch, fields, url) -> None:
    assert make(monkeypatch, **fields).url == url


def test_the_password_is_not_shown(monkeypatch) -> None:
    found = make(monkeypatch, **WHERE, login="promoter", password="p:ss/w@rd")
    assert (found.login, found.password.get_secret_value()) == ("promoter", "p:ss/w@rd")
    assert "p:ss" not in repr(found)
    assert "p:ss" not in found.url


def test_without_a_connection_the_error_says_how_to_create_one(monkeypatch) -> None:
    def missing(_):
        raise AirflowNotFoundException("not there")

    monkeypatch.setattr(Connection, "get", missing)
    with pytest.raises(ConfigurationError, match=r"no environment 'staging'.*airflow connections add mlflow_staging"):
        environment("staging")


@pytest.mark.parametrize(
    ("host", "text"),
    [("", "has no host"), (" ", "has no host"), ("http://a:b@mlflow", "has a login in its host")],
)
def test_a_connection_without_a_usable_host_is_an_error(monkeypatch, host, text) -> None:
    with pytest.raises(ConfigurationError, match=f"'mlflow_production' {text}"):
        make(monkeypatch, **WHERE | {"host": host})


WAREHOUSE = {
    "conn_type": "postgres", "host": "db", "login": "ann", "password": "s:cret", "extra": {"sslmode": "require"},
}  # fmt: skip


def test_a_source_has_the_fields_of_its_connection(monkeypatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(WAREHOUSE))
    found = source_connection("warehouse")
    assert found == asyncio.run(async_source_connection("warehouse"))
    assert (found.name, found.kind, found.host, found.port, found.schema) == ("warehouse", "postgres", "db", None, "")
    assert (found.password.get_secret_value(), found.extra) == ("s:cret", {"sslmode": "require"})
    assert "s:cret" not in repr(found)


def test_a_source_without_its_connection_says_how_to_create_it(monkeypatch) -> None:
    def missing(_):
        raise AirflowNotFoundException("not there")

    async def missing_later(_):
        missing(_)

    monkeypatch.setattr(Connection, "get", missing)
    monkeypatch.setattr(Connection, "async_get", missing_later)
    wanted = r"connection 'warehouse', which `source\.connection` names, does not exist.*connections add warehouse"
    with pytest.raises(ConfigurationError, match=wanted):
        source_connection("warehouse")
    with pytest.raises(ConfigurationError, match=wanted):
        asyncio.run(async_source_connection("warehouse"))
