# ruff: noqa: TID253 – a program of its own, which no module imports
"""Compare predictions over HTTP: our service by rows and by entity keys, and `mlflow models serve`, in one run.

`make bench args=serving` runs it on the sample `auto`, `args="serving flights"` on one with a joined table. It starts
MLflow, trains a small model, starts both services, and requests 1 and 100 predictions at a time. First at a steady
rate: the latency counts from the time when a request was due, so that waiting for a slow service is included (no
coordinated omission). Then as fast as a few clients can. The ways take turns, so that load by other programs of the
machine affects all of them alike.
"""

import csv
import gzip
import http.client
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
import numpy as np

from ml_platform.estimators.row_scorer import sklearn_input
from ml_platform.feature_store import online_rows
from ml_platform.ingestion import uploads
from ml_platform.parsing.batches import read_batches
from ml_platform.promotion import steps as promotion_steps
from ml_platform.registry import registry
from ml_platform.scoring import model_rows
from ml_platform.specs.catalog import dataset
from ml_platform.specs.parts import Search
from ml_platform.specs.spec import Dataset, Table
from ml_platform.storage import object_store
from ml_platform.training import build_training_set, steps, training_set
from ml_platform.training.search_plan import SearchPlan
from stack.config import load
from stack.runners.embedded import up

SAMPLES = Path(__file__).resolve().parents[1] / "minio" / "samples"
SEARCH = Search(folds=3, jobs=1, candidates={"hist_gradient_boosting": {"learning_rate": [0.05]}})
ROUNDS, SECONDS, RATE, CLIENTS, SIZES = 3, 5, 50, 4, (1, 100)
THEIRS = "mlflow models serve"


class Way(NamedTuple):
    """One way to request predictions: the address, the token, and the body of a request by its number of rows."""

    url: str
    token: str
    bodies: dict[int, bytes]


def main(name: str = "auto") -> None:
    """Print a table for each rate and size: one line per way, compared with MLflow's."""
    config, data = load(), dataset(name)
    up(config, ["serving"])
    for table in (*data.tables, data):
        uploads.ingest(table, put_sample(table))
        online_rows.materialize(table)
    train(data)
    wait_for(lambda: httpx.get(f"{config.serving_url}/health", trust_env=False).status_code == 200)
    ours = (f"{config.serving_url}/v1/{name}/predict", config.serving_token.get_secret_value())
    raw, keys, inputs = sample(data)
    with mlflow_service(name) as url:
        ways = {
            "rows": Way(*ours, bodies("rows", raw)),
            "entities": Way(*ours, bodies("entities", keys)),
            THEIRS: Way(url, "none", bodies("dataframe_records", inputs)),
        }
        for size in SIZES:
            show(f"{size} at a time, {RATE} requests/s", in_turn(ways, size, steady))
            show(f"{size} at a time, {CLIENTS} clients as fast as they can", in_turn(ways, size, busy))


def put_sample(table: Table) -> str:
    """Put the sample file of a table into the bucket `train`; return its key."""
    (file,) = SAMPLES.glob(f"{table.inbox_prefix('train')}.csv*")
    object_store.client().put_object(Bucket="train", Key=file.name, Body=file.read_bytes())
    return file.name


def train(data: Dataset) -> None:
    """Train a small model and make it the champion."""
    small = data.model_copy(update={"search": SEARCH})
    frozen = training_set.load(small, build_training_set.freeze(small))
    promotion_steps.promote(frozen, steps.refit(frozen, steps.search(frozen, SearchPlan.of(small, attempt_id="bench"))))


def sample(data: Dataset) -> tuple[list[Any], list[Any], list[Any]]:
    """Return the sample's first rows three times: as in the file, their keys alone, and by the model's signature."""
    (path,) = SAMPLES.glob(f"{data.inbox_prefix('train')}.csv*")
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    lines = content.decode("utf-8-sig").splitlines(keepends=True)[: max(SIZES) + 1]
    raw = list(csv.DictReader(lines))
    keys = [{data.header(key): row[data.header(key)] for key in data.keys} for row in raw]
    with path.open("rb") as file:
        rows = next(read_batches(file, data, "test", path.name)).rows.slice(0, max(SIZES))
    frame = sklearn_input(
        model_rows.model_frame(data, rows, datetime.now(UTC)), registry.load_champion(data.name).columns
    )
    return raw, keys, json.loads(frame.to_json(orient="records"))


