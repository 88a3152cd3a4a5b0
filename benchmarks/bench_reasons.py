# ruff: noqa: TID253 – a program of its own, which no module imports
"""Measure what reasons cost: rows of a file and one row over HTTP, without and with reasons, by estimator, in one run.

`make bench args=reasons` fits each classifier on the sample `auto` as a training does, with the first values of the
default grid. Rows of a file are scored, explained and made into rows of a result, but not read or written; CPU time
counts. One row is sent to the service over HTTP, which runs in this process; here waiting counts, too. Both sides take
turns.
"""

import argparse
import http.client
import json
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pyarrow as pa
import uvicorn
from pydantic import SecretStr

from benchmarks.bench_snapshot_ensemble import FOLDS, load
from ml_platform.commands.samples import first_row, sample
from ml_platform.estimators import feature_effects
from ml_platform.estimators.table import ESTIMATORS
from ml_platform.parsing.batches import read_batches
from ml_platform.registry.loaded_model import LoadedModel
from ml_platform.registry.model_files import signature
from ml_platform.scoring.live_models import LiveModels
from ml_platform.scoring.reasons import reasons_of
from ml_platform.scoring.result_files import result_batch
from ml_platform.serving.app import create_app
from ml_platform.serving.tokens import Tokens
from ml_platform.specs.catalog import dataset
from ml_platform.specs.tasks import Estimator
from ml_platform.training.candidates import Candidate, candidates
from ml_platform.training.fitting import fit
from ml_platform.training.split import Split

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reasons.md"
BEGIN = '<!-- written by: make bench args="reasons --write" -->'
DATASET, REASONS, ROUNDS, REQUESTS = "auto", 3, 3, 60
BATCH_SECONDS = 2.0  # of a round, about: slow estimators get fewer rows
MANY_ORDERS, COMPARED_ROWS = 2048, 20
TOKEN = "a-token-for-the-benchmark"  # noqa: S105 – of a service that ends with this process


def loaded(estimator: Estimator, parts: Split) -> LoadedModel:
    """Fit an estimator as a training does."""
    grid = (one for one in candidates(parts.dataset, quick=True) if one.estimator == estimator)
    candidate = next(grid, Candidate(estimator, {}))
    model = fit(candidate, parts, FOLDS)
    columns = {column.name: column.type.name for column in signature(parts.dataset).inputs.inputs}
    task = parts.task.as_fitted(model)
    return LoadedModel(DATASET, 1, task, model, columns, parts.dataset, parts.rule, "f" * 64, "run")


def rows_of_file() -> pa.RecordBatch:
    """Return the rows of the sample to be scored."""
    path = sample(f"test_{DATASET}")
    with path.open("rb") as file:
        batches = [batch.rows for batch in read_batches(file, dataset(DATASET), "test", path.name)]
    return pa.Table.from_batches(batches).combine_chunks().to_batches()[0]


def score(model: LoadedModel, rows: pa.RecordBatch, n_reasons: int) -> None:
    """Make rows of a result."""
    outputs, predictions = model.predict(rows)
    reasons = reasons_of(model, rows, predictions, n_reasons) if n_reasons else None
    result_batch(model, rows, outputs, predictions, reasons)


def seconds(work: Callable[[], None], clock: Callable[[], float]) -> float:
    """Return how long a piece of work takes."""
    start = clock()
    work()
    return clock() - start


def in_turn(
    plain: Callable[[], None], explained: Callable[[], None], rounds: int, clock: Callable[[], float]
) -> tuple[float, float]:
    """Return the median seconds of both sides, which take turns."""
    pairs = [(seconds(plain, clock), seconds(explained, clock)) for _ in range(rounds)]
    without, with_reasons = np.median(pairs, axis=0)
    return float(without), float(with_reasons)


def of_a_file(model: LoadedModel, rows: pa.RecordBatch) -> tuple[float, float]:
    """Return the rows per second of CPU time, without and with reasons."""
    score(model, rows.slice(0, 2), REASONS)  # builds what is built at the first use
    per_row = seconds(lambda: score(model, rows.slice(0, 20), REASONS), time.process_time) / 20
    some = rows.slice(0, max(100, int(BATCH_SECONDS / per_row)))
    taken = in_turn(lambda: score(model, some, 0), lambda: score(model, some, REASONS), ROUNDS, time.process_time)
    return some.num_rows / taken[0], some.num_rows / taken[1]


