"""The page /docs: what it loads comes from the service, and it runs no script that a text brings."""

import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from ml_platform.serving.docs_page.routes import ASSETS, OWN
from tests.ml_platform.serving.models import SHOP, Registry, follow, make_model, service


@pytest.fixture
def client() -> TestClient:
    client = service(follow(Registry(make_model(SHOP))))
    del client.headers["Authorization"]
    return client


def test_the_page_and_its_files_need_no_token_and_hold_no_names(client: TestClient) -> None:
    page = client.get("/docs")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "shop" not in page.text
    for name in ASSETS:
        answer = client.get(f"/docs/{name}")
        assert answer.status_code == 200
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert client.get("/docs/other.js").status_code == 404
    assert client.get("/docs/..%2Froutes.py").status_code == 404
    assert client.get("/openapi.json").status_code == 401


def test_the_browser_may_load_and_run_only_what_the_service_has(client: TestClient) -> None:
    policy = client.get("/docs").headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    assert "http" not in policy


@pytest.mark.parametrize("file", sorted(OWN.glob("page.*")), ids=lambda file: file.name)
def test_the_page_names_no_other_place_and_writes_no_markup(file: Path) -> None:
    text = file.read_text()
    assert re.findall(r"https?:|//[a-z]+\.", text) == []
    assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval|<script>|\son\w+=", text) == []


def test_every_file_that_the_page_loads_is_served() -> None:
    loaded = re.findall(r'(?:src|href)="docs/([^"]+)"', (OWN / "page.html").read_text())
    assert set(loaded) == set(ASSETS)
