"""Airflow's processes, each with only the secrets that it needs; metadata in Postgres, a real login (FAB)."""

import json
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import psycopg2
from pydantic import SecretStr
from werkzeug.security import check_password_hash

from stack import healthcheck, secrets
from stack.config import HOST, ROOT, Config
from stack.servers import airflow_metrics, kafka, probes
from stack.servers.node import Node, Server, Step, base_environment, no_work, program

PIPELINES = ("airflow-scheduler", "airflow-triggerer", "airflow-dag-processor")


def nodes(config: Config) -> Iterator[Node]:
    """Describe the set-up step and the four processes."""
    common = environment(config)
    tasks = config.environment()
    sensors = {"AIRFLOW_CONN_S3": s3_connection(config)} | _kafka_connection(config)
    logs = {"AIRFLOW_CONN_LOGS": logs_connection(config)}
    retention = _retention(config) | _lineage(config)
    tokens = {"AIRFLOW__API_AUTH__JWT_SECRET": config.airflow_jwt_secret.get_secret_value()}
    cookies = {"AIRFLOW__API__SECRET_KEY": config.airflow_secret_key.get_secret_value()}
    names = {"AIRFLOW_HOSTS": f"localhost,{HOST}"}
    screens = config.screen_urls()
    logins = {
        "ADMIN_USER": config.airflow_admin_user,
        "ADMIN_PASSWORD": config.airflow_admin_password.get_secret_value(),
        "HOME_AIRFLOW_PASSWORD": config.home_airflow_password.get_secret_value(),
    }
    yield Step(
        name="airflow-setup",
        command=(program("python"), "-m", "stack.airflow_setup"),
        environment=common | logins,
        needs=("dbinit",),
        is_done=lambda: _is_set_up(config),
        after=lambda: _write_stamp(config),
    )
    airflow = program("airflow")
    yield _server(
        config,
        "airflow-api",
        (airflow, "api-server", "--host", HOST, "--port", str(config.airflow_port), "--workers", "1", "--apps", "all"),
        common | tokens | cookies | names | screens | logs,
        probes.http(f"{config.airflow_url}/api/v2/monitor/health", _component("metadatabase")),
        ports={"AIRFLOW_PORT": config.airflow_port},
    )
    # without --skip-serve-logs these two would serve task logs on all interfaces; the api-server reads bucket and files
    scheduler = (program("python"), "-m", "ml_platform.airflow.scheduler", "--skip-serve-logs")
    components = {
        "scheduler": (scheduler, common | tokens | tasks | sensors | retention),
        "triggerer": ((airflow, "triggerer", "--skip-serve-logs"), common | sensors | logs),
        "dag_processor": ((airflow, "dag-processor"), common | {"DATASETS_DIR": str(config.datasets_dir)} | screens),
    }
    for component, (command, variables) in components.items():
        probe = probes.http(f"{config.airflow_url}/api/v2/monitor/health", _component(component))
        if component == "scheduler":
            probe = probes.every(probe, lambda: _undecided(config))
        yield _server(config, f"airflow-{component.replace('_', '-')}", command, variables, probe)
    yield watchdog(config)


def watchdog(config: Config) -> Server:
    """Describe the process that restarts a component of Airflow that has stopped its work."""
    return Server(
        name="airflow-watchdog",
        command=(program("python"), "-m", "stack.watchdog"),
        environment=base_environment(config)
        | _retention(config)
        | {"AIRFLOW_DATABASE": config.database_uri("airflow"), "LAST_LOOK": str(_last_look(config))},
        probe=lambda: _unwatched(config),
        version="",
        needs=("airflow-scheduler", "airflow-triggerer", "airflow-dag-processor"),
    )


def _retention(config: Config) -> dict[str, str]:
    return {"LOG_RETENTION_DAYS": str(config.log_retention_days)}


def _last_look(config: Config) -> Path:
    return home(config) / "last-look"


def _unwatched(config: Config) -> str | None:
    path = _last_look(config)
    if path.exists() and time.time() - path.stat().st_mtime < healthcheck.STALE:
        return None
    return f"it has not looked at Airflow's components for {healthcheck.STALE} s"


def home(config: Config) -> Path:
    """Return AIRFLOW_HOME."""
    return config.state_dir / "airflow"


def s3_connection(config: Config) -> str:
    """Return the Airflow connection `s3`, as JSON."""
    return _connection(config, config.s3_access_key, config.s3_secret_key)


def logs_connection(config: Config) -> str:
    """Return the Airflow connection `logs`, as JSON; people who open a log wait for it, so it gives up soon.

    The api-server passes it on to the workers, which upload logs: a task carries no key of this bucket.
    """
    patience = {"connect_timeout": 3, "read_timeout": 10, "retries": {"mode": "standard", "total_max_attempts": 2}}
    return _connection(config, config.logs_s3_access_key, config.logs_s3_secret_key, config_kwargs=patience)


