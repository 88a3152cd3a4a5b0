"""Where events go: a file per day, a server that answers, one that is away, and nowhere."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from openlineage.client.event_v2 import Job, Run, RunEvent, RunState

from ml_platform.airflow import lineage_transport
from ml_platform.airflow.lineage_transport import PlatformTransport, server_config
from ml_platform.specs.lineage import LineageOptions
from ml_platform.specs.platform import PlatformOptions

EVENT = RunEvent(
    eventTime="2026-03-01T12:00:00+00:00", run=Run("01a22a8f-2e46-720d-8f97-8e37b666cc98"),
    job=Job("ml-platform", "auto.load"), eventType=RunState.COMPLETE,
)  # fmt: skip


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("OPENLINEAGE__TRANSPORT", "OPENLINEAGE_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(lineage_transport, "folder", lambda: tmp_path / "lineage")


def transport(monkeypatch: pytest.MonkeyPatch, **options: Any) -> PlatformTransport:
    chosen = PlatformOptions(lineage=LineageOptions(**options))
    monkeypatch.setattr(lineage_transport, "platform_options", lambda: chosen)
    return PlatformTransport()


class Catcher(ThreadingHTTPServer):
    """A server that keeps the events it gets, and can be made to fail."""

    def __init__(self) -> None:
        self.caught: list[tuple[str, str | None, dict[str, Any]]] = []
        self.status = 201
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Catcher

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.caught.append((self.path, self.headers["Authorization"], body))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def catcher() -> Iterator[Catcher]:
    with Catcher() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def lines(tmp_path: Path) -> list[Any]:
    return [
        json.loads(line) for path in (tmp_path / "lineage").glob("*.jsonl") for line in path.read_text().splitlines()
    ]


def test_by_default_events_are_appended_to_the_file_of_the_day(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sender = transport(monkeypatch)
    sender.emit(EVENT)
    sender.emit(EVENT)
    assert [event["job"]["name"] for event in lines(tmp_path)] == ["auto.load"] * 2
    assert server_config(None) is None


def test_without_file_and_server_nothing_is_wanted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sender = transport(monkeypatch, file=False)
    assert not sender.is_wanted
    sender.emit(EVENT)
    assert not (tmp_path / "lineage").exists()


@pytest.mark.sockets
def test_a_server_gets_the_events_with_the_key(
    monkeypatch: pytest.MonkeyPatch, catcher: Catcher, tmp_path: Path
) -> None:
    monkeypatch.setenv("OPENLINEAGE_API_KEY", "key1")
    transport(monkeypatch, url=catcher.url).emit(EVENT)
    ((path, key, body),) = catcher.caught
    assert (path, key) == ("/api/v1/lineage", "Bearer key1")
    assert [body] == lines(tmp_path)


@pytest.mark.sockets
def test_the_variable_names_any_transport(monkeypatch: pytest.MonkeyPatch, catcher: Catcher) -> None:
    chosen = {"type": "http", "url": catcher.url, "endpoint": "events"}
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT", json.dumps(chosen))
    transport(monkeypatch, url="http://elsewhere:1").emit(EVENT)
    assert [path for path, *_ in catcher.caught] == ["/events"]


@pytest.mark.sockets
def test_a_server_that_fails_is_left_alone_for_a_while(
    monkeypatch: pytest.MonkeyPatch, catcher: Catcher, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    catcher.status = 503
    sender = transport(monkeypatch, url=catcher.url)
    for _ in range(3):
        sender.emit(EVENT)
    assert (len(catcher.caught), len(lines(tmp_path))) == (1, 3)
    assert caplog.text.count("the server gets no events for 60 s") == 1
    catcher.status = 201
    later = time.monotonic() + lineage_transport.PAUSE + 1
    monkeypatch.setattr(lineage_transport, "time", SimpleNamespace(monotonic=lambda: later))
    sender.emit(EVENT)
    assert len(catcher.caught) == 2


@pytest.mark.sockets
def test_a_server_that_is_away_raises_nothing(
    monkeypatch: pytest.MonkeyPatch, catcher: Catcher, tmp_path: Path
) -> None:
    catcher.server_close()
    transport(monkeypatch, url=catcher.url).emit(EVENT)
    assert len(lines(tmp_path)) == 1
