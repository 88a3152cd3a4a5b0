"""Sends the rows of a file to a topic: one message for each row, at a rate, and each acknowledged."""

import json
import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from ml_platform.exceptions import ConfigurationError, ServiceError
from ml_platform.files.formats import Native
from ml_platform.files.reading import open_rows
from ml_platform.specs.spec import Table

RATE = re.compile(r"([1-9][0-9]{0,8})(?:/([smh]))?")
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}
FLUSH_SECONDS, REQUEST_SECONDS = 60.0, 15.0
PRODUCER_OPTIONS = {"acks": "all", "enable.idempotence": True, "compression.type": "lz4", "log_level": 0}
ANY = -1  # partition


def parse_rate(text: str) -> float | None:
    """Return the rows per second of a text such as 100/s, 30/m or 5; None for an empty one.

    Raises:
        ConfigurationError: it is no rate.
    """
    if not text:
        return None
    match = RATE.fullmatch(text.strip())
    if match is None:
        raise ConfigurationError(f"{text!r} is no rate; allowed are rows per second, minute or hour, such as 100/s")
    return int(match[1]) / SECONDS[match[2] or "s"]


def count_rows(path: Path) -> int:
    """Return the number of rows of a file.

    Raises:
        ContractError: the file cannot be read.
    """
    with path.open("rb") as file:
        rows = open_rows(file, str(path))
        try:
            return sum(1 for _ in rows)
        finally:
            rows.close()


def produce_file(
    table: Table, path: Path, topic: str, settings: dict[str, Any], rate: str = "", sent: Callable[[], object] = int
) -> int:
    """Send the rows of a file.

    Args:
        table: the spec, which says what the key is.
        path: of the file.
        topic: its name.
        settings: of a client of Kafka.
        rate: see `parse_rate`.
        sent: called after each row.

    Returns:
        The number of rows; all of them are acknowledged.

    Raises:
        ConfigurationError: the rate is none, or the topic cannot be used.
        ContractError: the file cannot be read.
        ServiceError: the broker did not acknowledge a row.
    """
    per_second = parse_rate(rate)
    messages = messages_of(table, path)
    return produce(_paced(messages, per_second) if per_second else messages, topic, settings, sent)


def produce(
    messages: Iterable[tuple[bytes | None, bytes]],
    topic: str,
    settings: dict[str, Any],
    sent: Callable[[], object] = int,
    partition: int = ANY,
) -> int:
    """Send messages, each with key and value; return their number, once all are acknowledged.

    Args:
        messages: in the order in which they are sent.
        topic: its name.
        settings: of a client of Kafka.
        sent: called after each.
        partition: of the topic; by default the key decides.

    Raises:
        ConfigurationError: the topic cannot be used.
        ServiceError: the broker did not acknowledge a message.
    """
    producer = Producer(settings | PRODUCER_OPTIONS)
    _check_topic(producer, topic)
    failures: list[KafkaError] = []

    def acknowledged(error: KafkaError | None, _: Message) -> None:
        if error is not None:
            failures.append(error)

    count = 0
    for key, value in messages:
        _send(producer, topic, key, value, partition, acknowledged)
        count += 1
        sent()
        if failures:
            break
    left = producer.flush(FLUSH_SECONDS)
    if failures:
        raise _error(topic, failures[0])
    if left:
        raise ServiceError(f"the topic {topic!r}: {left:,} rows are not acknowledged after {FLUSH_SECONDS:.0f} s")
    return count


def next_offset(topic: str, settings: dict[str, Any], partition: int = 0) -> int:
    """Return the offset that the next message of a partition gets.

    Raises:
        ConfigurationError: the topic cannot be used.
        ServiceError: the broker does not answer.
    """
    admin, asked = AdminClient(settings | {"log_level": 0}), TopicPartition(topic, partition)
    _check_topic(admin, topic)
    answer = admin.list_offsets({asked: OffsetSpec.latest()}, request_timeout=REQUEST_SECONDS)
    try:
        return int(answer[asked].result().offset)
    except KafkaException as failure:
        raise _error(topic, failure.args[0]) from failure


def _paced(messages: Iterator[Any], per_second: float) -> Iterator[Any]:
    began = time.monotonic()
    for count, message in enumerate(messages, start=1):
        time.sleep(max(0.0, began + count / per_second - time.monotonic()))
        yield message


def _check_topic(client: Producer | AdminClient, topic: str) -> None:
    """Raise an error if the topic is missing: the client would wait for it before it says so."""
    try:
        error = client.list_topics(topic, REQUEST_SECONDS).topics[topic].error
    except KafkaException as failure:
        raise _error(topic, failure.args[0]) from failure
    if error is not None:
        raise _error(topic, error)


def messages_of(table: Table, path: Path) -> Iterator[tuple[bytes | None, bytes]]:
    """Yield key and value of the message of each row; an empty cell becomes null."""
    headers = [table.header(key) for key in table.entity.key]
    with path.open("rb") as file:
        rows = open_rows(file, str(path))
        try:
            names = [name.strip() for name in rows.header]
            numbers = {name.strip() for name in rows.native}
            for cells in rows:
                row = dict(zip(names, cells, strict=False))  # a row that breaks the format is sent as it is
                yield _key(row, headers), _value(row, numbers)
        finally:
            rows.close()


def _key(row: dict[str, str], headers: list[str]) -> bytes | None:
    parts = [row.get(header, "") for header in headers]
    if not parts or not all(parts):
        return None
    return (parts[0] if len(parts) == 1 else json.dumps(parts)).encode()


def _value(row: dict[str, str], numbers: Collection[str]) -> bytes:
    """Return a row as JSON; a number of the file stays a number, with its digits."""
    pairs = (f"{json.dumps(name)}:{_json(cell, name in numbers)}" for name, cell in row.items())
    return ("{" + ",".join(pairs) + "}").encode("utf-8", "surrogateescape")


def _json(cell: str, is_native: bool) -> str:
    if (is_native or isinstance(cell, Native)) and NUMBER.fullmatch(cell):
        return str(cell)
    return json.dumps(cell) if cell else "null"


def _send(
    producer: Producer,
    topic: str,
    key: bytes | None,
    value: bytes,
    partition: int,
    acknowledged: Callable[..., None],
) -> None:
    while True:
        try:
            producer.produce(topic, value, key, partition, on_delivery=acknowledged)
        except BufferError:  # its queue is full
            producer.poll(0.1)
        except KafkaException as error:
            raise _error(topic, error.args[0]) from error
        else:
            producer.poll(0)
            return


def _error(topic: str, error: KafkaError) -> ConfigurationError | ServiceError:
    text = f"the topic {topic!r}: {error.str()}"
    is_mistake = error.code() in (
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._UNKNOWN_TOPIC,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
    )
    return ConfigurationError(text) if is_mistake else ServiceError(text)
