"""Measure what watching costs: files are loaded and scored with events of lineage and traces, which are timed apart.

The files have rows of the sample `auto`, each time under new keys, and are taken as a task of Airflow takes them.
Events go to a file, spans to a collector on this machine. What logs cost is measured by `bench_logs.py`.
"""

import argparse
import csv
import io
import logging
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from benchmarks.bench_logs import Collector
from benchmarks.bench_serving import SAMPLES, put_sample, train
from ml_platform.airflow import lineage_events, traces
from ml_platform.airflow.otlp import Sender
from ml_platform.ingestion import uploads
from ml_platform.scoring import batch
from ml_platform.specs.catalog import dataset
from ml_platform.specs.spec import Dataset
from ml_platform.storage import object_store
from stack.config import load
from stack.runners.embedded import up

NAME = "auto"
DAY = datetime(2026, 3, 1, tzinfo=UTC)
CONTEXT: dict[str, Any] = {
    "dag_run": SimpleNamespace(dag_id="bench", run_id="run", logical_date=DAY, run_after=DAY, clear_number=0),
    "ti": SimpleNamespace(dag_id="bench", task_id="load", try_number=1, map_index=-1),
}
Take = Callable[[str], Any]


class Timed:
    """A way to take a file that notes its seconds."""

    def __init__(self, take: Take) -> None:
        """Note nothing yet."""
        self.take, self.seconds = take, list[float]()

    def __call__(self, key: str) -> Any:
        """Take a file."""
        begin = time.perf_counter()
        report = self.take(key)
        self.seconds.append(time.perf_counter() - begin)
        return report


class CountingCollector(Collector):
    """A collector that counts the requests."""

    requests = 0

    def do_POST(self) -> None:  # noqa: N802 – what http.server calls
        """Count it, and read the spans."""
        type(self).requests += 1
        super().do_POST()


def main() -> None:
    """Print a line for the load and one for the scoring: seconds without and with what watches, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000, help="of a file")
    parser.add_argument("--rounds", type=int, default=10, help="files of each path")
    options = parser.parse_args()
    logging.disable(logging.INFO)
    data = dataset(NAME)
    up(load(), ["mlflow"])
    uploads.ingest(data, put_sample(data))
    train(data)
    keys = iter(range(100_000_000, 1_000_000_000, options.rows))
    with watching() as watched:
        for purpose, take in (("train", uploads.ingest), ("test", batch.answer)):
            taking = Timed(partial(take, data))
            whole = Timed(watched(data, taking))
            for _ in range(options.rounds):
                key = put(data, purpose, next(keys), options.rows)
                if (outcome := whole(key)["outcome"]) not in ("loaded", "scored"):
                    raise SystemExit(f"{key}: {outcome}")
            show(purpose, options.rows, taking.seconds, whole.seconds)
    if not CountingCollector.requests:
        raise SystemExit("no span came")


@contextmanager
def watching() -> Iterator[Callable[[Dataset, Take], Take]]:
    """Yield a function that adds to a way of taking a file what a task adds to it."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), CountingCollector))
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        stack.callback(thread.join)
        stack.callback(server.shutdown)
        sender = Sender(f"http://127.0.0.1:{server.server_port}")
        stack.enter_context(patch.object(traces, "sender", lambda: sender))
        stack.enter_context(patch("ml_platform.airflow.lineage_transport.folder", lambda: folder))
        yield lambda data, take: lineage_events.emitting(data, traces.of_files(take), CONTEXT)
        if not [path for path in folder.iterdir() if path.stat().st_size]:
            raise SystemExit("no event was written")


def put(data: Dataset, purpose: str, first: int, rows: int) -> str:
    """Put a file with rows of the sample under new keys into a bucket; return its key."""
    (path,) = SAMPLES.glob(f"{purpose}_{NAME}.csv")
    header, *sample = csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig")))
    place = header.index(data.header(data.keys[0]))
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(header)
    for number in range(rows):
        row = list(sample[number % len(sample)])
        row[place] = str(first + number)
        writer.writerow(row)
    key = f"{purpose}_{NAME}_{first}.csv"
    object_store.client().put_object(Bucket=purpose, Key=key, Body=text.getvalue().encode())
    return key


def show(purpose: str, rows: int, alone: list[float], watched: list[float]) -> None:
    """Print the medians of a path, and their ratio."""
    verb = {"train": "load", "test": "score"}[purpose]
    sys.stdout.write(
        f"{verb} {rows:,} rows: {median(alone):.2f} s, with events and traces {median(watched):.2f} s, "
        f"ratio {median(watched) / median(alone):.3f}\n"
    )


if __name__ == "__main__":
    main()
