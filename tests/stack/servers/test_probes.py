"""Probes: None for a healthy server, else the problem in words."""

import socket

import pytest
from pydantic import SecretStr

from stack.servers import probes

pytestmark = pytest.mark.sockets


@pytest.fixture
def closed_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_a_page_that_answers_is_healthy(http_server):
    assert probes.http(f"{http_server.url}/health")() is None
    assert http_server.paths == ["/health"]


def test_an_error_page_is_a_problem_with_its_address(http_server):
    http_server.answer = 503, {}
    assert (
        probes.http(f"{http_server.url}/health")() == f"{http_server.url}/health: HTTP Error 503: Service Unavailable"
    )


def test_a_closed_port_is_a_problem(closed_port):
    assert "refused" in probes.http(f"http://127.0.0.1:{closed_port}/")()


def test_a_proxy_of_the_caller_is_not_used(http_server, monkeypatch, closed_port):
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed_port}")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed_port}")
    assert probes.http(http_server.url)() is None


def test_the_body_can_show_a_problem(http_server):
    http_server.answer = 200, "starting"
    assert probes.http(http_server.url, lambda body: f"it is {body.decode()}")() == 'it is "starting"'


def test_a_body_that_cannot_be_read_is_a_problem(http_server):
    http_server.answer = 200, "no number"
    assert "invalid literal" in probes.http(http_server.url, lambda body: str(int(body)))()


def test_no_database_is_a_problem(closed_port):
    problem = probes.database(f"postgresql://platform:hush@127.0.0.1:{closed_port}/platform")()
    assert "refused" in problem
    assert "hush" not in problem


@pytest.mark.parametrize(
    ("error", "has_remedy"),
    [('password authentication failed for user "x"', True), ("the database system is starting up", False)],
)
def test_a_wrong_password_comes_with_its_remedy(error, has_remedy):
    text = probes.with_remedy(error)
    assert text.startswith(error)
    assert (probes.OTHER_ENV_FILE in text) is has_remedy


def test_no_object_store_is_a_problem(closed_port):
    probe = probes.buckets(f"http://127.0.0.1:{closed_port}", "key", SecretStr("hush"), ["train"])
    problem = probe()
    assert "Could not connect" in problem
    assert "hush" not in problem


def test_an_object_store_that_refuses_the_key_is_a_problem(http_server):
    http_server.answer = 403, {}
    assert "ListBuckets" in probes.buckets(http_server.url, "key", SecretStr("hush"), ["train"])()


def test_the_first_problem_of_several_probes_is_reported():
    def fails():
        pytest.fail("a probe after the first problem")

    assert probes.every(lambda: None, lambda: None)() is None
    assert probes.every(lambda: None, lambda: "down", fails)() == "down"
