"""Scores the rows of a topic: consume, transform and produce in one transaction of Kafka, so each row has one answer.

Offsets, predictions and rejections are committed together. The log of predictions is written just before. An attempt
that dies in between, or is aborted, is made again from the same offsets, and its entries in the log are replaced.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from confluent_kafka import Consumer, KafkaException, Producer, TopicCollection
from confluent_kafka.admin import AdminClient

from ml_platform.exceptions import ConfigurationError, RegistryError, ServiceError
from ml_platform.registry.loaded_model import LoadedModel
from ml_platform.scoring.model_rows import reading_spec
from ml_platform.sources.kafka import problem_text, short_id
from ml_platform.specs.spec import Dataset
from ml_platform.streaming import messages as texts
from ml_platform.streaming.log import Write
from ml_platform.streaming.messages import Answers, Message
from ml_platform.streaming.topics import topics_of

log = logging.getLogger(__name__)

ROWS_AT_ONCE = 2_000  # of one transaction
WAIT_SECONDS = 0.1  # for more rows, before those that are there are scored
IDLE_SECONDS = 1.0  # without a model, a topic or a broker
REQUEST_SECONDS = 30.0
SESSION_MILLISECONDS = 10_000  # after which others take over the partitions of a scorer that does not come back


class StreamScorer:
    """Scores the rows of one data set until it is stopped."""

    def __init__(
        self,
        dataset: Dataset,
        settings: dict[str, Any],
        model: Callable[[], LoadedModel | None],
        write: Write,
        instance: str = "0",
    ) -> None:
        """Connect to nothing yet.

        Args:
            dataset: the spec in the YAML.
            settings: of a client of Kafka.
            model: returns the live model; None if there is none.
            write: writes entries to the log of predictions.
            instance: tells scorers of the same data set apart that share its partitions.
        """
        self.dataset = dataset
        self.beat = time.monotonic()  # of the last round
        self.problem: str | None = "it has not started yet"
        self.rows = 0
        self._settings = settings | {"log_level": 0}
        self._model, self._write, self._instance = model, write, instance
        self._topics = topics_of(dataset.name)

    def run(self, stop: threading.Event) -> None:
        """Score rows until `stop` is set. What passes is waited for.

        Raises:
            ConfigurationError: another scorer with the same name has started; it has taken over.
        """
        while not stop.is_set():
            try:
                self._check_model()
                self._session(stop)
            except KafkaException as error:
                self._wait(stop, _text(error))
                if error.args[0].fatal():
                    raise ConfigurationError(
                        f"the stream of {self.dataset.name} ends: another scorer with the name {self._instance!r} has "
                        "taken over; give each its own --instance"
                    ) from error
            except (ServiceError, RegistryError, ConfigurationError) as error:
                self._wait(stop, str(error))

    def _wait(self, stop: threading.Event, problem: str) -> None:
        if problem != self.problem:
            log.warning("%s: %s; it is tried again", self.dataset.name, problem)
        self.problem = problem
        self.beat = time.monotonic()
        stop.wait(IDLE_SECONDS)

    def _check_model(self) -> LoadedModel:
        if (model := self._model()) is None:
            raise RegistryError("no version of the model is live")
        return model

    def _session(self, stop: threading.Event) -> None:
        """Score rows until something fails: then offsets are read again, and the last transaction is aborted."""
        topic_id = self._topic_id()
        producer = Producer(
            self._settings
            | {
                "transactional.id": f"stream-{self.dataset.name}-{self._instance}",
                "compression.type": "lz4",
                "linger.ms": 5,
            }
        )
        producer.init_transactions(REQUEST_SECONDS)  # aborts what an earlier one with this name has left
        consumer = Consumer(
            self._settings
            | {
                "group.id": f"stream-{self.dataset.name}",
                # a scorer that was killed comes back as the same member: nobody waits until it is missed
                "group.instance.id": f"stream-{self.dataset.name}-{self._instance}",
                "session.timeout.ms": SESSION_MILLISECONDS,
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "isolation.level": "read_committed",
            }
        )
        try:
            consumer.subscribe([self._topics.rows])
            while not stop.is_set():
                self._round(consumer, producer, topic_id)
        finally:
            consumer.close()

    def _topic_id(self) -> str:
        """Return the id of the topic of rows; raise ConfigurationError if a topic is missing."""
        admin = AdminClient(self._settings)
        found = admin.describe_topics(TopicCollection(list(self._topics)), request_timeout=REQUEST_SECONDS)
        ids = {}
        for name, future in found.items():
            try:
                ids[name] = short_id(future.result().topic_id)
            except KafkaException as error:
                if error.args[0].retriable() or error.args[0].code() < 0:  # it cannot be reached
                    raise
                raise ConfigurationError(f"the topic {name!r} cannot be used: {problem_text(error.args[0])}") from error
        return ids[self._topics.rows]

    def _round(self, consumer: Consumer, producer: Producer, topic_id: str) -> None:
        self.beat, self.problem = time.monotonic(), None
        if batch := _received(consumer):
            self._score(consumer, producer, self._check_model(), batch, topic_id)

    def _score(
        self, consumer: Consumer, producer: Producer, model: LoadedModel, batch: Sequence[Message], topic_id: str
    ) -> None:
        spec = reading_spec(model.dataset, self.dataset)
        answers = texts.answer(model, spec, batch, datetime.now(UTC), topic_id, self.dataset.result.explain)
        producer.begin_transaction()
        try:
            self._send(producer, answers)
            positions = consumer.position(consumer.assignment())
            read = [place for place in positions if place.offset >= 0]
            producer.send_offsets_to_transaction(read, consumer.consumer_group_metadata(), REQUEST_SECONDS)
            self._write(self.dataset.name, texts.first_places(batch, topic_id), answers.entries)
            producer.commit_transaction(REQUEST_SECONDS)
        except (KafkaException, ServiceError) as error:
            _abort(producer, error)
            raise
        self.rows += len(batch)

    def _send(self, producer: Producer, answers: Answers) -> None:
        for topic, sent in (
            (self._topics.predictions, answers.predictions),
            (self._topics.rejected, answers.rejections),
        ):
            for one in sent:
                _produce(producer, topic, one.key, one.value)


def _received(consumer: Consumer) -> list[Message]:
    """Return the rows that have come; few at once if few come.

    Raises:
        KafkaException: the broker reports an error.
    """
    found = []
    for message in consumer.consume(ROWS_AT_ONCE, WAIT_SECONDS):
        if error := message.error():
            raise KafkaException(error)
        found.append(Message(message.topic(), message.partition(), message.offset(), message.key(), message.value()))
    return found


def _produce(producer: Producer, topic: str, key: bytes | None, value: bytes) -> None:
    while True:
        try:
            producer.produce(topic, value, key)
        except BufferError:  # its queue is full
            producer.poll(0.1)
        else:
            producer.poll(0)
            return


def _abort(producer: Producer, error: Exception) -> None:
    """Abort the open transaction, if the producer still can; the next session aborts it otherwise."""
    if isinstance(error, KafkaException) and error.args[0].fatal():
        return
    try:
        producer.abort_transaction(REQUEST_SECONDS)
    except KafkaException as second:
        log.warning("a transaction could not be aborted yet: %s", _text(second))


def _text(error: KafkaException) -> str:
    return str(error.args[0].str())
