"""The calls of Docker Compose, and the errors where it fails; and the rules for its files."""

import json
import re

import pytest
import yaml

from stack import secrets
from stack.config import ROOT
from stack.errors import NotHealthyError, StackError
from stack.runners import compose
from stack.servers.probes import OTHER_ENV_FILE


@pytest.fixture
def docker(tmp_path, monkeypatch):
    """Return a function that writes the program `docker`, the only one on the PATH."""

    def write(script: str) -> None:
        program = tmp_path / "docker"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    monkeypatch.setenv("PATH", str(tmp_path))
    return write


def test_without_docker_the_error_names_the_remedy(config, docker):
    with pytest.raises(StackError, match=r"`docker` is not installed.*Install Docker.*make up"):
        compose.up(config, [])


def test_the_error_output_of_compose_is_shown(config, docker):
    docker("echo 'no such project' >&2; exit 1")
    with pytest.raises(StackError, match=r"`docker compose down` failed:\nno such project"):
        compose.down(config)


def test_a_start_that_fails_names_the_command_for_more(config, docker):
    docker('case "$*" in *" up "*) exit 1;; esac')
    with pytest.raises(NotHealthyError, match="docker compose logs"):
        compose.up(config, [])


REFUSED = 'psql: error: FATAL:  password authentication failed for user "postgres"'


def test_a_start_that_fails_shows_the_last_output_of_the_failed_containers(config, docker, tmp_path):
    containers = [
        {"Service": "postgres", "State": "running", "Health": "unhealthy", "ExitCode": 0, "ID": "1"},
        {"Service": "dbinit", "State": "exited", "Health": "", "ExitCode": 1, "ID": "2"},
        {"Service": "objects", "State": "running", "Health": "healthy", "ExitCode": 0, "ID": "3"},
        {"Service": "objects-setup", "State": "exited", "Health": "", "ExitCode": 0, "ID": "4"},
        {"Service": "mlflow", "State": "created", "Health": "", "ExitCode": 0, "ID": "5"},
    ]
    (tmp_path / "ps").write_text("".join(json.dumps(container) + "\n" for container in containers))
    (tmp_path / "checks").write_text(json.dumps([{"Output": "no route"}, {"Output": f"{REFUSED}\n"}]))
    docker(f"""case "$*" in
        *" ps --quiet"*) ;;
        *" ps "*) while read -r line; do printf '%s\\n' "$line"; done <{tmp_path}/ps ;;
        inspect*) read -r line <{tmp_path}/checks; printf '%s\\n' "$line" ;;
        *" logs "*) for name; do :; done; echo "the log of $name" ;;
        *) exit 1 ;;
        esac""")
    with pytest.raises(NotHealthyError) as failed:
        compose.up(config, [])
    text = str(failed.value)
    assert f"postgres is unhealthy: {REFUSED}\n{OTHER_ENV_FILE}\nThe end of its log:\nthe log of postgres\n" in text
    assert "dbinit is exited: exit code 1\nThe end of its log:\nthe log of dbinit\n" in text
    assert not any(name in text for name in ("objects", "mlflow", "no route"))


@pytest.mark.parametrize(("running", "started"), [("", True), ("0123abcd", False)])
def test_up_returns_whether_it_started_anything(config, docker, running, started):
    docker(f'case "$*" in *" ps "*) echo {running};; esac')
    assert compose.up(config, []) is started


def test_the_command_names_this_project_and_its_settings(config):
    command = compose.command(config, "ps")
    assert command[:2] == ["docker", "compose"]
    assert {str(ROOT), str(config.env_file)} <= set(command)
    assert compose.environment(config)["S3_PORT"] == str(config.s3_port)


def test_every_variable_of_the_files_is_in_the_example_or_has_a_default():
    known = set(secrets.read(secrets.EXAMPLE))
    for name in ("docker-compose.yml", "docker-compose.seaweedfs.yml"):
        wanted = set(compose_variables((ROOT / name).read_text()))
        assert wanted <= known, name


def test_no_client_uses_a_name_that_docker_may_resolve_in_the_closed_network():
    """Docker may answer with the address in `edge`, where containers do not reach each other."""
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    closed = {name for name, service in services.items() if "edge" in service.get("networks", ())}
    assert {"objects", "mlflow", "airflow-api", "serving"} <= closed
    for name, service in services.items():
        for variable, value in (service.get("environment") or {}).items():
            host = re.split(r"://|@", str(value))[-1].partition(":")[0]
            assert variable.endswith("_USER") or host not in closed, f"{name}: {variable}"


def compose_variables(text: str) -> list[str]:
    """Return the variables that must be given: `${NAME:?...}`."""
    return [part.partition(":?")[0] for part in text.split("${")[1:] if ":?" in part.partition("}")[0]]


