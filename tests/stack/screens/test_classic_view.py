"""MLflow's start page gets the choice of a view; everything else passes as it is."""

from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from stack.screens.classic_view import CHOICE, KEY, SCRIPT, ClassicView

PAGE = "<!doctype html><html><head><title>MLflow</title></head></html>"


def start_page(request: Request) -> Any:
    if "if-none-match" in request.headers:
        return HTMLResponse("", 304)
    return StreamingResponse(iter([PAGE[:9], PAGE[9:]]), media_type="text/html", headers={"ETag": "old"})


@pytest.fixture
def client() -> TestClient:
    routes = [Route("/", start_page), Route("/ajax-api", lambda _: HTMLResponse(PAGE, headers={"ETag": "api"}))]
    return TestClient(ClassicView(Starlette(routes=routes)))


def test_the_start_page_chooses_the_view_before_its_own_scripts(client: TestClient) -> None:
    answer = client.get("/", headers={"If-None-Match": "old"})
    assert answer.text == PAGE.replace("<head>", f"<head>{SCRIPT.decode()}")
    assert answer.headers["content-length"] == str(len(answer.content))
    assert "etag" not in answer.headers


def test_everything_else_passes(client: TestClient) -> None:
    for answer in (client.get("/ajax-api"), client.head("/")):
        assert "script" not in answer.text
        assert "etag" in answer.headers


@pytest.mark.servers
def test_mlflow_still_keeps_the_choice_under_this_name(mlflow_server: Any) -> None:
    config = mlflow_server
    login = (config.mlflow_admin_user, config.mlflow_admin_password.get_secret_value())
    with httpx.Client(base_url=config.mlflow_url, auth=login) as client:
        page = client.get("/").text
        assert SCRIPT.decode() in page
        name, _, version = KEY.rpartition("_v")
        main = client.get(page.partition('src="')[2].partition('"')[0]).text
    assert f'{{key:"{name}",version:{version},' in main
    assert f"={CHOICE}" in main
