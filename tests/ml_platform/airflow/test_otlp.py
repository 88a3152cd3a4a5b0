"""Spans, as a collector gets them; one that is away is left alone for a while."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from ml_platform.airflow import otlp
from ml_platform.airflow.otlp import Ids, Sender, span

pytestmark = pytest.mark.sockets
ROOT = Ids(1, 2)


class Catcher(ThreadingHTTPServer):
    """A collector that keeps the spans it gets, and can be made to fail."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.requests, self.status = 0, 200
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        catcher: Any = self.server
        catcher.requests += 1
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if catcher.status == 200 and self.path == "/v1/traces":
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                catcher.spans += [one for scope in resource.scope_spans for one in scope.spans]
        self.send_response(catcher.status)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def catcher() -> Iterator[Catcher]:
    with Catcher() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def sender(catcher: Catcher) -> Sender:
    return Sender(f"http://127.0.0.1:{catcher.server_port}/")


def test_a_collector_gets_ids_times_attributes_parents_and_links(catcher: Catcher, sender: Sender) -> None:
    part = span("load", Ids(1, 3), (10, 20), {"rows": 5, "none": None}, parent=ROOT, links=[Ids(7, 8)], error="OSError")
    sender.send([span("a.csv", ROOT, (5, 20), {"file": "a.csv"}), part])
    root, load = catcher.spans
    assert (root.name, root.trace_id[-1], root.span_id[-1], root.parent_span_id) == ("a.csv", 1, 2, b"")
    assert (load.trace_id, load.parent_span_id) == (root.trace_id, root.span_id)
    assert (load.start_time_unix_nano, load.end_time_unix_nano) == (10, 20)
    assert {one.key: one.value.int_value for one in load.attributes} == {"rows": 5}
    assert [(link.trace_id[-1], link.span_id[-1]) for link in load.links] == [(7, 8)]
    assert (load.status.code, load.status.message) == (2, "OSError")


def test_a_collector_that_fails_is_left_alone_for_a_while(
    catcher: Catcher, sender: Sender, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    catcher.status = 400
    for _ in range(3):
        sender.send([span("a.csv", ROOT, (5, 20), {})])
    assert catcher.requests == 1
    assert "the collector gets no spans for 60 s" in caplog.text
    catcher.status = 200
    later = otlp.time.monotonic() + otlp.PAUSE + 1
    monkeypatch.setattr(otlp.time, "monotonic", lambda: later)
    sender.send([span("a.csv", ROOT, (5, 20), {})])
    assert len(catcher.spans) == 1
