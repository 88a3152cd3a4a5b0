"""The guard: which requests reach the pages, which are refused, and which are sent to log in."""

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from ml_platform.home.login import sessions, users
from ml_platform.home.login.guard import Guard
from tests.ml_platform.home.login.conftest import HOST


async def _page(_):
    return PlainTextResponse("page")


async def _stream(websocket):
    await websocket.accept()
    await websocket.send_text("hello")
    await websocket.close()


@pytest.fixture
def client(settings):
    app = Starlette(routes=[Route("/{path:path}", _page, methods=["GET", "POST"]), WebSocketRoute("/s", _stream)])
    return TestClient(Guard(app, settings), base_url=f"http://{HOST}", follow_redirects=False)


@pytest.fixture
def logged_in(client, settings):
    client.cookies.set(sessions.COOKIE, sessions.start(settings, users.find(settings, "victor")))
    return client


def test_a_person_without_a_session_is_sent_to_log_in(client):
    answer = client.get("/models?dataset=auto&x=a b", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["location"]) == (
        303, "/login?next=%2Fmodels%3Fdataset%3Dauto%26x%3Da%2520b",
    )  # fmt: skip


@pytest.mark.parametrize("path", ["/", "/_stcore/health", "/_stcore/upload_file/x", "/media/x", "/static/x.js"])
def test_a_program_without_a_session_gets_401(client, path):
    assert client.get(path).status_code == 401
    assert client.post(path).status_code == 401


def test_a_websocket_without_a_session_is_closed(client):
    with pytest.raises(WebSocketDisconnect) as refused, client.websocket_connect("/s", headers={"Host": HOST}):
        pass
    assert refused.value.code == 1008


@pytest.mark.parametrize("path", ["/login", "/live"])
def test_the_open_paths_need_no_session(client, path):
    assert client.get(path).status_code == 200


def test_a_person_with_a_session_reaches_the_pages(logged_in):
    answer = logged_in.get("/models")
    assert answer.text == "page"
    assert (answer.headers["x-content-type-options"], answer.headers["x-frame-options"]) == ("nosniff", "SAMEORIGIN")
    with logged_in.websocket_connect("/s", headers={"Host": HOST, "Origin": f"http://{HOST}"}) as stream:
        assert stream.receive_text() == "hello"


@pytest.mark.parametrize("host", ["evil.example", "localhost", "localhost:8502", ""])
def test_another_address_is_refused(logged_in, host):
    assert logged_in.get("/login", headers={"Host": host}).status_code == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "http://localhost:8502", "null"])
def test_pages_of_others_are_refused(logged_in, origin):
    assert logged_in.post("/_stcore/upload_file/x", headers={"Origin": origin}).status_code == 403
    with (
        pytest.raises(WebSocketDisconnect),
        logged_in.websocket_connect("/s", headers={"Host": HOST, "Origin": origin}),
    ):
        pass
