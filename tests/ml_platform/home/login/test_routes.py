"""The pages of login and logout."""

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from ml_platform.home.login import routes, sessions
from tests.ml_platform.home.login.conftest import HOST


@pytest.fixture
def prepared():
    """How often the pages were made ready."""
    return []


@pytest.fixture
def client(settings, prepared, monkeypatch):
    monkeypatch.setattr(routes, "PAUSE", 0.0)
    app = Starlette(routes=routes.routes(settings, lambda: prepared.append(1)))
    return TestClient(app, base_url=f"http://{HOST}", follow_redirects=False)


def _log_in(client, name="victor", password="only looking", wanted="/files?dataset=auto"):  # noqa: S107
    return client.post("/login", data={"name": name, "password": password, "next": wanted})


def test_a_login_sets_a_cookie_that_no_script_can_read(client, settings):
    answer = _log_in(client)
    assert (answer.status_code, answer.headers["location"]) == (303, "/files?dataset=auto")
    cookie = answer.headers["set-cookie"]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=lax", "Max-Age=43200", "Path=/"))
    assert sessions.user_of(settings, answer.cookies[sessions.COOKIE]).name == "victor"


@pytest.mark.parametrize(("name", "password"), [("victor", "x"), ("", ""), ("<script>", "y")])
def test_a_login_that_fails_says_so_and_sets_no_cookie(client, name, password):
    answer = _log_in(client, name, password)
    assert answer.status_code == 401
    assert "do not belong together" in answer.text
    assert sessions.COOKIE not in answer.cookies
    assert "<script>" not in answer.text


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example", "/\\evil.example", "evil", "", "/a\r\nSet-Cookie: x=1"]
)
def test_a_login_leads_to_pages_of_its_own_only(client, wanted):
    assert _log_in(client, wanted=wanted).headers["location"] == "/"
    assert 'name="next" value="/"' in client.get("/login", params={"next": wanted}).text


def test_the_form_runs_no_script(client):
    answer = client.get("/login", params={"next": '/"><script>alert(1)</script>'})
    assert "<script>" not in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_a_logout_removes_the_cookie(client):
    _log_in(client)
    answer = client.get("/logout")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert sessions.COOKIE not in client.cookies


def test_it_says_that_it_works(client):
    assert client.get("/live").json() == {"status": "ok"}


def test_the_pages_are_made_ready_while_the_password_is_typed(client, prepared):
    client.get("/login")
    assert prepared == [1]
