"""The tables of the commands, and SIGTERM as an interrupt."""

import io
import os
import signal

import pytest
from rich.console import Console

from stack.servers.node import Server
from stack.terminal import interrupt_on_terminate, show_screens, show_servers


@pytest.fixture
def console():
    return Console(file=io.StringIO(), width=200, highlight=False)


def text(console):
    return console.file.getvalue()


def row(console, name):
    return next(words for line in text(console).splitlines() if (words := line.split())[:1] == [name])


def server(name, **ports):
    return Server(name, (), {}, probe=lambda: None, version="1.2", ports=ports)


@pytest.mark.parametrize(
    ("state", "problem", "health"),
    [
        ("RUNNING", None, ["healthy"]),
        ("RUNNING", "503", ["not", "healthy"]),
        ("FATAL", "FATAL", ["fatal"]),
        (None, "not running", ["not", "running"]),
    ],
)
def test_each_server_has_its_health_version_and_address(console, state, problem, health):
    states = {"mlflow": state} if state else {}
    show_servers(console, [server("mlflow", MLFLOW_PORT=5000)], states, {"mlflow": problem})
    assert row(console, "mlflow") == ["mlflow", *health, "1.2", "127.0.0.1:5000"]


def test_inner_listeners_are_not_shown(console):
    ports = {"S3_PORT": 9000, "CONSOLE_PORT": 9001, "OBJECTS_INNER_PORT + 1": 19001, "KAFKA_PORT": 9092}
    show_servers(console, [server("objects", **ports)], {}, {"objects": None})
    assert "127.0.0.1:9000, 127.0.0.1:9001, 127.0.0.1:9092" in text(console)
    assert "19001" not in text(console)


def test_screens_are_shown_with_their_login_and_without_a_password(console, config):
    show_screens(console, config)
    for screen in config.screens():
        assert screen.url in text(console)
        assert screen.login in text(console)
    assert f"Passwords are in {config.env_file}" in text(console)
    assert config.airflow_admin_password.get_secret_value() not in text(console)


def test_a_narrow_terminal_shows_whole_addresses(config):
    narrow = Console(file=io.StringIO(), width=60, highlight=False)
    show_screens(narrow, config)
    assert "…" not in text(narrow)
    for screen in config.screens():
        assert row(narrow, screen.name.split()[0])[-1] == screen.url


def test_sigterm_is_an_interrupt():
    before = signal.getsignal(signal.SIGTERM)
    try:
        interrupt_on_terminate()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
