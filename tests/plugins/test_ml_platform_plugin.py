"""Airflow's server answers only under the names of AIRFLOW_HOSTS."""

import importlib

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient


def server(monkeypatch, hosts):
    """Return a client of a server with the middlewares of the plugin, as Airflow adds them."""
    if hosts is None:
        monkeypatch.delenv("AIRFLOW_HOSTS", raising=False)
    else:
        monkeypatch.setenv("AIRFLOW_HOSTS", hosts)
    import ml_platform_plugin

    plugin = importlib.reload(ml_platform_plugin).MLPlatformPlugin
    app = Starlette(routes=[Route("/", lambda _: PlainTextResponse("the page"))])
    for one in plugin.fastapi_root_middlewares:
        app.add_middleware(one["middleware"], *one["args"], **one["kwargs"])
    return TestClient(app)


@pytest.mark.parametrize(("host", "status"), [
    ("localhost", 200), ("localhost:8082", 200), ("127.0.0.1:8082", 200), ("execution:8080", 200),
    ("evil.example", 400), ("localhost.evil.example:8082", 400), ("", 400),
])  # fmt: skip
def test_only_its_own_names_are_answered(monkeypatch, host, status):
    client = server(monkeypatch, "localhost,127.0.0.1,execution")
    assert client.get("/", headers={"Host": host}).status_code == status


def test_without_names_every_host_is_answered(monkeypatch):
    """In Airflow's other components, which serve nothing."""
    assert server(monkeypatch, None).get("/", headers={"Host": "any.example"}).status_code == 200
