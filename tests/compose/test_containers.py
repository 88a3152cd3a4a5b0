"""The containers as they run: closed, small, each with its own secrets."""

import subprocess

import psutil
import pytest

from stack.config import Config
from stack.runners import compose

pytestmark = [pytest.mark.servers]

JOBS = {"dbinit", "objects-volume", "objects-setup", "airflow-setup", "feast-apply"}
SERVICES = {
    "postgres", "objects", "mlflow", "feast", "serving", "adminer", "home",
    "airflow-api", "airflow-scheduler", "airflow-dag-processor", "airflow-triggerer",
}  # fmt: skip
PUBLISHED = {
    "airflow-api": ["airflow_port"], "mlflow": ["mlflow_port"], "feast": ["feast_port"],
    "serving": ["serving_port"], "home": ["home_port"],
    "adminer": ["adminer_port"], "objects": ["s3_port", "console_port"],
}  # fmt: skip
NETWORKS = {
    "postgres": {"data"}, "objects": {"edge", "data"}, "mlflow": {"edge", "control", "data"}, "feast": {"edge", "data"},
    "adminer": {"edge", "data"}, "airflow-api": {"edge", "control", "data"}, "airflow-scheduler": {"control", "data"},
    "airflow-dag-processor": {"data"}, "airflow-triggerer": {"data"}, "serving": {"edge", "control", "data"},
    "home": {"edge", "control", "data"},
}  # fmt: skip

# who may know what; the same as without containers, but for the S3 server, whose own secrets depend on which it is
AIRFLOW = {"airflow_db_password", "airflow_fernet_key"}
FEAST = {"feast_db_password", "platform_db_password"}
KNOWN = {
    "postgres": {"postgres_superuser_password"},
    "adminer": set(),
    "dbinit": {"postgres_superuser_password"}
    | {
        f"{role}_db_password"
        for role in ("airflow", "mlflow", "feast", "platform", "reader", "serving", "alerts", "metrics")
    },
    "mlflow": {"mlflow_db_password", "mlflow_s3_secret_key", "mlflow_admin_password", "mlflow_pipelines_password"},
    "feast": FEAST | {"feast_admin_password"},
    "home": FEAST
    | {
        *("home_admin_password", "home_session_key", "home_users", "home_airflow_password", "serving_token"),
        *("s3_secret_key", "mlflow_pipelines_password"),
    },
    "serving": {
        *("serving_db_password", "serving_token", "serving_files_token", "files_s3_secret_key"),
        "mlflow_pipelines_password",
    },
    "feast-apply": FEAST,
    "objects-volume": set(),
    "airflow-setup": AIRFLOW | {"airflow_admin_password", "home_airflow_password"},
    "airflow-api": AIRFLOW | {"airflow_jwt_secret", "airflow_secret_key", "logs_s3_secret_key"},
    "airflow-dag-processor": AIRFLOW,
    "airflow-scheduler": AIRFLOW | {"airflow_jwt_secret", "s3_secret_key", "mlflow_pipelines_password"} | FEAST,
    "airflow-triggerer": AIRFLOW | {"s3_secret_key", "logs_s3_secret_key"},
}
ROOT_KEY = "s3_admin_secret_key"


def test_every_service_runs_and_every_job_is_done(found, containers):
    assert set(found) == SERVICES | JOBS
    assert {s: found[s]["State"]["Status"] for s in SERVICES} == dict.fromkeys(SERVICES, "running")
    assert {s: (found[s]["State"]["Status"], found[s]["State"]["ExitCode"]) for s in JOBS} == dict.fromkeys(
        JOBS, ("exited", 0)
    )
    assert all(containers.is_healthy(service) for service in SERVICES)


def test_nothing_runs_as_root_or_could_become_it(found):
    for service, container in found.items():
        host = container["HostConfig"]
        assert container["Config"]["User"] not in ("", "0", "root", "0:0"), service
        assert (host["CapDrop"], host["CapAdd"] or [], host["Privileged"]) == (["ALL"], [], False), service
        assert any(option.startswith("no-new-privileges") for option in host["SecurityOpt"]), service


