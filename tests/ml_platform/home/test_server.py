"""The server: Streamlit behind the guard."""

import pytest
from starlette.testclient import TestClient

from ml_platform.home.login import sessions, users
from ml_platform.home.server import create_app
from ml_platform.home.settings import HomeSettings

HOST = "localhost:8501"

pytestmark = [pytest.mark.slow, pytest.mark.sockets]  # it starts Streamlit's runtime


@pytest.fixture(scope="module")
def settings():
    return HomeSettings(
        home_hosts=HOST, home_admin_user="admin", home_admin_password="administrator", home_session_key="k" * 32
    )


@pytest.fixture(scope="module")
def client(settings):
    with TestClient(create_app(settings), base_url=f"http://{HOST}", follow_redirects=False) as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/models", "/_stcore/health", "/_stcore/host-config", "/static/index.js"])
def test_no_page_of_streamlit_answers_without_a_session(client, path):
    client.cookies.clear()
    assert client.get(path).status_code == 401


def test_the_application_is_served_to_a_person(client, settings):
    client.cookies.set(sessions.COOKIE, sessions.start(settings, users.find(settings, "admin")))
    assert client.get("/_stcore/health").status_code == 200
    assert "<title>" in client.get("/models", headers={"Accept": "text/html"}).text


def test_its_health_needs_no_session(client):
    client.cookies.clear()
    assert client.get("/live").json() == {"status": "ok"}