MAY_BE_EMPTY = ("ALERTS_SMTP_PASSWORD",)  # only who has such a channel sets it


def test_no_file_has_a_password():
    document = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    secret = ("PASSWORD", "SECRET", "FERNET_KEY", "SECRET_KEY", "TOKEN")
    for name, service in document["services"].items():
        for variable, value in (service.get("environment") or {}).items():
            if value and variable.endswith(secret):
                assert value.startswith("${"), f"{name}: {variable}"
                end = ":-}" if variable in MAY_BE_EMPTY else ":?run make env}"
                assert value.endswith(end), f"{name}: {variable}"


@pytest.fixture
def calls(docker, tmp_path):
    """Let `docker` write its arguments to a file; return a function that reads them."""
    docker(f'echo "$*" >>{tmp_path}/calls')
    return lambda: [line.partition(".env ")[2] for line in (tmp_path / "calls").read_text().splitlines()]


def test_pause_and_resume_touch_only_the_named_services(config, calls):
    compose.pause(config, ["airflow-scheduler"])
    compose.resume(config, ["airflow-scheduler"])
    assert calls() == [
        "stop airflow-scheduler",
        "up --detach --wait --no-deps --no-recreate airflow-scheduler",
    ]


def test_without_names_pause_and_resume_call_nothing(config, docker):
    docker("exit 1")
    compose.pause(config, [])
    compose.resume(config, [])


def test_only_wipe_removes_the_volumes(config, calls):
    compose.down(config)
    compose.wipe(config)
    assert calls() == ["down", "down --volumes --timeout 0"]


def test_the_stores_are_ready_when_their_jobs_have_ended(config, calls):
    compose.up_stores(config)
    jobs = [call for call in calls() if call.startswith("run ")]
    assert jobs == ["run --rm --no-TTY --build dbinit", "run --rm --no-TTY --build objects-setup"]
    assert calls()[-1].endswith("--remove-orphans objects")


def test_a_job_that_fails_is_named(config, docker):
    docker('case "$*" in *"run "*objects-setup) exit 1;; esac')
    with pytest.raises(NotHealthyError, match="The job objects-setup failed"):
        compose.up_stores(config)


def test_restarting_services_count_as_running(config, docker):
    docker('case "$*" in *"--status running --status restarting") echo objects; echo mlflow;; esac')
    assert compose.running(config) == {"objects", "mlflow"}


def test_postgres_programs_run_in_the_container_and_no_argument_has_the_password(config):
    command, environment = compose.postgres_program(config, "pg_dump", "--format=custom", "feast")
    assert command[-3:] == ["pg_dump", "--format=custom", "feast"]
    assert command[command.index("exec") :][:3] == ["exec", "-T", "postgres"]
    assert config.postgres_superuser_password.get_secret_value() not in " ".join(command)
    assert environment["POSTGRES_PORT"] == str(config.postgres_port)


def test_services_that_stopped_or_are_not_healthy_are_problems_and_jobs_that_ended_are_not(config, docker, tmp_path):
    containers = [
        {"Service": "postgres", "State": "running", "Health": "healthy", "ExitCode": 0, "ID": "1"},
        {"Service": "dbinit", "State": "exited", "Health": "", "ExitCode": 0, "ID": "2"},
        {"Service": "mlflow", "State": "exited", "Health": "", "ExitCode": 0, "ID": "3"},
        {"Service": "feast-apply", "State": "exited", "Health": "", "ExitCode": 1, "ID": "4"},
    ]
    (tmp_path / "ps").write_text("".join(json.dumps(container) + "\n" for container in containers))
    services = "postgres dbinit mlflow feast-apply serving"
    docker(f"""case "$*" in
        *" ps --all"*) /bin/cat '{tmp_path / "ps"}';;
        *" config --services"*) echo {services};;
    esac""")
    assert compose.problems(config) == {"mlflow": "exited", "feast-apply": "exit code 1", "serving": "not started"}


def test_nothing_beside_the_services_is_in_use(config):
    assert not compose.is_in_use(config)


def test_the_lines_of_logs_come_with_the_name_and_the_time_of_each(config, docker):
    docker('echo "$*" >&2; echo "mlflow-1  | 2026-11-30T06:00:00Z one"; echo "mlflow-1  | 2026-11-30T06:00:01Z two"')
    assert list(compose.log_lines(config, "--since", "2026-11-30")) == [
        "mlflow-1  | 2026-11-30T06:00:00Z one\n", "mlflow-1  | 2026-11-30T06:00:01Z two\n",
    ]  # fmt: skip


def test_the_logs_need_docker(config, docker):
    with pytest.raises(StackError, match="`docker` is not installed"):
        list(compose.log_lines(config))
