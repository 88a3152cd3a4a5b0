"""The servers together: each process has only the secrets that it needs, no secret is on a command line."""

import pytest

from stack.config import Config
from stack.servers import inventory
from stack.servers.inventory import absent, all_nodes, with_needs
from stack.servers.node import Server

# the secrets in each environment; no process has any other secret of `.env`
SECRETS_OF = {
    "postgres": set(),
    "adminer": set(),
    "objects": {"console_password"},
    "dbinit": {f"{name}_password" for name in ("postgres_superuser",)}
    | {
        f"{role}_db_password"
        for role in ("airflow", "mlflow", "feast", "platform", "reader", "serving", "alerts", "metrics")
    },
    "mlflow": {"mlflow_db_password", "mlflow_s3_secret_key", "mlflow_admin_password", "mlflow_pipelines_password"},
    "feast": {"feast_db_password", "platform_db_password", "feast_admin_password"},
    "serving": {
        *("serving_db_password", "serving_token", "serving_files_token", "files_s3_secret_key"),
        "mlflow_pipelines_password",
    },
    "feast-apply": {"feast_db_password", "platform_db_password"},
}
AIRFLOW = {"airflow_db_password", "airflow_fernet_key"}
TASKS = {"feast_db_password", "platform_db_password", "s3_secret_key", "mlflow_pipelines_password"}
SECRETS_OF |= {
    "airflow-setup": AIRFLOW | {"airflow_admin_password", "home_airflow_password"},
    "airflow-api": AIRFLOW | {"airflow_jwt_secret", "airflow_secret_key", "logs_s3_secret_key"},
    "airflow-dag-processor": AIRFLOW,
    "airflow-scheduler": AIRFLOW | {"airflow_jwt_secret"} | TASKS,
    "airflow-triggerer": AIRFLOW | {"s3_secret_key", "logs_s3_secret_key"},
    "airflow-watchdog": {"airflow_db_password"},
    "home": TASKS | {"home_admin_password", "home_airflow_password", "home_users", "home_session_key", "serving_token"},
}
WITH_KAFKA = {"kafka": set()} | {
    name: SECRETS_OF[name] | {"kafka_pipelines_password"} for name in ("airflow-scheduler", "airflow-triggerer")
}
SECRETS = [name for name, field in Config.model_fields.items() if "SecretStr" in str(field.annotation)]


def values(config):
    """Return the secrets that are set: those of a server of the user's are optional."""
    return {name: value.get_secret_value() for name in SECRETS if (value := getattr(config, name))}


def secrets_in(node, config):
    text = " ".join(node.environment.values())
    return {name for name, value in values(config).items() if value in text}


def test_each_process_has_only_its_own_secrets(config):
    for node in all_nodes(config).values():
        assert secrets_in(node, config) == SECRETS_OF[node.name], node.name


def test_where_kafka_runs_two_processes_have_the_login_of_the_tasks(with_kafka):
    for node in all_nodes(with_kafka).values():
        assert secrets_in(node, with_kafka) == (SECRETS_OF | WITH_KAFKA)[node.name], node.name


def test_no_command_line_shows_a_secret(with_kafka):
    for node in all_nodes(with_kafka).values():
        line = " ".join(node.command)
        assert [name for name, value in values(with_kafka).items() if value in line] == [], node.name


def test_no_process_has_a_proxy_or_telemetry(config, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid")
    for node in all_nodes(config).values():
        assert "HTTPS_PROXY" not in node.environment
        assert node.environment["DO_NOT_TRACK"] == "1"


def test_no_two_listeners_share_a_port(with_kafka):
    ports = [
        port for node in all_nodes(with_kafka).values() if isinstance(node, Server) for port in node.ports.values()
    ]
    assert len(set(ports)) == len(ports)


def test_needs_are_servers_that_exist_and_come_along(config):
    nodes = all_nodes(config)
    assert {need for node in nodes.values() for need in node.needs} <= set(nodes)
    assert list(with_needs(nodes, ["mlflow"])) == ["postgres", "objects", "dbinit", "mlflow"]
    assert with_needs(nodes, []) == nodes


@pytest.mark.parametrize("installed", [True, False])
def test_a_server_that_cannot_run_here_is_absent_with_a_remedy(config, monkeypatch, installed):
    monkeypatch.setattr(inventory.adminer, "is_installed", lambda config: installed)
    assert ("adminer" in all_nodes(config)) is installed
    assert absent(config) == ({} if installed else {"adminer": inventory.adminer.REMEDY})
