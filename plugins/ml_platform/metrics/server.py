"""The server of the metrics: one page, `/metrics`, in Prometheus' text format."""

import logging
import signal
import threading
from pathlib import Path

from prometheus_client import CollectorRegistry, start_http_server

from ml_platform.metrics.collector import PlatformCollector
from ml_platform.metrics.environment import Environment

log = logging.getLogger(__name__)


def serve(environment: Environment, specs: Path) -> None:
    """Answer until a signal stops it."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    registry = CollectorRegistry()
    registry.register(PlatformCollector(environment, specs))
    server, thread = start_http_server(environment.port, environment.host, registry)
    log.info("metrics are at http://%s:%s/metrics", environment.host, environment.port)
    stop.wait()
    server.shutdown()
    server.server_close()
    thread.join()
