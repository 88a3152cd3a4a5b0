"""A container is healthy when it does its work, not when its process is alive."""

from base64 import b64encode

import pytest

from stack import healthcheck

pytestmark = pytest.mark.sockets


@pytest.fixture(autouse=True)
def logins(monkeypatch):
    """The logins that the containers of MLflow and Feast have."""
    for name in ("MLFLOW_PIPELINES", "FEAST_ADMIN"):
        monkeypatch.setenv(f"{name}_USER", "someone")
        monkeypatch.setenv(f"{name}_PASSWORD", "a secret: ü")


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


@pytest.mark.parametrize("kind", ["mlflow", "feast"])
def test_a_page_behind_the_guard_is_asked_with_a_login(http_server, kind):
    http_server.answer = 200, {"entities": [1]}
    assert healthcheck.main(kind, http_server.url) is None
    assert http_server.logins == [f"Basic {b64encode('someone:a secret: ü'.encode()).decode()}"]


def test_without_a_database_the_error_is_reported(monkeypatch):
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "postgresql+psycopg2://airflow:x@127.0.0.1:9/airflow")
    assert "refused" in healthcheck.main("heartbeat", "SchedulerJob")


@pytest.fixture
def component(monkeypatch):
    """Return a function that checks the scheduler in a container; it returns the problem and what was killed."""
    killed = []

    def check(*looks, uptime=1000.0):
        answers = iter(looks)
        monkeypatch.setattr(healthcheck, "_look", lambda job_type: next(answers))
        monkeypatch.setattr(healthcheck, "_processes", lambda: {4711: uptime})
        monkeypatch.setattr(healthcheck, "SECOND_LOOK", 0)
        monkeypatch.setattr(healthcheck.os, "kill", lambda process, signal: killed.append(process))
        return healthcheck.main("heartbeat", "SchedulerJob"), killed

    return check


def test_a_component_that_works_is_healthy(component):
    assert component((5.0, None)) == (None, [])


def test_a_component_without_heartbeats_is_killed(component):
    problem, killed = component((120.0, None))
    assert "heartbeat of SchedulerJob is 120.0 s old; it is killed" in problem
    assert killed == [4711]


def test_a_scheduler_that_looks_at_no_run_is_killed(component):
    problem, killed = component((5.0, "no look at a run"), (5.0, "no look at a run"))
    assert problem == "no look at a run; it is killed, so that it starts again"
    assert killed == [4711]


def test_a_dag_that_has_just_been_switched_on_kills_no_scheduler(component):
    assert component((5.0, "no look at a run"), (5.0, None)) == ("no look at a run", [])


def test_a_scheduler_that_has_just_started_is_given_time(component):
    assert component((5.0, "no look at a run"), uptime=20.0) == ("no look at a run", [])


def test_the_scheduler_must_look_at_runs_that_should_move():
    assert healthcheck.undecided(lambda sql: []) is None
    assert healthcheck.undecided(lambda sql: [("train_auto", None)]) is None
    assert healthcheck.undecided(lambda sql: [("train_auto", 3.0)]) is None
    assert healthcheck.undecided(lambda sql: [("train_auto", 75.2)]) == (
        "the scheduler has not looked at a running run of train_auto for 75 s"
    )


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
