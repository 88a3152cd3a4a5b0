"""How Compose is called, and what is said where it cannot be."""

import json
import re

import pytest
import yaml

from stack import __main__ as main
from stack import compose, secrets
from stack.config import ROOT
from stack.errors import NotHealthyError, StackError
from stack.health import OTHER_ENV_FILE
from stack.target import runner


@pytest.fixture
def docker(tmp_path, monkeypatch):
    """A program `docker` that does what the test says, the only one on the PATH."""

    def says(script: str) -> None:
        program = tmp_path / "docker"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    monkeypatch.setenv("PATH", str(tmp_path))
    return says


def test_without_docker_it_says_what_to_do(config, docker):
    with pytest.raises(StackError, match=r"no program `docker`.*Install Docker.*make up"):
        compose.up(config, [])


def test_what_compose_said_is_passed_on(config, docker):
    docker("echo 'no such project' >&2; exit 1")
    with pytest.raises(StackError, match=r"`docker compose down` failed:\nno such project"):
        compose.down(config)


def test_a_start_that_fails_says_where_to_look(config, docker):
    docker('case "$*" in *" up "*) exit 1;; esac')
    with pytest.raises(NotHealthyError, match="docker compose logs"):
        compose.up(config, [])


REFUSED = 'psql: error: FATAL:  password authentication failed for user "postgres"'


def test_a_start_that_fails_shows_what_the_containers_in_trouble_said_last(config, docker, tmp_path):
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
    said = str(failed.value)
    assert f"postgres is unhealthy: {REFUSED}\n{OTHER_ENV_FILE}\nThe end of its log:\nthe log of postgres\n" in said
    assert "dbinit is exited: exit code 1\nThe end of its log:\nthe log of dbinit\n" in said
    assert not any(name in said for name in ("objects", "mlflow", "no route"))


@pytest.mark.parametrize(("running", "started"), [("", True), ("0123abcd", False)])
def test_it_tells_whether_anything_ran_before(config, docker, running, started):
    docker(f'case "$*" in *" ps "*) echo {running};; esac')
    assert compose.up(config, []) is started


def test_it_is_about_this_project_with_these_settings(config):
    command = compose.command(config, "ps")
    assert command[:2] == ["docker", "compose"]
    assert {str(ROOT), str(config.env_file)} <= set(command)
    assert compose.environment(config)["S3_PORT"] == str(config.s3_port)


def test_the_target_chooses_the_runner(config):
    assert runner(config).__name__ == "stack.lifecycle"
    assert runner(config.model_copy(update={"target": "compose"})) is compose


def test_the_commands_of_the_servers_start_no_servers_beside_the_containers(config, monkeypatch, capsys):
    monkeypatch.setenv("TARGET", "compose")
    monkeypatch.setattr(main.lifecycle, "up", lambda *_: pytest.fail("started"))
    assert main.main(["--env-file", str(config.env_file), "up"]) == 1
    assert "docker compose up -d --wait" in " ".join(capsys.readouterr().out.split())


def test_every_variable_of_the_files_is_in_the_example_or_has_a_default():
    known = set(secrets.read(secrets.EXAMPLE))
    for name in ("docker-compose.yml", "docker-compose.seaweedfs.yml"):
        wanted = set(compose_variables((ROOT / name).read_text()))
        assert wanted <= known, name


def test_nobody_is_asked_for_by_a_name_that_may_be_that_of_the_closed_side():
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


def test_no_file_holds_a_password():
    document = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    secret = ("PASSWORD", "SECRET", "FERNET_KEY", "SECRET_KEY", "TOKEN")
    for name, service in document["services"].items():
        for variable, value in (service.get("environment") or {}).items():
            if value and variable.endswith(secret):
                assert value.startswith("${"), f"{name}: {variable}"
                assert value.endswith(":?run make env}"), f"{name}: {variable}"
