"""Airflow: the health of each component, a set-up that runs only when it must, and the connection to the buckets."""

import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from botocore.config import Config as Options
from pydantic import SecretStr
from werkzeug.security import generate_password_hash

from stack.config import ROOT
from stack.servers import airflow


def nodes(config):
    return {node.name: node for node in airflow.nodes(config)}


def test_there_is_one_process_for_each_component(config):
    assert list(nodes(config)) == [
        "airflow-setup", "airflow-api", "airflow-scheduler", "airflow-triggerer", "airflow-dag-processor",
        "airflow-watchdog",
    ]  # fmt: skip


def test_the_processes_start_after_the_set_up(config):
    servers = [node for name, node in nodes(config).items() if name not in ("airflow-setup", "airflow-watchdog")]
    assert {server.needs for server in servers} == {("airflow-setup", "objects")}


def test_the_api_listens_on_this_machine_only_and_no_other_process_listens(config):
    command = nodes(config)["airflow-api"].command
    assert command[command.index("--host") + 1] == "127.0.0.1"
    assert [name for name, node in nodes(config).items() if getattr(node, "ports", None)] == ["airflow-api"]
    for name in ("airflow-scheduler", "airflow-triggerer"):
        assert "--skip-serve-logs" in nodes(config)[name].command


def test_the_scheduler_has_loaded_the_library_when_it_writes_its_first_heartbeat(config):
    assert nodes(config)["airflow-scheduler"].command[1:3] == ("-m", "ml_platform.airflow.scheduler")


def test_the_shared_settings_of_the_containers_are_read(config):
    environment = nodes(config)["airflow-scheduler"].environment
    assert environment["AIRFLOW__CORE__LOAD_EXAMPLES"] == "False"
    assert environment["AIRFLOW_HOME"] == str(config.state_dir / "airflow")


def test_the_end_of_a_task_warns_of_nothing_that_its_processes_shared(config):
    """The tracker of joblib's processes is a Python of its own, which writes to the log of the task."""
    warning = "import warnings; warnings.warn('resource_tracker: There appear to be 8 leaked objects', UserWarning)"
    command, found = [sys.executable, "-c", warning], nodes(config)["airflow-scheduler"].environment
    assert "resource_tracker" in subprocess.run(command, env={}, capture_output=True, text=True, check=True).stderr
    environment = {"PYTHONWARNINGS": found["PYTHONWARNINGS"]}
    assert subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stderr == ""


def test_the_connection_to_the_buckets(config):
    connection = json.loads(airflow.s3_connection(config))
    assert connection["conn_type"] == "aws"
    assert connection["login"] == config.s3_access_key
    assert connection["extra"]["endpoint_url"] == config.s3_url


def test_the_connection_to_the_logs_has_a_key_of_its_own_and_gives_up_soon(config):
    connection = json.loads(airflow.logs_connection(config))
    assert (connection["login"], connection["password"]) == ("logs", config.logs_s3_secret_key.get_secret_value())
    patience = Options(**connection["extra"]["config_kwargs"])
    assert patience.connect_timeout * patience.retries["total_max_attempts"] < 10


def test_who_reads_logs_has_this_connection_and_the_tasks_do_not(config):
    have = {name for name, node in nodes(config).items() if "AIRFLOW_CONN_LOGS" in node.environment}
    assert have == {"airflow-api", "airflow-triggerer"}
    assert nodes(config)["airflow-scheduler"].environment["LOG_RETENTION_DAYS"] == "90"


def test_airflow_s_own_events_are_off_and_only_the_scheduler_has_the_key_of_their_server(config):
    config = config.model_copy(update={"openlineage_api_key": SecretStr("key")})
    servers = [node for node in nodes(config).values() if node.name != "airflow-watchdog"]
    assert {node.environment["AIRFLOW__OPENLINEAGE__DISABLED"] for node in servers} == {"True"}
    assert [node.name for node in servers if "OPENLINEAGE_API_KEY" in node.environment] == ["airflow-scheduler"]
    assert "OPENLINEAGE__TRANSPORT" not in nodes(config)["airflow-scheduler"].environment
    transport = json.loads(servers[0].environment["AIRFLOW__OPENLINEAGE__TRANSPORT"])["type"]
    module, _, name = transport.rpartition(".")
    assert name in (ROOT / "plugins" / f"{module.replace('.', '/')}.py").read_text()


@pytest.mark.sockets
@pytest.mark.parametrize(
    ("component", "name"),
    [("metadatabase", "airflow-api"), ("scheduler", "airflow-scheduler"), ("dag_processor", "airflow-dag-processor")],
)
def test_each_component_reports_its_own_health(config, http_server, monkeypatch, component, name):
    monkeypatch.setattr(airflow, "_undecided", lambda config: None)
    config = config.model_copy(update={"airflow_port": http_server.server_port})
    healthy = {key: {"status": "healthy"} for key in ("metadatabase", "scheduler", "triggerer", "dag_processor")}
    http_server.answer = 200, healthy
    assert nodes(config)[name].probe() is None
    http_server.answer = 200, healthy | {component: {"status": "unhealthy"}}
    assert nodes(config)[name].probe() == f"Airflow reports its {component} as unhealthy"
    http_server.answer = 200, {}
    assert nodes(config)[name].probe() == f"Airflow reports its {component} as None"