@contextmanager
def service(model: LoadedModel) -> Iterator[http.client.HTTPConnection]:
    """Serve one model on a free port of this machine; yield a connection."""
    live = LiveModels(lambda: {DATASET: 1}, lambda *_: model, lambda _: None)
    live.refresh()
    server = uvicorn.Server(
        uvicorn.Config(create_app(live, Tokens(SecretStr(TOKEN)), lambda _: None), port=0, log_level="error")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield http.client.HTTPConnection("127.0.0.1", server.servers[0].sockets[0].getsockname()[1], timeout=60)
    finally:
        server.should_exit = True
        thread.join()


def over_http(model: LoadedModel) -> tuple[float, float]:
    """Return the milliseconds of a request with one row, without and with reasons."""
    body = json.dumps({"rows": [first_row(sample(f"test_{DATASET}"))]})
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    with service(model) as connection:

        def send(query: str) -> None:
            connection.request("POST", f"/v1/{DATASET}/predict{query}", body, headers)
            response = connection.getresponse()
            text = response.read()
            if response.status != 200:
                raise SystemExit(f"the service answers {response.status}: {text[:500]!r}")

        sides = (lambda: send("")), (lambda: send(f"?explain={REASONS}"))
        in_turn(*sides, 3, time.perf_counter)
        without, with_reasons = in_turn(*sides, REQUESTS, time.perf_counter)
    return 1000 * without, 1000 * with_reasons


def error_of_the_estimate(parts: Split, rows: pa.RecordBatch) -> float:
    """Return how far a network's effects are from those of many more orders, as a share of the largest effect."""
    found = []
    for orders in (feature_effects.ORDERS, MANY_ORDERS):
        with patch.object(feature_effects, "ORDERS", orders):
            model = loaded("snapshot_ensemble", parts)
            some = rows.slice(0, COMPARED_ROWS)
            found.append(model.explain(some, model.predict(some)[1]).effects)
    few, many = found
    return float(np.mean(np.abs(few - many) / np.abs(many).max(axis=1, keepdims=True)))


def line(estimator: str, file: tuple[float, float], request: tuple[float, float]) -> str:
    """Return a row of the table in Markdown."""
    rates = f"{file[0]:,.0f} | {file[1]:,.0f} | × {file[0] / file[1]:,.1f}"
    return f"| `{estimator}` | {rates} | {request[0]:.1f} ms | {request[1]:.1f} ms |\n"


def write(page: Path, lines: list[str]) -> None:
    """Replace the table that follows the mark `BEGIN` on a page, and the line below it.

    Raises:
        SystemExit: the page has no such table.
    """
    text, found = re.subn(
        rf"({re.escape(BEGIN)}\n\n)(\|.*\n)+\n.*\n", lambda old: old[1] + "".join(lines),
        page.read_text(encoding="utf-8"),
    )  # fmt: skip
    if found != 1:
        raise SystemExit(f"{page}: there is no table with a line below it after {BEGIN}")
    page.write_text(text, encoding="utf-8")


def main() -> None:
    """Measure all classifiers."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="replace the table in the documents")
    options = parser.parse_args()
    parts, rows = load(DATASET), rows_of_file()
    lines = [
        "| estimator | rows of a file per CPU second | with reasons | time | one row over HTTP | with reasons |\n",
        "|---|---|---|---|---|---|\n",
    ]
    sys.stdout.writelines(lines)
    for name, kind in ESTIMATORS.items():
        if kind.classifier:
            model = loaded(name, parts)
            lines.append(line(name, of_a_file(model, rows), over_http(model)))
            sys.stdout.write(lines[-1])
            sys.stdout.flush()
    error = error_of_the_estimate(parts, rows)
    lines.append(
        f"\nThe effects of `snapshot_ensemble` are {error:.1%} of a row's largest effect away from those of "
        f"{MANY_ORDERS:,} orders, on average.\n"
    )
    sys.stdout.write(lines[-1])
    if options.write:
        write(PAGE, lines)


if __name__ == "__main__":
    main()
