"""A container is healthy when it does its work, not when its process is alive."""

import pytest

from stack import healthcheck

pytestmark = pytest.mark.sockets


CASES = [
    ("airflow-api", {"metadatabase": {"status": "healthy"}}, {"metadatabase": {"status": "unhealthy"}}),
    ("feast", {"entities": [{"spec": {}}]}, {"entities": []}),
]


@pytest.mark.parametrize(("kind", "good", "bad"), CASES)
def test_a_server_that_cannot_work_is_not_healthy(http_server, kind, good, bad):
    http_server.answer = 200, good
    assert healthcheck.main(kind, http_server.url) is None
    http_server.answer = 200, bad
    assert healthcheck.main(kind, http_server.url)


@pytest.mark.parametrize("kind", ["airflow-api", "mlflow", "feast", "serving"])
def test_an_error_or_no_answer_is_not_healthy(http_server, kind):
    http_server.answer = 500, {}
    assert "500" in healthcheck.main(kind, http_server.url)
    assert healthcheck.main(kind, "http://127.0.0.1:9")


def test_mlflow_is_healthy_when_a_search_works(http_server):
    http_server.answer = 200, {"experiments": []}
    assert healthcheck.main("mlflow", http_server.url) is None


def test_without_a_database_the_error_is_reported(monkeypatch):
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "postgresql+psycopg2://airflow:x@127.0.0.1:9/airflow")
    assert "refused" in healthcheck.main("heartbeat", "SchedulerJob")


@pytest.mark.parametrize(
    ("age", "uptime", "stopped"),
    [
        (5, 1000, False),  # works
        (80, 1000, False),  # slow: it may write another one
        (120, 1000, True),  # wrote heartbeats, then stopped
        (120, 100, False),  # has just been started again: the heartbeat is from before
    ],
)
def test_only_a_component_that_has_stopped_is_killed(age, uptime, stopped):
    assert healthcheck.has_stopped(age, uptime) is stopped