def bodies(kind: str, rows: list[Any]) -> dict[int, bytes]:
    """Return the body of a request by its number of rows."""
    return {size: json.dumps({kind: rows[:size]}).encode() for size in SIZES}


@contextmanager
def mlflow_service(name: str) -> Iterator[str]:
    """Start `mlflow models serve` on the champion; yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = ["mlflow", "models", "serve", "-m", f"models:/{name}@{registry.CHAMPION}", "-p", port]
    with subprocess.Popen(  # noqa: S603 – beside our own Python
        [str(Path(sys.executable).parent / command[0]), *command[1:], "-h", "127.0.0.1", "--env-manager", "local"],
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(lambda: httpx.get(f"{url}/ping", trust_env=False).status_code == 200)
            yield f"{url}/invocations"
        finally:
            os.killpg(process.pid, signal.SIGTERM)


def wait_for(is_ready: Callable[[], bool], seconds: float = 120) -> None:
    """Wait until a server is ready; exit if it is not in time."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if is_ready():
                return
        except httpx.TransportError:
            pass
        if time.monotonic() > deadline:
            sys.exit("a server did not become healthy")
        time.sleep(0.2)


def client(way: Way, size: int) -> Callable[[], None]:
    """Return a function that sends one request on a connection that stays open."""
    where = urlsplit(way.url)
    connection = http.client.HTTPConnection(str(where.hostname), where.port, timeout=60)
    headers = {"Authorization": f"Bearer {way.token}", "Content-Type": "application/json"}

    def send() -> None:
        connection.request("POST", where.path, way.bodies[size], headers)
        response = connection.getresponse()
        text = response.read()
        if response.status != 200:
            sys.exit(f"{way.url}: {response.status} {text[:500]!r}")

    send()
    return send


def in_turn(ways: dict[str, Way], size: int, measure: Callable[[Way, int], list[float]]) -> dict[str, list[float]]:
    """Return the seconds of each request by way; the ways are measured in turn."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _, name in itertools.product(range(ROUNDS), ways):
        taken[name] += measure(ways[name], size)
    return taken


def busy(way: Way, size: int) -> list[float]:
    """Send from each client the next request as soon as it has a response; return the seconds of each."""
    senders = [client(way, size) for _ in range(CLIENTS)]
    end = time.perf_counter() + SECONDS

    def send_on(send: Callable[[], None]) -> list[float]:
        taken = []
        while (start := time.perf_counter()) < end:
            send()
            taken.append(time.perf_counter() - start)
        return taken

    return side_by_side(send_on, senders)


def steady(way: Way, size: int) -> list[float]:
    """Send at a steady rate; return the seconds of each request from the time when it was due."""
    senders = [client(way, size) for _ in range(CLIENTS)]
    moments = itertools.count()
    begin = time.perf_counter() + 0.1

    def take_turns(send: Callable[[], None]) -> list[float]:
        taken = []
        while (moment := next(moments)) < SECONDS * RATE:
            due = begin + moment / RATE
            time.sleep(max(0.0, due - time.perf_counter()))
            send()
            taken.append(time.perf_counter() - due)
        return taken

    return side_by_side(take_turns, senders)


def side_by_side(work: Callable[[Any], list[float]], senders: list[Any]) -> list[float]:
    """Run all clients in parallel; return the seconds of all their requests."""
    with ThreadPoolExecutor(len(senders)) as pool:
        return [one for measured in pool.map(work, senders) for one in measured]


def show(title: str, measured: dict[str, list[float]]) -> None:
    """Print requests per second and percentiles of the latency, and how many times better than MLflow's they are."""
    figures = {name: np.percentile(taken, [50, 95, 99]) * 1000 for name, taken in measured.items()}
    theirs, their_rate = figures[THEIRS], len(measured[THEIRS])
    sys.stdout.write(f"\n{title}\n| way | requests/s | p50 ms | p95 ms | p99 ms |\n|---|---|---|---|---|\n")
    for name, percentiles in figures.items():
        cells = [
            (len(measured[name]) / SECONDS / ROUNDS, len(measured[name]) / their_rate),
            *zip(percentiles, theirs / percentiles, strict=True),
        ]
        texts = [f"{value:.1f}" + ("" if name == THEIRS else f" ({ratio:.1f}x)") for value, ratio in cells]
        sys.stdout.write(f"| {name} | {' | '.join(texts)} |\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