def test_nothing_can_write_but_to_its_volumes_and_a_small_tmpfs(found):
    for service, container in found.items():
        assert container["HostConfig"]["ReadonlyRootfs"], service
        assert all("size=" in options for options in container["HostConfig"]["Tmpfs"].values()), service


def test_nothing_can_take_the_whole_machine(found):
    for service, container in found.items():
        host = container["HostConfig"]
        assert host["Memory"] > 0, service
        assert host["PidsLimit"] > 0, service
        assert host["Init"], service
        assert host["LogConfig"]["Config"] == {"max-size": "10m", "max-file": "3"}, service


def test_services_come_back_and_jobs_do_not(found):
    policies = {service: c["HostConfig"]["RestartPolicy"]["Name"] for service, c in found.items()}
    assert policies == dict.fromkeys(SERVICES, "unless-stopped") | dict.fromkeys(JOBS, "no")


def test_only_the_screens_are_published_and_on_this_machine_only(stack: Config, found):
    for service, container in found.items():
        bindings = [b for ports in (container["NetworkSettings"]["Ports"] or {}).values() for b in ports or []]
        assert {b["HostIp"] for b in bindings} <= {"127.0.0.1"}, service
        assert {int(b["HostPort"]) for b in bindings} == {getattr(stack, p) for p in PUBLISHED.get(service, [])}, (
            service
        )


def test_this_machine_listens_for_it_on_loopback_only(stack: Config):
    ports = {value for name, value in stack if name.endswith("_port")}
    listening = {c.laddr.ip for c in psutil.net_connections("inet") if c.status == "LISTEN" and c.laddr.port in ports}
    assert listening == {"127.0.0.1"}


def test_each_is_in_its_networks_only(found):
    for service, networks in NETWORKS.items():
        names = {name.rpartition("_")[2] for name in found[service]["NetworkSettings"]["Networks"]}
        assert names == networks, service


def test_inside_nobody_reaches_the_world_or_a_neighbour_by_the_published_side(stack: Config, found):
    def networks(name: str) -> dict:
        (full,) = {n for c in found.values() for n in c["NetworkSettings"]["Networks"] if n.endswith(f"_{name}")}
        shown = subprocess.run(
            ["docker", "network", "inspect", full, "--format", "{{.Internal}} {{.Options}}"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return shown.stdout

    assert networks("data").startswith("true")
    assert networks("control").startswith("true")
    assert "enable_icc:false" in networks("edge")


def test_each_container_knows_only_its_own_secrets(stack: Config, environments):
    secrets = {name: value.get_secret_value() for name, value in stack if hasattr(value, "get_secret_value")}
    for service, environment in environments().items():
        told = " ".join(environment.values())
        knows = {name for name, value in secrets.items() if value in told}
        if service in KNOWN:
            assert knows == KNOWN[service], service
        else:
            assert ROOT_KEY not in knows or service in ("objects", "objects-setup"), service


def test_no_command_line_and_no_log_shows_a_secret(stack: Config, found):
    secrets = {name: value.get_secret_value() for name, value in stack if hasattr(value, "get_secret_value")}
    lines = " ".join(
        " ".join([*(c["Config"]["Cmd"] or []), *(c["Config"]["Entrypoint"] or [])]) for c in found.values()
    )
    assert [name for name, value in secrets.items() if value in lines] == []
    processes = " ".join(" ".join(p.info["cmdline"] or []) for p in psutil.process_iter(["cmdline"]))
    assert [name for name, value in secrets.items() if value in processes] == []
    tasks = ("exec", "-T", "airflow-scheduler", "find", "/airflow/logs", "-type", "f", "-exec", "cat", "{}", "+")
    for logs in (compose.output(stack, "logs", "--no-color"), compose.output(stack, *tasks)):
        assert [name for name, value in secrets.items() if value in logs] == []


def test_without_settings_compose_refuses_to_start(tmp_path):
    (tmp_path / ".env").write_text("")
    command = [
        "docker",
        "compose",
        "--project-directory",
        str(compose.ROOT),
        "--env-file",
        str(tmp_path / ".env"),
        "config",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "run make env" in done.stderr
