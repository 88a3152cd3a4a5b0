"""What Prometheus is told, in a registry of the service's own: Feast's is the process's."""

import time

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ml_platform.serving.live_models import LiveModels

BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Metrics:
    """Counts requests and rows, and shows which version answers."""

    def __init__(self, live: LiveModels) -> None:
        """Begin at zero."""
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "serving_requests", "Answered requests", ["route", "dataset", "status"], registry=self._registry
        )
        self.seconds = Histogram(
            "serving_seconds", "Time to answer", ["route"], buckets=BUCKETS, registry=self._registry
        )
        self.rows = Counter("serving_rows", "Rows scored", ["dataset", "version"], registry=self._registry)
        self.lost = Counter("serving_predictions_lost", "Predictions that are not in the log", registry=self._registry)
        self._registry.register(_LiveVersions(live))

    def text(self) -> bytes:
        """Return all of it in Prometheus' text format."""
        return generate_latest(self._registry)


class _LiveVersions(Collector):
    def __init__(self, live: LiveModels) -> None:
        self._live = live

    def collect(self) -> list[GaugeMetricFamily]:
        version = GaugeMetricFamily("serving_model_version", "The version that answers", labels=["dataset"])
        degraded = GaugeMetricFamily(
            "serving_model_degraded", "1 while it is not known to be the live one", labels=["dataset"]
        )
        for name, live in self._live.all().items():
            if live.model:
                version.add_metric([name], live.model.version)
            degraded.add_metric([name], float(live.status != "ok"))
        return [version, degraded]


class Measured:
    """Counts what the application answers, and how long it takes. What callers make up is no label."""

    def __init__(self, app: ASGIApp, metrics: Metrics, live: LiveModels) -> None:
        """Stand before the application."""
        self._app, self._metrics, self._live = app, metrics, live

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start, status = time.perf_counter(), 500

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note)
        finally:
            route = getattr(scope.get("route"), "path", "")
            dataset = scope.get("path_params", {}).get("dataset", "")
            known = dataset if self._live.model(dataset) else ""
            self._metrics.requests.labels(route, known, str(status)).inc()
            self._metrics.seconds.labels(route).observe(time.perf_counter() - start)