def _kafka_connection(config: Config) -> dict[str, str]:
    """Return the Airflow connection `kafka` where the broker runs."""
    return {"AIRFLOW_CONN_KAFKA": kafka.connection(config)} if kafka.is_wanted(config) else {}


def _connection(config: Config, access_key: str, secret_key: SecretStr, **extra: object) -> str:
    return json.dumps(
        {
            "conn_type": "aws",
            "login": access_key,
            "password": secret_key.get_secret_value(),
            "extra": {"endpoint_url": config.s3_url, "region_name": "us-east-1", **extra},
        }
    )


def _server(
    config: Config,
    name: str,
    command: tuple[str, ...],
    environment: dict[str, str],
    probe: probes.Probe,
    ports: dict[str, int] | None = None,
) -> Server:
    return Server(
        name=name,
        command=command,
        environment=environment,
        probe=probe,
        version=version("apache-airflow"),
        needs=("airflow-setup", "objects"),
        ports=ports or {},
        prepare=lambda: home(config).mkdir(exist_ok=True, parents=True),
        in_flight=(lambda: _running_tasks(config)) if name == "airflow-scheduler" else no_work,
    )


def _undecided(config: Config) -> str | None:
    try:
        with healthcheck.database(config.database_uri("airflow")) as query:
            return healthcheck.undecided(query)
    except OSError as error:
        return str(error)


def _running_tasks(config: Config) -> list[str]:
    """Return the tasks that run now; none if Airflow's database does not answer."""
    try:
        rows = probes.query(
            config.database_uri("airflow"),
            "SELECT DISTINCT dag_id || '.' || task_id FROM task_instance WHERE state = 'running' ORDER BY 1",
        )
    except psycopg2.Error:
        return []
    return [task for (task,) in rows]


def environment(config: Config) -> dict[str, str]:
    """Return the settings of every component of Airflow; the key of the tokens is not among them."""
    return (
        base_environment(config)
        | secrets.read(ROOT / "stack" / "airflow.env")
        | {
            "AIRFLOW_HOME": str(home(config)),
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{config.airflow_url}/execution/",
            "AIRFLOW__CORE__FERNET_KEY": config.airflow_fernet_key.get_secret_value(),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": config.database_uri("airflow", driver="postgresql+psycopg2"),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": config.database_uri("airflow", driver="postgresql+psycopg"),
            "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home(config) / "logs"),
            "AIRFLOW__LOGGING__JSON_LOGS": "True",
            "AIRFLOW__OPENLINEAGE__DISABLED": config.airflow__openlineage__disabled,
        }
        | airflow_metrics.environment_of_airflow(config)
    )


def _lineage(config: Config) -> dict[str, str]:
    """Return what is set about the server of events about lineage; only the scheduler and its tasks send any."""
    values = {
        "OPENLINEAGE_API_KEY": config.openlineage_api_key,
        "OPENLINEAGE__TRANSPORT": config.openlineage__transport,
    }
    return {name: value.get_secret_value() for name, value in values.items() if value}


def _component(name: str) -> Callable[[bytes], str | None]:
    def problem_in(body: bytes) -> str | None:
        status = json.loads(body).get(name, {}).get("status")
        return None if status == "healthy" else f"Airflow reports its {name} as {status}"

    return problem_in


RIGHTS = "rights of alerts, metrics and home"  # a stamp without it is of a version that did not grant them


def _stamp(config: Config) -> Path:
    return home(config) / "set-up-with"


def _write_stamp(config: Config) -> None:
    _stamp(config).write_text(_versions())


def _versions() -> str:
    packages = (version(name) for name in ("apache-airflow", "apache-airflow-providers-fab"))
    return " ".join((*packages, RIGHTS))


# the administrator of `stack.airflow_setup`, unless another one that it has created is still active
ONLY_LOGIN = """
SELECT password FROM ab_user AS login WHERE username = %s AND active AND NOT EXISTS (
    SELECT FROM ab_user AS old
    WHERE old.active AND old.username <> login.username AND old.email = old.username || '@localhost'
    AND old.first_name = 'Platform' AND old.last_name = 'Administrator')"""
HOME_LOGIN = "SELECT password FROM ab_user WHERE username = 'home' AND active"


def _is_set_up(config: Config) -> bool:
    """Return whether these versions migrated this database, and the logins are those in `.env`; costs 0.2 s."""
    if not _stamp(config).exists() or _stamp(config).read_text() != _versions():
        return False
    uri = config.database_uri("airflow")
    try:
        found = (probes.query(uri, ONLY_LOGIN, config.airflow_admin_user), probes.query(uri, HOME_LOGIN))
    except psycopg2.Error:  # not the database that the stamp is about
        return False
    passwords = (config.airflow_admin_password, config.home_airflow_password)
    return all(
        rows and check_password_hash(rows[0][0], password.get_secret_value())
        for rows, password in zip(found, passwords, strict=True)
    )
