# ruff: noqa: TID253 – a program of its own, imported by nothing
"""Ask for predictions of the sample's model over HTTP: of our service, and of `mlflow models serve`, in one run.

Run by `make bench`, on servers that are up: it starts MLflow, trains a small model, starts both services, and asks
each for 1 and for 100 rows, first as fast as one caller can, then at a steady rate from its own moments on, so that
a service that is late is charged for those who wait (no coordinated omission).
"""

import csv
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
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from ml_platform import features, freezing, objects, registry, training, training_set, uploads
from ml_platform.datasets import dataset
from ml_platform.parsing.batches import read_batches
from ml_platform.row_scorer import typed
from ml_platform.spec_parts import Search
from stack.config import load
from stack.lifecycle import up

SAMPLE = Path(__file__).resolve().parents[1] / "minio" / "samples" / "train_auto.csv"
AUTO = dataset("auto")
SEARCH = Search(folds=3, jobs=1, candidates={"hist_gradient_boosting": {"learning_rate": [0.05]}})
SECONDS, RATE, CALLERS, SIZES = 15, 50, 4, (1, 100)


def main() -> None:
    """Measure, and print a line per way and size, and the ratios."""
    config = load()
    up(config, ["serving"])
    train()
    rows = sample_rows()
    ours = {"url": f"{config.serving_url}/v1/auto/predict", "token": config.serving_token.get_secret_value()}
    wait_for(lambda: httpx.get(f"{config.serving_url}/health", trust_env=False).status_code == 200)
    with mlflow_service() as theirs:
        ways = {
            "serving": (ours, {size: {"rows": rows[0][:size]} for size in SIZES}),
            "mlflow models serve": (theirs, {size: {"dataframe_records": rows[1][:size]} for size in SIZES}),
        }
        busy = {name: {size: one_caller(way, bodies[size]) for size in SIZES} for name, (way, bodies) in ways.items()}
        show("as fast as one caller can", busy)
        show(f"1 row, {RATE} requests/s", {n: {1: steady(way, bodies[1])} for n, (way, bodies) in ways.items()})
    for size in SIZES:
        ratio = len(busy["serving"][size]) / len(busy["mlflow models serve"][size])
        sys.stdout.write(f"{size} rows: {ratio:.1f} times the requests of mlflow models serve\n")


def train() -> None:
    """Load the sample, train a small model of it and make it champion."""
    objects.client().put_object(Bucket="train", Key="train_auto.csv", Body=SAMPLE.read_bytes())
    uploads.ingest(AUTO, "train_auto.csv")
    features.apply(AUTO)
    small = AUTO.model_copy(update={"search": SEARCH})
    frozen = training_set.load(small, freezing.freeze(small))
    refitted = training.refit(frozen, training.run_search(frozen, attempt_id="bench"))
    registry.set_alias(AUTO.name, registry.CHAMPION, refitted["version"])


def sample_rows() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the sample's first rows, as they stand in the file, and as the model's signature wants them."""
    with SAMPLE.open(encoding="utf-8-sig", newline="") as file:
        raw = [row for row, _ in zip(csv.DictReader(file), range(max(SIZES)), strict=False)]
    with SAMPLE.open("rb") as file:
        frame = next(read_batches(file, AUTO, "test", SAMPLE.name)).rows.slice(0, max(SIZES)).to_pandas()
    columns = registry.load_champion(AUTO.name).columns
    return raw, json.loads(typed(frame, columns).to_json(orient="records"))


@contextmanager
def mlflow_service() -> Iterator[dict[str, str]]:
    """Start `mlflow models serve` on the champion; yield where it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    command = ["mlflow", "models", "serve", "-m", f"models:/{AUTO.name}@{registry.CHAMPION}", "-p", port]
    with subprocess.Popen(  # noqa: S603 – beside our own Python
        [str(Path(sys.executable).parent / command[0]), *command[1:], "-h", "127.0.0.1", "--env-manager", "local"],
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(lambda: httpx.get(f"{url}/ping", trust_env=False).status_code == 200)
            yield {"url": f"{url}/invocations", "token": "none"}
        finally:
            os.killpg(process.pid, signal.SIGTERM)


def wait_for(said: Callable[[], bool], seconds: float = 120) -> None:
    """Ask until it is so; a server that does not answer yet is asked again."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if said():
                return
        except httpx.TransportError:
            pass
        if time.monotonic() > deadline:
            sys.exit("a server did not become healthy")
        time.sleep(0.2)


def caller(way: dict[str, str], body: Any) -> Callable[[], None]:
    """Return what asks once, on a connection that is kept."""
    headers = {"Authorization": f"Bearer {way['token']}", "Content-Type": "application/json"}
    client, content = httpx.Client(headers=headers, trust_env=False), json.dumps(body)

    def ask() -> None:
        answer = client.post(way["url"], content=content)
        if answer.status_code != 200:
            sys.exit(f"{way['url']}: {answer.status_code} {answer.text[:500]}")

    return ask


def one_caller(way: dict[str, str], body: Any) -> list[float]:
    """Ask again as soon as there is an answer; return the seconds that each took."""
    ask, taken = caller(way, body), []
    ask()
    end = time.perf_counter() + SECONDS
    while (start := time.perf_counter()) < end:
        ask()
        taken.append(time.perf_counter() - start)
    return taken


def steady(way: dict[str, str], body: Any) -> list[float]:
    """Ask at a steady rate; return the seconds from each request's own moment to its answer."""
    asks = [caller(way, body) for _ in range(CALLERS)]
    begin = time.perf_counter() + 0.5

    def turn(number: int) -> list[float]:
        taken = []
        for i in range(number, SECONDS * RATE, CALLERS):
            due = begin + i / RATE
            time.sleep(max(0.0, due - time.perf_counter()))
            asks[number]()
            taken.append(time.perf_counter() - due)
        return taken

    with ThreadPoolExecutor(CALLERS) as pool:
        return [one for found in pool.map(turn, range(CALLERS)) for one in found]


def show(title: str, measured: dict[str, dict[int, list[float]]]) -> None:
    """Print requests per second and percentiles, in milliseconds."""
    sys.stdout.write(f"{title}\n")
    for name, sizes in measured.items():
        for size, taken in sizes.items():
            p50, p95, p99 = np.percentile(taken, [50, 95, 99]) * 1000
            sys.stdout.write(
                f"  {name:<20} {size:>4} rows  {len(taken) / SECONDS:7.1f} requests/s"
                f"   p50 {p50:6.1f}  p95 {p95:6.1f}  p99 {p99:6.1f} ms\n"
            )


if __name__ == "__main__":
    main()
