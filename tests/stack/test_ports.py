"""A port that somebody holds is named, with who holds it and which variable moves it."""

import os
import socket

import pytest

from stack import ports
from stack.errors import PortTakenError

pytestmark = pytest.mark.sockets


@pytest.fixture
def listener():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        yield held.getsockname()[1]


def test_a_taken_port_names_its_holder_and_the_variable(listener):
    with pytest.raises(PortTakenError) as raised:
        ports.check({"MLFLOW_PORT": listener, "OBJECTS_INNER_PORT + 2": listener + 1}, ours=set())
    message = str(raised.value)
    assert f"port {listener} is taken by process {os.getpid()} (" in message
    assert "pytest" in message
    assert "set MLFLOW_PORT to a free one" in message


def test_a_port_that_we_hold_is_fine(listener):
    ports.check({"MLFLOW_PORT": listener}, ours={os.getpid()})


def test_one_port_given_to_two_servers_is_refused():
    with pytest.raises(PortTakenError, match="S3_PORT=29871 is given twice"):
        ports.check({"S3_PORT": 29871, "MLFLOW_PORT": 29871}, ours=set())
