"""Feast's UI behind the guard, on a real registry."""

import os
from typing import Any

import pytest
from starlette.testclient import TestClient

from ml_platform.feature_store import features
from tests.ml_platform.training.trainings import make_dataset

pytestmark = pytest.mark.servers
HOST = "localhost:8888"
ENTITY = {"name": "stray", "project": "ml_platform", "join_key": "id", "value_type": "INT64"}


@pytest.fixture
def page(servers: Any, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    from stack.screens.feast import create_app

    features.apply(make_dataset())
    for name, value in {"HOSTS": HOST, "ADMIN_USER": "admin", "ADMIN_PASSWORD": "a secret"}.items():
        monkeypatch.setitem(os.environ, f"FEAST_{name}", value)
    return TestClient(create_app(), base_url=f"http://{HOST}", raise_server_exceptions=False)


def test_the_registry_is_shown_to_who_logs_in_and_nobody_changes_it(page: TestClient) -> None:
    login, entities = ("admin", "a secret"), "/api/v1/entities?project=ml_platform"
    shown = page.get(entities, auth=login)
    assert (shown.status_code, "customer" in shown.text) == (200, True)
    assert "Feast" in page.get("/", auth=login).text
    assert page.get(entities).status_code == 401
    assert page.get(entities, auth=login, headers={"Host": "evil.example"}).status_code == 403
    assert page.post("/api/v1/entities", json=ENTITY, auth=login).status_code == 405
    assert page.delete("/api/v1/feature_views/shop?project=ml_platform", auth=login).status_code == 405
    assert "stray" not in page.get(entities, auth=login).text
