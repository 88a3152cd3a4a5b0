"""Measure how fast a topic of Kafka becomes files of the inbox, and these become rows, beside a bare consumer.

`make bench args=kafka_source` starts a broker, fills a topic with the rows of the sample `auto`, again and again under
new keys, and pulls and loads them. The bare consumer reads the same messages and does nothing with them. With
`--messages 1000000` it is the proof that a million rows come in once.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from ml_platform.commands.samples import sample
from ml_platform.ingestion import inbox, uploads
from ml_platform.sources.connection import SourceConnection
from ml_platform.sources.pull import pull
from ml_platform.sources.ranges import Feed
from ml_platform.specs.catalog import dataset
from ml_platform.specs.spec import Dataset
from ml_platform.storage.database import fetch
from ml_platform.streaming.producing import messages_of
from tests.kafka import Broker, running_broker

DATASET, TOPIC, PARTITIONS = "auto", "bench", 4


def rows(count: int) -> Iterator[bytes]:
    """Yield messages: the rows of the sample, again and again, each with a key of its own."""
    found = [json.loads(value) for _, value in messages_of(dataset(DATASET), sample(f"train_{DATASET}"))]
    key = dataset(DATASET).header(dataset(DATASET).keys[0])
    for number in range(count):
        yield json.dumps(found[number % len(found)] | {key: str(number)}).encode()


def fill(broker: Broker, count: int) -> float:
    """Send the rows; return how many in a second."""
    admin = AdminClient(broker.settings("kafka-admin"))
    admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)])[TOPIC].result(30)
    producer = Producer(broker.settings("producer", **{"acks": "all", "compression.type": "lz4", "linger.ms": 50}))
    start = time.perf_counter()
    for number, value in enumerate(rows(count)):
        while True:
            try:
                producer.produce(TOPIC, value, partition=number % PARTITIONS)
                break
            except BufferError:
                producer.poll(0.1)
    if left := producer.flush(300):
        raise SystemExit(f"{left} rows were not acknowledged")
    return count / (time.perf_counter() - start)


def consumed(broker: Broker, count: int) -> float:
    """Return how many messages a bare consumer reads in a second."""
    consumer = Consumer(broker.settings("kafka-admin") | {"group.id": "bench"})
    consumer.assign([TopicPartition(TOPIC, number, 0) for number in range(PARTITIONS)])
    start, read = time.perf_counter(), 0
    while read < count:
        read += len(consumer.consume(min(10_000, count - read), 1.0))
    consumer.close()
    return count / (time.perf_counter() - start)


def main() -> None:
    """Print the rows per second of each step, and the ratio of the pull to the bare consumer."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--messages", type=int, default=200_000)
    count = parser.parse_args().messages
    spec = dataset(DATASET).model_dump(exclude={"tables"}) | {"source": {"kind": "kafka", "topic": TOPIC}}
    table = Dataset.model_validate(spec)
    source = table.source_of("train")
    if source is None:
        raise SystemExit("the spec has no source")
    feed = Feed(table, "train", source)
    with running_broker() as broker:
        sent, bare = fill(broker, count), consumed(broker, count)
        connection = SourceConnection("kafka", extra=broker.settings("pipelines"))
        start = time.perf_counter()
        landed = pull(feed, connection, by="a benchmark").landed
        pulled = count / (time.perf_counter() - start)
    start, files = time.perf_counter(), inbox.look(table, "train").due
    reports = [uploads.ingest(table, version.key) for version in files]
    loaded = count / (time.perf_counter() - start)
    ((distinct,),) = fetch(f'SELECT count(DISTINCT "{table.keys[0]}") FROM features.{DATASET}')  # noqa: S608 – a constant
    read = sum(report["rows_loaded"] + report["rows_rejected"] for report in reports)
    for name, rate in {"sent": sent, "bare consumer": bare, "pulled": pulled, "loaded": loaded}.items():
        sys.stdout.write(f"{name:<14} {rate:10,.0f} rows/s\n")
    sys.stdout.write(f"pull against a bare consumer: {pulled / bare:.2f}\n")
    sys.stdout.write(f"{count:,} sent, {read:,} loaded or rejected, {landed:,} files, {distinct:,} keys in the table\n")
    if read != count:
        raise SystemExit("rows are missing, or came twice")


if __name__ == "__main__":
    main()
