"""Measure what logs and traces cost: ids of a request, an entry as text and as JSON, and the spans of a file."""

import argparse
import io
import logging
import statistics
import sys
import threading
import time
from collections.abc import Callable
from contextvars import copy_context
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from ml_platform import logs
from ml_platform.airflow import traces
from ml_platform.airflow.otlp import Sender

TEXT = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")  # as entries were before
REPORT: Any = {
    "dataset": "auto", "purpose": "train", "bucket": "train", "key": "train_auto.csv", "etag": "e", "rows_read": 1,
    "last_modified": datetime.now(UTC).isoformat(), "sha256": "0" * 64, "outcome": "loaded", "result_key": None,
}  # fmt: skip


def median(function: Callable[[], object], times: int) -> float:
    """Return the median of a function's duration, in seconds."""
    durations = []
    for _ in range(times):
        begin = time.perf_counter()
        function()
        durations.append(time.perf_counter() - begin)
    return statistics.median(durations)


def entry(formatter: logging.Formatter) -> Callable[[], None]:
    """Return a function that writes an entry in memory."""
    log = logging.getLogger(f"bench.{id(formatter)}")
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(formatter)
    log.addHandler(handler)
    log.setLevel("INFO")
    log.propagate = False
    return lambda: log.info("%s: %d rows", "train_auto.csv", 5)


class Collector(BaseHTTPRequestHandler):
    """A collector that forgets the spans."""

    def do_POST(self) -> None:
        """Read the spans."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Write nothing."""


def main() -> None:
    """Measure; print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=2000)
    times = parser.parse_args().times
    ids = median(lambda: copy_context().run(lambda: logs.bind(dataset="auto", model=3)), times)
    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sender = Sender(f"http://127.0.0.1:{server.server_port}")
        spans = median(lambda: sender.send(traces.file_spans(REPORT, time.time_ns())), times // 10)
        server.shutdown()
    away = Sender(f"http://127.0.0.1:{server.server_port}")
    begin = time.perf_counter()
    away.send(traces.file_spans(REPORT, time.time_ns()))
    first = time.perf_counter() - begin
    sys.stdout.write(
        f"ids of a request or a file: {1e6 * ids:.1f} µs\n"
        f"an entry: as text {1e6 * median(entry(TEXT), times):.0f} µs,"
        f" as JSON {1e6 * median(entry(logs.formatter()), times):.0f} µs\n"
        f"the spans of a file: {1000 * spans:.1f} ms; to a collector that is away {first:.1f} s, once a minute\n"
    )


if __name__ == "__main__":
    main()
