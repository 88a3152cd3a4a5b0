"""Measure how many rows of a stream are scored in a second, beside the same rows scored without Kafka and Postgres.

`make bench args=stream` starts a broker, fits a model on the sample `auto` as a training does, and fills the topic with
the rows of the test file, again and again. One side is the scorer: it reads, scores, logs and answers in transactions.
The other side parses and scores the same messages in memory. Both take turns.
"""

import argparse
import itertools
import json
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Any

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from benchmarks.bench_reasons import loaded
from benchmarks.bench_snapshot_ensemble import load
from ml_platform.commands.samples import sample
from ml_platform.registry.loaded_model import LoadedModel
from ml_platform.specs.catalog import dataset
from ml_platform.specs.tasks import Estimator
from ml_platform.streaming.log import StreamLog
from ml_platform.streaming.messages import Message, answer
from ml_platform.streaming.producing import messages_of
from ml_platform.streaming.scorer import ROWS_AT_ONCE, StreamScorer
from ml_platform.streaming.topics import topics_of
from tests.kafka import Broker, running_broker
from tests.ml_platform.streaming.running import running

DATASET = "auto"
ESTIMATOR: Estimator = "hist_gradient_boosting"


def rows_of_file(count: int) -> list[tuple[bytes | None, bytes]]:
    """Return key and value of messages; those of the file, again and again."""
    found = list(messages_of(dataset(DATASET), sample(f"test_{DATASET}")))
    return list(itertools.islice(itertools.cycle(found), count))


def fill(broker: Broker, rows: list[tuple[bytes | None, bytes]]) -> None:
    """Create the topics, and send the rows."""
    admin, topics = AdminClient(broker.settings("kafka-admin")), topics_of(DATASET)
    for future in admin.create_topics([NewTopic(topic, 2, 1) for topic in topics]).values():
        future.result(30)
    send(broker, rows)


def send(broker: Broker, rows: list[tuple[bytes | None, bytes]]) -> None:
    """Send the rows, each acknowledged."""
    producer = Producer(broker.settings("producer", **{"acks": "all", "compression.type": "lz4"}))
    for number, (key, value) in enumerate(rows):
        while True:
            try:
                producer.produce(topics_of(DATASET).rows, value, key, partition=number % 2)
                break
            except BufferError:
                producer.poll(0.1)
    if left := producer.flush(120):
        raise SystemExit(f"{left} rows were not acknowledged")


@contextmanager
def scoring(broker: Broker, model: LoadedModel) -> Iterator[StreamScorer]:
    """Run the scorer."""
    with closing(StreamLog()) as log:
        scorer = StreamScorer(dataset(DATASET), broker.settings("kafka-admin"), lambda: model, log.write)
        with running(scorer):
            yield scorer


def streamed(scorer: StreamScorer, broker: Broker, rows: list[tuple[bytes | None, bytes]]) -> float:
    """Return the rows per second of the scorer, from the first answer on."""
    before = scorer.rows
    send(broker, rows)
    while scorer.rows == before:
        time.sleep(0.01)
    first, start = scorer.rows, time.perf_counter()
    while scorer.rows < before + len(rows):
        time.sleep(0.01)
    return (before + len(rows) - first) / (time.perf_counter() - start)


def in_memory(model: LoadedModel, rows: list[tuple[bytes | None, bytes]]) -> float:
    """Return the rows per second of parsing, scoring and writing answers, without Kafka and Postgres."""
    messages = [Message("rows", 0, offset, key, value) for offset, (key, value) in enumerate(rows)]
    start = time.perf_counter()
    for first in range(0, len(messages), ROWS_AT_ONCE):
        answer(model, model.dataset, messages[first : first + ROWS_AT_ONCE], datetime.now(UTC), "topic")
    return len(messages) / (time.perf_counter() - start)


def main() -> None:
    """Print the rows per second of both sides, and their ratio."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3, help="of each side in turn; the median counts")
    options = parser.parse_args()
    model, rows = loaded(ESTIMATOR, load(DATASET)), rows_of_file(options.rows)
    results: dict[str, list[float]] = {"the stream": [], "in memory": []}
    with running_broker() as broker:
        fill(broker, rows[:ROWS_AT_ONCE])
        with scoring(broker, model) as scorer:
            while scorer.rows < ROWS_AT_ONCE:
                time.sleep(0.1)
            for _ in range(options.rounds):
                results["the stream"].append(streamed(scorer, broker, rows))
                results["in memory"].append(in_memory(model, rows))
    medians = {name: sorted(rates)[len(rates) // 2] for name, rates in results.items()}
    for name, rate in medians.items():
        sys.stdout.write(f"{name:<12} {rate:10,.0f} rows/s\n")
    sys.stdout.write(f"ratio {medians['the stream'] / medians['in memory']:.2f}; {summary(model, options.rows)}\n")


def summary(model: LoadedModel, rows: int) -> str:
    """Return what was measured."""
    facts: dict[str, Any] = {"rows": rows, "columns": len(model.columns), "estimator": ESTIMATOR}
    return json.dumps(facts)


if __name__ == "__main__":
    main()
