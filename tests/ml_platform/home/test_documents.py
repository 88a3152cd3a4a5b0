"""Documents in frames: nothing in them is trusted."""

from datetime import UTC, datetime

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from ml_platform.exceptions import RegistryError, ServiceError
from ml_platform.home import documents
from ml_platform.records import version_details
from ml_platform.records.version_details import VersionDetails
from ml_platform.training import tracking

DETAILS = VersionDetails("auto", 2, "run2", datetime(2026, 1, 1, tzinfo=UTC))
PAGE = "<!DOCTYPE html><script>alert(1)</script>"


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setattr(version_details, "details", lambda name, version: DETAILS)
    monkeypatch.setattr(tracking, "read_model_card", lambda run_id: {"model_card.html": PAGE})
    documents._card_of_run.cache_clear()
    return TestClient(Starlette(routes=documents.routes()))


def test_a_card_runs_no_scripts_and_has_no_origin(client: TestClient) -> None:
    answer = client.get(documents.model_card_path("auto", 2))
    assert (answer.status_code, answer.text) == (200, PAGE)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    sandbox = next(part for part in policy.split(";") if part.startswith("sandbox"))
    assert not {"allow-scripts", "allow-same-origin", "allow-forms"} & set(sandbox.split())


def test_there_is_no_card(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracking, "read_model_card", lambda run_id: {})
    assert client.get("/documents/model_card/auto/2").status_code == 404
    assert client.get("/documents/model_card/auto/two").status_code == 404


@pytest.mark.parametrize(("error", "status"), [(RegistryError("no record"), 404), (ServiceError("away"), 503)])
def test_a_failure_is_a_sentence(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    def fail(name: str, version: int) -> VersionDetails:
        raise error

    monkeypatch.setattr(version_details, "details", fail)
    answer = client.get("/documents/model_card/auto/2")
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/plain; charset=utf-8")
    assert str(error) in answer.text