@pytest.mark.sockets
def test_a_scheduler_that_does_not_look_at_its_runs_is_not_healthy(config, http_server, monkeypatch):
    config = config.model_copy(update={"airflow_port": http_server.server_port})
    http_server.answer = 200, {"scheduler": {"status": "healthy"}}
    monkeypatch.setattr(airflow, "_undecided", lambda config: "it looks at nothing")
    assert nodes(config)["airflow-scheduler"].probe() == "it looks at nothing"


@pytest.mark.sockets
def test_without_a_database_the_scheduler_is_not_healthy_and_no_work_is_in_flight(config):
    config = config.model_copy(update={"postgres_port": 9})
    assert "refused" in airflow._undecided(config)
    assert nodes(config)["airflow-scheduler"].in_flight() == []


def test_a_restart_of_the_scheduler_waits_for_the_tasks_that_run(config, monkeypatch):
    monkeypatch.setattr(airflow.probes, "query", lambda uri, sql: [("train_auto.load",), ("test_auto.score",)])
    assert nodes(config)["airflow-scheduler"].in_flight() == ["train_auto.load", "test_auto.score"]
    assert nodes(config)["airflow-triggerer"].in_flight() == []


def test_the_watchdog_is_healthy_while_it_looks(config):
    watchdog = nodes(config)["airflow-watchdog"]
    assert "has not looked" in watchdog.probe()
    last_look = Path(watchdog.environment["LAST_LOOK"])
    last_look.parent.mkdir(parents=True)
    last_look.touch()
    assert watchdog.probe() is None
    os.utime(last_look, (0, 0))
    assert "has not looked" in watchdog.probe()


def test_the_watchdog_has_no_secret_but_the_address_of_the_database(config):
    environment = nodes(config)["airflow-watchdog"].environment
    secret = {name for name, value in environment.items() if config.airflow_db_password.get_secret_value() in value}
    assert secret == {"AIRFLOW_DATABASE"}


@pytest.fixture
def users(config, monkeypatch):
    """The rows of Airflow's users, with the password of the settings; the set-up has run."""
    rows = {
        "answer": [(generate_password_hash(config.airflow_admin_password.get_secret_value()),)],
        "home": [(generate_password_hash(config.home_airflow_password.get_secret_value()),)],
    }

    def query(uri, sql, *user):
        if not user:
            return rows["home"]
        assert user == (config.airflow_admin_user,)
        if isinstance(rows["answer"], Exception):
            raise rows["answer"]
        return rows["answer"]

    monkeypatch.setattr(airflow.probes, "query", query)
    airflow.home(config).mkdir(parents=True)
    nodes(config)["airflow-setup"].after()
    return rows


def is_set_up(config):
    return nodes(config)["airflow-setup"].is_done()


def test_a_new_platform_is_not_set_up(config):
    assert not is_set_up(config)


def test_after_the_set_up_it_is_done(config, users):
    assert is_set_up(config)


def test_another_version_of_airflow_makes_it_run_again(config, users, monkeypatch):
    monkeypatch.setattr(airflow, "version", lambda name: "99")
    assert not is_set_up(config)


@pytest.mark.parametrize("answer", [[], [(generate_password_hash("another"),)], psycopg2.OperationalError("none")])
def test_another_password_user_or_database_makes_it_run_again(config, users, answer):
    users["answer"] = answer
    assert not is_set_up(config)


@pytest.mark.parametrize("answer", [[], [(generate_password_hash("another"),)]])
def test_another_password_of_the_home_page_makes_it_run_again(config, users, answer):
    users["home"] = answer
    assert not is_set_up(config)


@pytest.fixture
def ab_user(servers, config, monkeypatch):
    """Return a function that sets up a platform whose Airflow has these users: name, first name, e-mail, active."""
    airflow.home(config).mkdir(parents=True)
    nodes(config)["airflow-setup"].after()
    with closing(psycopg2.connect(servers.database_uri("airflow"))) as connection, connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE ab_user (username text, first_name text, last_name text, email text, active bool,"
            " password text)"
        )

        def query(uri, sql, *values):
            cursor.execute(sql, values)
            return cursor.fetchall()

        def add(*users):
            password = generate_password_hash(config.airflow_admin_password.get_secret_value())
            sql = "INSERT INTO ab_user VALUES (%s, %s, 'Administrator', %s, %s, %s)"
            cursor.executemany(sql, [(*user, password) for user in users])
            secret = generate_password_hash(config.home_airflow_password.get_secret_value())
            cursor.execute(sql, ("home", "Home", "home@localhost", True, secret))

        monkeypatch.setattr(airflow.probes, "query", query)
        yield add


@pytest.mark.servers
@pytest.mark.parametrize(
    ("user", "done"),
    [
        (("old", "Platform", "old@localhost", True), False),
        (("old", "Platform", "old@localhost", False), True),
        (("ada", "Ada", "ada@localhost", True), True),
        (("ada", "Platform", "ada@example.org", True), True),
    ],
    ids=["renamed", "deactivated", "a person", "with another address"],
)
def test_a_login_that_was_renamed_makes_it_run_again(config, ab_user, user, done):
    ab_user((config.airflow_admin_user, "Platform", f"{config.airflow_admin_user}@localhost", True), user)
    assert is_set_up(config) is done


@pytest.mark.servers
def test_a_login_that_is_not_active_makes_it_run_again(config, ab_user):
    ab_user((config.airflow_admin_user, "Platform", f"{config.airflow_admin_user}@localhost", False))
    assert not is_set_up(config)
