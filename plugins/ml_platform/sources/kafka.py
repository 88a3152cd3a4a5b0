"""A topic of Kafka: each partition is read by offsets that our database keeps, without a consumer group."""

import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any, BinaryIO

from confluent_kafka import (
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Message,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, OffsetSpec

from ml_platform.exceptions import ConfigurationError, SourceAwayError
from ml_platform.sources.connection import SourceConnection
from ml_platform.sources.kafka_messages import Messages, open_format
from ml_platform.sources.kafka_settings import client_settings
from ml_platform.sources.reader import BEGINNING, Range, Reader, Reading
from ml_platform.sources.row_files import write_lines
from ml_platform.specs.sources import KafkaSource

REQUEST_SECONDS = 15.0
SILENCE_SECONDS = 30.0  # without a message or the end of the partition
MESSAGES_AT_ONCE, WAIT_SECONDS = 10_000, 0.2
TOPIC_DIGITS = 8  # of the id of a topic
MISSING = {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC}
MISTAKES = {
    KafkaError._AUTHENTICATION,
    KafkaError.SASL_AUTHENTICATION_FAILED,
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    *MISSING,
    KafkaError._UNKNOWN_PARTITION,
    KafkaError.TOPIC_EXCEPTION,
    KafkaError._INVALID_ARG,
}


class KafkaReader(Reader):
    """Reads a topic. A partition is named by its number and the topic's id; its position is the next offset.

    A topic that is deleted and made again has another id. So its messages are read from the first one on, whatever
    offsets the old topic had reached.
    """

    def __init__(self, source: KafkaSource, connection: SourceConnection) -> None:
        """Make the clients; they connect when they are first used."""
        super().__init__(source)
        self._spec = source
        self._name = connection.name
        self._refusal = ""
        self._admin: Any = None
        self._format = open_format(source, connection)
        settings = client_settings(connection) | {"error_cb": self._note_error, "log_level": 0}
        with self._translated():
            self._admin = AdminClient(settings)
            self._consumer = Consumer(
                settings
                | {
                    "group.id": "pipelines",  # the client wants one; nothing is committed to it
                    "enable.auto.commit": False,
                    "enable.auto.offset.store": False,
                    "auto.offset.reset": "error",
                    "enable.partition.eof": True,
                    "isolation.level": "read_committed",
                    "check.crcs": True,
                }
            )

    def positions(self) -> dict[str, str]:
        """Return the offset after the last committed message of each partition."""
        return {partition: str(offset) for partition, offset in self._offsets(OffsetSpec.latest()).items()}

    def _offsets(self, spec: OffsetSpec) -> dict[str, int]:
        with self._translated():
            asked = TopicCollection([self._spec.topic])
            topic = self._admin.describe_topics(asked, request_timeout=REQUEST_SECONDS)[self._spec.topic].result()
            suffix = short_id(topic.topic_id)
            partitions = [TopicPartition(self._spec.topic, one.id) for one in topic.partitions]
            futures = self._admin.list_offsets(
                dict.fromkeys(partitions, spec),
                isolation_level=IsolationLevel.READ_COMMITTED,
                request_timeout=REQUEST_SECONDS,
            )
            return {f"{one.partition}-{suffix}": future.result().offset for one, future in futures.items()}

    def next_range(self, partition: str, start: str, newest: str) -> Range | None:
        """Return at most `max_rows` offsets; transactions and compaction leave gaps in them."""
        begin = self._first_offset(partition) if start == BEGINNING else int(start)
        end = min(begin + self._spec.max_rows, int(newest))
        if begin > int(newest):
            raise ConfigurationError(
                f"{self._where}: partition {_number(partition)} ends at {newest}, but it was read up to {start}; "
                "it has lost messages, so name another topic in `source`"
            )
        return Range(partition, str(begin), str(end)) if begin < end else None

    def range_of(self, partition: str, start: str, end: str) -> Range:
        """Return offsets of a partition, which may be named by its number alone."""
        newest = self.positions()
        named = next((name for name in newest if partition in (name, str(_number(name)))), None)
        if named is None:
            numbers = ", ".join(str(_number(name)) for name in newest)
            raise ConfigurationError(f"{self._where} has no partition {partition!r}; there are: {numbers}")
        first, last = self._first_offset(named), int(newest[named])
        begin, stop = (int(text) if text.isdecimal() else -1 for text in (start or str(first), end or str(last)))
        if not first <= begin < stop <= last:
            raise ConfigurationError(
                f"{self._where}, partition {_number(named)}: offsets {start!r} to {end!r} cannot be read; allowed are "
                f"{first} to {last}, the first one below the second; empty is the oldest and the newest"
            )
        return Range(named, str(begin), str(stop))

    def _first_offset(self, partition: str) -> int:
        return self._offsets(OffsetSpec.earliest()).get(partition, 0)

    def read(self, part: Range, file: BinaryIO) -> Reading:
        """Write the messages of a range of offsets; tombstones are left out, or come back as rejected rows."""
        first = self._offsets(OffsetSpec.earliest()).get(part.partition)
        if first is None:
            return Reading(0, notes=(f"the topic {self._spec.topic} was deleted before this range was read",))
        found = Messages(self._spec, self._format)
        begin, end = max(int(part.start), first), int(part.end)
        lost = min(begin, end) - int(part.start)
        # closed at once, also after an error: a consumer that is closed cannot be unassigned
        with self._translated(), closing(self._messages(_number(part.partition), begin, end)) as messages:
            count = write_lines(found.lines(messages), file)
        notes = (f"{lost:,} offsets from {part.start} on were deleted before they were read",) if lost > 0 else ()
        return Reading(count, found.skipped, notes)

    def _messages(self, partition: int, begin: int, end: int) -> Generator[Message]:
        """Yield the messages from one offset up to another, which may be in a gap, and may be no greater."""
        if begin >= end:
            return
        self._consumer.assign([TopicPartition(self._spec.topic, partition, begin)])
        last, position = time.monotonic(), begin
        try:
            while position < end:
                # it waits until it has as many as it is asked for, also at the end of the partition
                for message in self._consumer.consume(min(end - position, MESSAGES_AT_ONCE), WAIT_SECONDS):
                    if _is_about_the_group(message):
                        continue
                    if _is_past(message, end):
                        return
                    last, position = time.monotonic(), message.offset() + 1
                    yield message
                if time.monotonic() > last + SILENCE_SECONDS:
                    raise SourceAwayError(f"{self._where}: no message for {SILENCE_SECONDS:.0f} s")
        finally:
            self._consumer.unassign()

    def lag(self, done: Mapping[str, str], newest: Mapping[str, str]) -> int:
        """Return the number of offsets that wait to be read."""
        first = {} if newest.keys() <= done.keys() else self._offsets(OffsetSpec.earliest())
        return sum(int(end) - int(done.get(name, first.get(name, 0))) for name, end in newest.items())

    def describe(self, positions: Mapping[str, str]) -> str:
        """Return the offset of each partition."""
        return super().describe({str(_number(name)): offset for name, offset in positions.items()})

    def close(self) -> None:
        """Disconnect."""
        self._consumer.close()
        self._format.close()

    @property
    def _where(self) -> str:
        return f"the topic {self._spec.topic!r} (connection {self._name!r})"

    def _note_error(self, error: KafkaError) -> None:
        """Keep a refused login, which the client reports beside the request that it fails."""
        if error.code() in MISTAKES:
            self._refusal = error.str()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Translate the client's exceptions into the platform's; the text names the connection."""
        try:
            yield
        except KafkaException as error:
            cause: KafkaError = error.args[0]
            if self._admin is not None:
                self._admin.poll(0)  # passes on a refused login
            if self._refusal or cause.code() in MISTAKES:
                problem, self._refusal = self._refusal or problem_text(cause), ""
                raise ConfigurationError(f"{self._where} cannot be read: {problem}") from error
            if cause.code() == KafkaError._AUTO_OFFSET_RESET:
                raise SourceAwayError(f"{self._where}: messages were deleted while they were read") from error
            raise SourceAwayError(f"{self._where} cannot be reached: {cause.str()}") from error


def problem_text(error: KafkaError) -> str:
    """Return the text of an error, with what to do about a topic that is missing."""
    remedy = "; `make up`, or `docker compose up -d`, creates the topics of our own broker"
    return f"{error.str()}{remedy if error.code() in MISSING else ''}"


def _is_about_the_group(message: Message) -> bool:
    """Return whether it only says that the consumer group may not be used: we read without it."""
    error = message.error()
    return error is not None and error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED


def _is_past(message: Message, end: int) -> bool:
    """Return whether a message, or the end of the partition, is behind a range.

    Raises:
        KafkaException: the message is an error.
    """
    error = message.error()
    if error is None:
        return bool(message.offset() >= end)
    if error.code() == KafkaError._PARTITION_EOF:
        return True
    raise KafkaException(error)


def short_id(topic_id: Any) -> str:
    """Return the beginning of a topic's id, which tells it from a later topic of the same name."""
    return "".join(character for character in str(topic_id) if character.isalnum())[:TOPIC_DIGITS]


def _number(partition: str) -> int:
    return int(partition.partition("-")[0])
