"""The check of ports: the error names a taken port, the process that uses it and the variable to change."""

import os
import socket

import pytest

from stack.errors import PortTakenError
from stack.runners import ports

pytestmark = pytest.mark.sockets


@pytest.fixture
def listener():
    with socket.socket() as used:
        used.bind(("127.0.0.1", 0))
        used.listen()
        yield used.getsockname()[1]


def test_a_taken_port_names_its_holder_and_the_variable(listener):
    with pytest.raises(PortTakenError) as raised:
        ports.check({"MLFLOW_PORT": listener, "OBJECTS_INNER_PORT + 2": listener + 1}, ours=set)
    message = str(raised.value)
    assert f"port {listener} is taken by process {os.getpid()} (" in message
    assert "pytest" in message
    assert "set MLFLOW_PORT to a free one" in message


def test_a_port_that_this_stack_uses_is_no_problem(listener):
    ports.check({"MLFLOW_PORT": listener}, ours=lambda: {os.getpid()})


def test_one_port_given_to_two_servers_is_refused():
    with pytest.raises(PortTakenError, match="S3_PORT=29871 is given twice"):
        ports.check({"S3_PORT": 29871, "MLFLOW_PORT": 29871}, ours=set)


def test_free_ports_are_no_problem(listener):
    ports.check({"S3_PORT": 29871, "MLFLOW_PORT": 29872}, ours=set)


def test_the_variable_of_an_inner_listener_is_the_one_that_can_be_set(listener):
    with pytest.raises(PortTakenError, match="set OBJECTS_INNER_PORT to a free one"):
        ports.check({"OBJECTS_INNER_PORT + 2": listener}, ours=set)


def test_a_process_of_another_user_is_reported_without_its_name(listener, monkeypatch):
    monkeypatch.setattr(ports, "_listener", lambda port: None)
    with pytest.raises(PortTakenError, match=rf"port {listener} is taken by a process of another user \(Address"):
        ports.check({"S3_PORT": listener}, ours=set)


def test_all_problems_are_reported_at_once(listener):
    with pytest.raises(PortTakenError) as error:
        ports.check({"S3_PORT": listener, "MLFLOW_PORT": listener, "FEAST_PORT": 29871}, ours=set)
    lines = str(error.value).splitlines()
    assert lines[0] == "A port is not free."
    assert len(lines) == 5
    assert not any("FEAST_PORT" in line for line in lines)


def test_a_server_of_this_stack_that_starts_during_the_check_is_no_stranger(listener: int) -> None:
    """On a busy machine it may listen before it is among the processes that were listed."""
    started: set[int] = set()

    def listener_of(port: int) -> int:
        started.add(os.getpid())
        return os.getpid()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ports, "_listener", listener_of)
        ports.check({"POSTGRES_PORT": listener}, ours=lambda: started)
