"""A container is healthy when it does its work, not when its process is alive."""

import os
import time
from base64 import b64encode
from contextlib import closing, contextmanager

import psycopg2
import pytest
import yaml
from airflow.utils.net import get_hostname

from stack import healthcheck, secrets, watchdog
from stack.config import ROOT

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
    ("metrics", {"ml_platform_database_up": 1}, {}),
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


def test_streams_are_healthy_while_their_server_says_so(tmp_path):
    path = tmp_path / "stream-health.json"
    assert "have not all worked" in healthcheck.main("stream", str(path))
    path.touch()
    assert healthcheck.main("stream", str(path)) is None
    long_ago = time.time() - healthcheck.SILENT - 1
    os.utime(path, (long_ago, long_ago))
    assert "have not all worked" in healthcheck.main("stream", str(path))


def test_without_a_database_the_error_is_reported(monkeypatch):
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "postgresql+psycopg2://airflow:x@127.0.0.1:9/airflow")
    assert "refused" in healthcheck.main("heartbeat", "SchedulerJob")


@pytest.fixture
def component(monkeypatch):
    """Return a function that checks the scheduler in a container; it returns the problem and what was killed.

    A look is the age of the newest heartbeat, and the age of the last decision about a running run.
    """
    killed = []

    def check(*looks, uptime=1000.0):
        answers = iter(looks)

        @contextmanager
        def database(address):
            age, undecided = next(answers)
            yield lambda sql, *values: [(age,)] if "FROM job" in sql else [("train_auto", undecided)]

        monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "")
        monkeypatch.setattr(healthcheck, "database", database)
        monkeypatch.setattr(healthcheck, "_processes", lambda: {4711: uptime})
        monkeypatch.setattr(healthcheck, "SECOND_LOOK", 0)
        monkeypatch.setattr(healthcheck.os, "kill", lambda process, signal: killed.append(process))
        return healthcheck.main("heartbeat", "SchedulerJob"), killed

    return check


IDLE = "the scheduler has not looked at a running run of train_auto for 70 s"
KILLED = "; it is killed, so that it starts again"


def test_a_component_that_works_is_healthy(component):
    assert component((5.0, 1.0)) == (None, [])


def test_a_component_without_heartbeats_is_killed_at_the_second_look(component):
    problem, killed = component((120.0, 1.0), (132.0, 1.0))
    assert problem == f"the newest heartbeat of SchedulerJob is 132.0 s old{KILLED}"
    assert killed == [4711]


def test_a_component_whose_heartbeat_follows_the_first_look_is_left_alone(component):
    """After an outage of the database, the sleep of a laptop, or a jump of the clock."""
    assert component((120.0, 1.0), (2.0, 1.0)) == (None, [])


def test_a_component_that_may_write_another_heartbeat_is_not_healthy_but_left_alone(component):
    assert component((80.0, 1.0)) == ("the newest heartbeat of SchedulerJob is 80.0 s old", [])


def test_a_scheduler_that_looks_at_no_run_is_killed(component):
    assert component((5.0, 65.0), (5.0, 70.0)) == (f"{IDLE}{KILLED}", [4711])


def test_a_dag_that_has_just_been_switched_on_kills_no_scheduler(component):
    assert component((5.0, 70.0), (5.0, 1.0)) == (None, [])


def test_a_scheduler_that_has_just_started_is_given_time(component):
    assert component((5.0, 70.0), uptime=20.0) == (IDLE, [])


def test_a_component_that_works_writes_a_heartbeat_between_two_looks():
    seconds = secrets.read(ROOT / "stack" / "airflow.env").get("AIRFLOW__SCHEDULER__JOB_HEARTBEAT_SEC", 5)
    assert 2 * float(seconds) < healthcheck.SECOND_LOOK
    assert 4 * float(seconds) < watchdog.CONFIRMED


def test_docker_waits_for_the_second_look():
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    checks = [service["healthcheck"] for service in services.values() if "heartbeat" in str(service.get("healthcheck"))]
    assert len(checks) == len(watchdog.COMPONENTS)
    longest = healthcheck.SECOND_LOOK + 2 * healthcheck.TIMEOUT
    assert all(int(check["timeout"].removesuffix("s")) > longest for check in checks)


@pytest.fixture
def jobs(servers):
    """Return a function that asks Airflow's table of heartbeats, which has three of hosts and one of an ended job."""
    rows = [("here", 30), ("there", 10), ("here", 20)]
    with closing(psycopg2.connect(servers.database_uri("airflow"))) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE job (job_type text, hostname text, state text, latest_heartbeat timestamptz)")
        sql = "INSERT INTO job VALUES ('SchedulerJob', %s, %s, now() - %s * interval '1 second')"
        cursor.executemany(sql, [(host, "running", age) for host, age in rows])
        cursor.execute(sql, ("here", "success", 1))

        def query(sql, *values):
            cursor.execute(sql, values)
            return cursor.fetchall()

        yield query


@pytest.mark.servers
def test_the_newest_heartbeat_of_a_host_or_of_any_counts(jobs):
    assert healthcheck.heartbeat_age(jobs, "SchedulerJob", "here") == 20
    assert healthcheck.heartbeat_age(jobs, "SchedulerJob", "elsewhere") is None
    assert healthcheck.heartbeat_age(jobs, "SchedulerJob") == 10
    assert healthcheck.heartbeat_age(jobs, "TriggererJob") is None


def test_airflow_records_the_name_of_a_container_that_its_check_asks_for(component, monkeypatch):
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    monkeypatch.setenv(
        "AIRFLOW__CORE__HOSTNAME_CALLABLE", compose["x-airflow-environment"]["AIRFLOW__CORE__HOSTNAME_CALLABLE"]
    )
    asked = []
    monkeypatch.setattr(healthcheck, "heartbeat_age", lambda query, job_type, host: asked.append(host) or 5.0)
    component((5.0, 1.0))
    assert asked == [get_hostname()]


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
