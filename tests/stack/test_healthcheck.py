"""A container is healthy when it does its work, not when its process lives."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from stack import healthcheck

pytestmark = pytest.mark.sockets


@pytest.fixture
def server():
    """A server that answers every request with `answer`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            status, body = self.server.answer
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        do_POST = do_GET  # noqa: N815 – the name that http.server calls

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        running.url = f"http://127.0.0.1:{running.server_port}"
        yield running
        running.shutdown()
        thread.join()


CASES = [
    ("airflow-api", {"metadatabase": {"status": "healthy"}}, {"metadatabase": {"status": "unhealthy"}}),
    ("feast", {"entities": [{"spec": {}}]}, {"entities": []}),
]


@pytest.mark.parametrize(("kind", "good", "bad"), CASES)
def test_a_server_that_cannot_work_is_not_healthy(server, kind, good, bad):
    server.answer = 200, good
    assert healthcheck.main(kind, server.url) is None
    server.answer = 200, bad
    assert healthcheck.main(kind, server.url)


@pytest.mark.parametrize("kind", ["airflow-api", "mlflow", "feast", "serving"])
def test_an_error_or_no_answer_is_not_healthy(server, kind):
    server.answer = 500, {}
    assert "500" in healthcheck.main(kind, server.url)
    assert healthcheck.main(kind, "http://127.0.0.1:9")


def test_a_search_that_is_answered_is_healthy(server):
    server.answer = 200, {"experiments": []}
    assert healthcheck.main("mlflow", server.url) is None


def test_no_database_is_no_heartbeat(monkeypatch):
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "postgresql+psycopg2://airflow:x@127.0.0.1:9/airflow")
    assert "refused" in healthcheck.main("heartbeat", "SchedulerJob")


@pytest.mark.parametrize(
    ("age", "uptime", "stopped"),
    [
        (5, 1000, False),  # works
        (80, 1000, False),  # slow: it may come back
        (120, 1000, True),  # wrote heartbeats, and stopped
        (120, 100, False),  # has just been started again: the heartbeat is one of its former life
    ],
)
def test_only_a_component_that_has_stopped_is_killed(age, uptime, stopped):
    assert healthcheck.has_stopped(age, uptime) is stopped
