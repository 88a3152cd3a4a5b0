"""The metrics for Prometheus, in a registry of their own, because Feast uses the default registry."""

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ml_platform.exceptions import ServiceError
from ml_platform.scoring.live_models import LiveModels
from ml_platform.sources.ranges import Status

BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)

ReadSources = Callable[[], list[Status]]  # raises ServiceError if Postgres is not available


class Metrics:
    """Counters of requests and rows, and gauges of the versions that answer."""

    def __init__(self, live: LiveModels, read_sources: ReadSources = list) -> None:
        """Start at zero; `read_sources` returns what is known of the sources of rows."""
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "serving_requests", "Answered requests", ["route", "dataset", "status"], registry=self._registry
        )
        self.seconds = Histogram(
            "serving_seconds", "Time to answer", ["route"], buckets=BUCKETS, registry=self._registry
        )
        self.rows = Counter("serving_rows", "Rows scored", ["dataset", "version"], registry=self._registry)
        self.lost = Counter("serving_predictions_lost", "Predictions that could not be logged", registry=self._registry)
        self._registry.register(_LiveVersions(live))
        self._registry.register(_Sources(read_sources))

    def text(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self._registry)


class _LiveVersions(Collector):
    def __init__(self, live: LiveModels) -> None:
        self._live = live

    def collect(self) -> list[GaugeMetricFamily]:
        version = GaugeMetricFamily("serving_model_version", "The version that answers", labels=["dataset"])
        degraded = GaugeMetricFamily(
            "serving_model_degraded", "1 while it is not, or may not be, the live one", labels=["dataset"]
        )
        for name, served in self._live.all().items():
            if served.model:
                version.add_metric([name], served.model.version)
            degraded.add_metric([name], float(served.status != "ok"))
        return [version, degraded]


class _Sources(Collector):
    def __init__(self, read: ReadSources) -> None:
        self._read = read

    def describe(self) -> list[GaugeMetricFamily]:
        return []  # else Postgres would be asked before the service starts

    def collect(self) -> list[GaugeMetricFamily]:
        labels = ["dataset", "purpose"]
        lag = GaugeMetricFamily("source_lag", "Rows, or files, of a source that wait to be read", labels=labels)
        rows = GaugeMetricFamily("source_rows", "Rows of a source that came into the inbox", labels=labels)
        seen = GaugeMetricFamily("source_seen_timestamp_seconds", "When the source last answered", labels=labels)
        problem = GaugeMetricFamily("source_problem", "1 while the source cannot be read", labels=labels)
        for one in self._known():
            names = [one.dataset, one.purpose]
            rows.add_metric(names, one.rows)
            problem.add_metric(names, float(one.problem is not None))
            if one.lag is not None:
                lag.add_metric(names, one.lag)
            if one.seen_at is not None:
                seen.add_metric(names, one.seen_at.timestamp())
        return [lag, rows, seen, problem]

    def _known(self) -> list[Status]:
        try:
            return self._read()
        except ServiceError:  # the other metrics do not need Postgres
            return []


class MetricsMiddleware:
    """Counts the application's answers and their time. Labels are routes and live data sets, never a caller's text."""

    def __init__(self, app: ASGIApp, metrics: Metrics, live: LiveModels) -> None:
        """Wrap the application."""
        self._app, self._metrics, self._live = app, metrics, live

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request to the application, and count it at the end."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start, status = time.perf_counter(), 500

        async def send_and_note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_note_status)
        finally:
            route = getattr(scope.get("route"), "path", "")
            dataset = scope.get("path_params", {}).get("dataset", "")
            live_dataset = dataset if self._live.model(dataset) else ""
            self._metrics.requests.labels(route, live_dataset, str(status)).inc()
            self._metrics.seconds.labels(route).observe(time.perf_counter() - start)
