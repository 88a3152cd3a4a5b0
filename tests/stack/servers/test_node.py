"""Servers and steps, and the environment of every process."""

import dataclasses
import os
import sys

import pytest

from stack import marks
from stack.servers.node import (
    Server,
    Step,
    base_environment,
    decide_environment,
    find_program,
    forget_environment,
    program,
    servers_of,
)


def test_a_process_inherits_no_secret_and_no_proxy(config, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of the caller")
    monkeypatch.setenv("LANG", "C.UTF-8")
    environment = base_environment(config)
    assert {"HTTPS_PROXY", "AWS_SECRET_ACCESS_KEY"}.isdisjoint(environment)
    assert environment["LANG"] == "C.UTF-8"
    assert environment["NO_PROXY"] == "127.0.0.1,localhost"


def test_a_variable_that_the_caller_lacks_is_left_out(config, monkeypatch):
    monkeypatch.delenv("TZ", raising=False)
    assert "TZ" not in base_environment(config)


def test_every_process_has_the_marker_of_its_stack(config):
    assert base_environment(config)[marks.STATE] == str(config.state_dir)


def test_programs_are_those_beside_our_python(config):
    python = program("python")
    assert os.access(python, os.X_OK)
    assert os.path.dirname(python) == os.path.dirname(sys.executable)  # noqa: PTH120 – no link is followed
    assert base_environment(config)["PATH"].startswith(os.path.dirname(python) + ":")  # noqa: PTH120


def test_a_program_is_looked_for_where_the_servers_find_it(config, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_program(config, "python") == program("python")
    assert find_program(config, "no-such-program") is None


def test_what_is_inherited_is_decided_by_the_shell_that_starts_the_stack(config, monkeypatch):
    config.state_dir.mkdir()
    monkeypatch.delenv("TZ", raising=False)
    monkeypatch.setenv("PATH", "/first")
    decide_environment(config)
    monkeypatch.setenv("PATH", "/second")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    decide_environment(config)
    assert base_environment(config)["PATH"].endswith(":/first")
    assert "TZ" not in base_environment(config)
    forget_environment(config)
    assert base_environment(config)["PATH"].endswith(":/second")
    assert base_environment(config)["TZ"] == "Asia/Tokyo"


def test_what_is_inherited_is_closed_to_other_users(config):
    config.state_dir.mkdir()
    decide_environment(config)
    assert {path.stat().st_mode & 0o077 for path in config.state_dir.iterdir()} == {0}


def test_a_server_without_work_in_flight_can_restart_at_any_time():
    assert Server("a", (), {}, probe=lambda: None, version="1").in_flight() == []


def test_steps_are_no_servers():
    server = Server("a", (), {}, probe=lambda: None, version="1")
    assert servers_of({"a": server, "b": Step("b", (), {})}) == [server]


def test_a_step_runs_unless_it_can_tell_that_it_is_done():
    step = Step("b", (), {})
    assert step.is_done() is False
    assert step.after() is None


def test_a_description_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Step("b", (), {}).name = "c"
