"""A request that does not come in whole is not awaited for ever; one that does is answered, however long that takes."""

import asyncio
import contextlib
import socket
import threading
import time

import pytest
import uvicorn

from ml_platform.serving import http_protocol

pytestmark = pytest.mark.sockets

WHOLE = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab"
PATIENCE = 60  # seconds; only a server that waits for ever takes so long


async def app(scope, receive, send):
    """Answer with the body, later than a request may take to come in."""
    message = await receive()
    body = message["body"]
    while message.get("more_body"):
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message["body"]
    await asyncio.sleep(2 * http_protocol.REQUEST_SECONDS)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
def connect(monkeypatch):
    """Return a function that connects to a running server."""
    monkeypatch.setattr(http_protocol, "REQUEST_SECONDS", 0.3)
    config = uvicorn.Config(
        app, http=http_protocol.TimedHttpProtocol, lifespan="off", log_config=None, timeout_keep_alive=PATIENCE
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener, contextlib.ExitStack() as connections:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()

        def now():
            connection = socket.create_connection(listener.getsockname(), timeout=PATIENCE)
            return connections.enter_context(connection)

        while not server.started:
            time.sleep(0.01)
        yield now
        server.should_exit = True
        connections.close()
        thread.join()


def is_closed(connection):
    return connection.recv(1) == b""


@pytest.mark.parametrize("part", [b"", b"POST / HTT", WHOLE[:-1]], ids=["nothing", "half a head", "half a body"])
def test_a_request_that_does_not_come_is_not_awaited(connect, part):
    connection = connect()
    connection.sendall(part)
    assert is_closed(connection)


def test_a_slow_caller_gets_no_more_time_by_sending_byte_after_byte(connect):
    connection = connect()
    with contextlib.suppress(ConnectionError):
        while True:
            connection.sendall(b"x")
            time.sleep(0.05)


def test_a_whole_request_is_answered_however_long_that_takes(connect):
    connection = connect()
    for _ in range(2):  # the second time on the same connection
        connection.sendall(WHOLE)
        answer = b""
        while not answer.endswith(b"ab"):
            answer += connection.recv(1000)
        assert answer.startswith(b"HTTP/1.1 200")


def test_the_second_request_of_a_connection_has_a_limit_too(connect):
    connection = connect()
    connection.sendall(WHOLE)
    while not connection.recv(1000).endswith(b"ab"):
        pass
    connection.sendall(WHOLE[:20])
    assert is_closed(connection)
