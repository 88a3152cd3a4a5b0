"""What the guard lets through to a page, and what it answers itself."""

from base64 import b64encode
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from stack.screens.guard import Guard, Rules

HOSTS = frozenset({"localhost:5000", "127.0.0.1:5000"})
PASSWORDS = {"admin": "an admin's: secret ü", "pipelines": "another", "disabled": ""}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def page(request: Request) -> PlainTextResponse:
    return PlainTextResponse("the page")


async def socket(websocket: WebSocket) -> None:
    await websocket.accept()


def client(*, is_read_only: bool = False, **headers: str) -> TestClient:
    routes = [Route("/health", page, methods=METHODS), WebSocketRoute("/socket", socket)]
    app = Starlette(routes=[*routes, Route("/{path:path}", page, methods=METHODS)])
    guarded = Guard(app, Rules(HOSTS, PASSWORDS, is_read_only=is_read_only))
    return TestClient(guarded, base_url="http://localhost:5000", headers=headers)


def login(user: str = "admin", password: str = PASSWORDS["admin"], scheme: str = "Basic") -> dict[str, str]:
    return {"Authorization": f"{scheme} {b64encode(f'{user}:{password}'.encode()).decode()}"}


@pytest.mark.parametrize("user", ["admin", "pipelines"])
@pytest.mark.parametrize("method", METHODS)
def test_each_account_may_read_and_write(user: str, method: str) -> None:
    answer = client().request(method, "/api", headers=login(user, PASSWORDS[user]))
    assert (answer.status_code, answer.text) == (200, "the page")


@pytest.mark.parametrize("headers", [
    {}, login(password="wrong"), login(user="nobody"), login("admin", ""), login("disabled", ""),
    login(scheme="Bearer"), {"Authorization": "Basic"}, {"Authorization": "Basic !"},
    {"Authorization": "Basic YWRtaW4="}, {"Authorization": "Basic /////w=="},
    {"Authorization": b"Basic \xfc"}, {"Authorization": b"\xfc"},
])  # fmt: skip
@pytest.mark.parametrize("path", ["/", "/api/2.0/mlflow/experiments/search", "/health/../", "/healthy", "/static/a.js"])
def test_without_a_login_there_is_no_page(headers: dict[str, str | bytes], path: str) -> None:
    answer = client().get(path, headers=headers)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Basic")
    assert "the page" not in answer.text


def test_health_needs_no_login_but_the_right_host() -> None:
    assert client().get("/health").status_code == 200
    assert client().post("/health").status_code == 401
    assert client().get("/health", headers={"Host": "evil.example"}).status_code == 403


@pytest.mark.parametrize("host", ["evil.example", "localhost", "localhost:5001", "evil.localhost:5000", "", "*"])
def test_another_host_has_no_access_even_with_a_login(host: str) -> None:
    answer = client(**login()).get("/", headers={"Host": host})
    assert (answer.status_code, answer.text) == (403, "this is not 127.0.0.1:5000 or localhost:5000\n")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "origin",
    ["http://localhost:3333", "http://127.0.0.1", "https://evil.example", "null", "localhost:3333", "http://["],
)
def test_a_page_of_another_origin_has_no_access_even_with_a_login(method: str, origin: str) -> None:
    answer = client(**login()).request(method, "/api", headers={"Origin": origin})
    assert answer.status_code == 403
    assert "the page" not in answer.text
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("origin", ["http://localhost:5000", "http://127.0.0.1:5000"])
def test_its_own_pages_may_write(origin: str) -> None:
    assert client(**login()).post("/api", headers={"Origin": origin}).status_code == 200


def test_a_page_that_only_shows_refuses_every_write() -> None:
    shown = client(is_read_only=True, **login())
    answers = {method: shown.request(method, "/api").status_code for method in METHODS}
    assert answers == {"GET": 200} | dict.fromkeys(METHODS[1:], 405)


def test_no_websocket_is_opened() -> None:
    with pytest.raises(WebSocketDisconnect), client(**login()).websocket_connect("/socket") as opened:
        opened.receive_text()


def test_the_application_starts_and_stops_behind_the_guard() -> None:
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])
        for name in ("startup", "shutdown"):
            assert (await receive())["type"] == f"lifespan.{name}"
            await send({"type": f"lifespan.{name}.complete"})

    with TestClient(Guard(app, Rules(HOSTS, PASSWORDS))):
        pass
    assert seen == ["lifespan"]
