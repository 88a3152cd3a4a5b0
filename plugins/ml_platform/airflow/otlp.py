"""Spans as OpenTelemetry has them, and the collector to which they are sent by OTLP over HTTP.

Imported only where traces are wanted: the packages take a tenth of a second.
"""

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.trace import Link, SpanContext, Status, StatusCode, TraceFlags

log = logging.getLogger(__name__)

SERVICE = Resource({SERVICE_NAME: "ml-platform"})
TIMEOUT = 2.0  # seconds, with all attempts
PAUSE = 60.0  # seconds without a further attempt, after one that failed


class Ids(NamedTuple):
    """The ids of a trace and of a span in it."""

    trace: int
    span: int

    def context(self) -> SpanContext:
        """Return them as OpenTelemetry has them."""
        return SpanContext(self.trace, self.span, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def span(
    name: str,
    ids: Ids,
    times: tuple[int, int],
    attributes: Mapping[str, Any],
    *,
    parent: Ids | None = None,
    links: Sequence[Ids] = (),
    error: str = "",
) -> ReadableSpan:
    """Return a span that has ended.

    Args:
        name: what was done.
        ids: of its trace, and its own.
        times: of its begin and its end, in nanoseconds since 1970.
        attributes: of it; those that are None are left out.
        parent: ids of the span that it is a part of.
        links: ids of spans of other traces.
        error: why it failed, for people; empty if it did not.
    """
    return ReadableSpan(
        name, ids.context(), parent.context() if parent else None, SERVICE,
        {key: value for key, value in attributes.items() if value is not None},
        links=[Link(other.context()) for other in links], start_time=times[0], end_time=times[1],
        status=Status(StatusCode.ERROR, error) if error else Status(),
    )  # fmt: skip


class Sender:
    """Sends spans to a collector. One that is away slows a process once: then it is left alone for a while."""

    def __init__(self, url: str) -> None:
        """Connect to nothing yet; `url` is that of the collector."""
        self._exporter = OTLPSpanExporter(endpoint=f"{url.rstrip('/')}/v1/traces", timeout=TIMEOUT)
        self._lock = threading.Lock()  # while one thread waits for the collector, the others do not try too
        self._paused_until = 0.0

    def send(self, spans: Sequence[ReadableSpan]) -> None:
        """Send spans; what cannot be sent is lost, with a warning."""
        with self._lock:
            if time.monotonic() < self._paused_until:
                return
            if self._exporter.export(spans) is not SpanExportResult.SUCCESS:
                self._paused_until = time.monotonic() + PAUSE
                log.warning("traces: the collector gets no spans for %.0f s", PAUSE)
