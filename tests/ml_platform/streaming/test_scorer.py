"""Each row of a stream is answered once and logged once, also through kills of scorer and broker; on real servers."""

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from ml_platform.exceptions import ConfigurationError, ServiceError
from ml_platform.scoring.live_models import LiveModels
from ml_platform.specs.spec import Dataset
from ml_platform.storage.database import fetch
from ml_platform.streaming import scorer as module
from ml_platform.streaming.log import StreamLog
from ml_platform.streaming.scorer import StreamScorer
from ml_platform.streaming.topics import topics_of
from tests.kafka import committed
from tests.ml_platform.ingestion.upload_cases import new_name
from tests.ml_platform.serving.models import ROW, SHOP, Registry, make_model
from tests.ml_platform.streaming.running import running

if TYPE_CHECKING:
    from tests.kafka import Broker

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]

KILLS = int(os.environ.get("KILLS", "2"))  # each takes a process that fits its model first
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def dataset(kafka_broker: "Broker") -> Dataset:
    """A data set with its topics; the rows have two partitions."""
    found = SHOP.model_copy(update={"name": new_name(), "stream": True})
    admin = AdminClient(kafka_broker.settings("kafka-admin"))
    for topic, partitions in zip(topics_of(found.name), (2, 1, 1), strict=True):
        admin.create_topics([NewTopic(topic, partitions)])[topic].result(30)
    return found


@pytest.fixture
def live(dataset: Dataset) -> tuple[Registry, LiveModels]:
    registry = Registry(make_model(dataset), make_model(dataset, 2))
    registry.live[dataset.name] = 1
    return registry, LiveModels(registry.champions, registry.load, registry.last_live)


def row(number: int, **cells: Any) -> bytes:
    return json.dumps(ROW | {"id": number} | cells).encode()


def send(broker: "Broker", dataset: Dataset, *values: bytes) -> None:
    producer = Producer(broker.settings("producer", acks="all"))
    for number, value in enumerate(values):
        producer.produce(topics_of(dataset.name).rows, value, partition=number % 2)
    assert producer.flush(60) == 0


@contextmanager
def scoring(
    broker: "Broker", dataset: Dataset, live: LiveModels, role: str = "kafka-admin", **options: Any
) -> Iterator[StreamScorer]:
    live.refresh()
    with closing(StreamLog()) as log:
        write = options.pop("write", log.write)
        scorer = StreamScorer(dataset, broker.settings(role), lambda: live.model(dataset.name), write, **options)
        with running(scorer):
            yield scorer


def wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def logged(dataset: Dataset) -> list[tuple[str, int]]:
    """Return key and version of each prediction in the log."""
    found = fetch("SELECT entity_key->>'id', model_version FROM predictions.log WHERE model = $1", dataset.name)
    return sorted((str(key), version) for key, version in found)


def assert_each_answered_once(broker: "Broker", dataset: Dataset, good: int, bad: int) -> None:
    predictions = committed(broker, topics_of(dataset.name).predictions)
    rejections = committed(broker, topics_of(dataset.name).rejected)
    places = [(one["source"]["partition"], one["source"]["offset"]) for one in (*predictions, *rejections)]
    assert (len(predictions), len(rejections)) == (good, bad)
    assert len(set(places)) == good + bad
    by_key = sorted((str(one["key"]["id"]), one["model_version"]) for one in predictions)
    assert logged(dataset) == by_key


def test_rows_are_answered_and_logged_and_bad_ones_are_rejected(kafka_broker, dataset, live) -> None:
    _, models = live
    kafka_broker.add_datasets(dataset.name)
    send(kafka_broker, dataset, row(1), b"broken", row(2), row(3, age="old"))
    with scoring(kafka_broker, dataset, models, role="stream") as scorer:
        wait_for(lambda: scorer.rows == 4)
        assert scorer.problem is None
        send(kafka_broker, dataset, row(4))
        wait_for(lambda: scorer.rows == 5)
    assert_each_answered_once(kafka_broker, dataset, good=3, bad=2)


def test_a_scorer_goes_on_where_the_last_one_ended(kafka_broker, dataset, live) -> None:
    _, models = live
    for number in range(3):
        send(kafka_broker, dataset, row(number))
        with scoring(kafka_broker, dataset, models) as scorer:
            wait_for(lambda scorer=scorer: scorer.rows == 1)
    assert_each_answered_once(kafka_broker, dataset, good=3, bad=0)


def test_the_live_version_answers_from_the_next_batch_on(kafka_broker, dataset, live) -> None:
    registry, models = live
    with scoring(kafka_broker, dataset, models) as scorer:
        send(kafka_broker, dataset, row(1))
        wait_for(lambda: scorer.rows == 1)
        registry.live[dataset.name] = 2
        models.refresh()
        send(kafka_broker, dataset, row(2))
        wait_for(lambda: scorer.rows == 2)
    assert logged(dataset) == [("1", 1), ("2", 2)]


def test_without_a_live_model_rows_wait(kafka_broker, dataset, live) -> None:
    registry, models = live
    version = registry.live.pop(dataset.name)
    send(kafka_broker, dataset, row(1))
    with scoring(kafka_broker, dataset, models) as scorer:
        wait_for(lambda: scorer.problem == "no version of the model is live")
        registry.live[dataset.name] = version
        models.refresh()
        wait_for(lambda: scorer.rows == 1)


def test_while_the_log_cannot_be_written_rows_wait_and_are_answered_once(kafka_broker, dataset, live) -> None:
    _, models = live
    log, failures = StreamLog(), iter([True, True, True])

    def write(*arguments: Any) -> None:
        log.write(*arguments)
        if next(failures, False):
            raise ServiceError("Postgres: the connection was lost")  # it is written, and the transaction is aborted

    send(kafka_broker, dataset, row(1), b"broken", row(2))
    with closing(log), scoring(kafka_broker, dataset, models, write=write) as scorer:
        wait_for(lambda: scorer.rows == 3)
    assert_each_answered_once(kafka_broker, dataset, good=2, bad=1)


def test_a_second_scorer_with_the_same_name_takes_over(kafka_broker, dataset, live) -> None:
    _, models = live
    models.refresh()
    failures: list[str] = []

    def run() -> None:
        with closing(StreamLog()) as log:
            settings = kafka_broker.settings("kafka-admin")
            scorer = StreamScorer(dataset, settings, lambda: models.model(dataset.name), log.write)
            scorers.append(scorer)
            try:
                scorer.run(threading.Event())
            except ConfigurationError as error:
                failures.append(str(error))

    scorers: list[StreamScorer] = []
    first = threading.Thread(target=run, daemon=True)
    first.start()
    send(kafka_broker, dataset, row(1))
    wait_for(lambda: bool(scorers) and scorers[0].rows == 1)
    with scoring(kafka_broker, dataset, models) as second:
        number = 2
        while first.is_alive():
            send(kafka_broker, dataset, row(number), row(number + 1))
            number += 2
            first.join(1)
        wait_for(lambda: second.rows + scorers[0].rows == number - 1)
    assert "another scorer with the name '0' has taken over" in failures[0]
    assert_each_answered_once(kafka_broker, dataset, good=number - 1, bad=0)


def test_two_scorers_share_the_partitions(kafka_broker, dataset, live) -> None:
    _, models = live
    with (
        scoring(kafka_broker, dataset, models, instance="0") as one,
        scoring(kafka_broker, dataset, models, instance="1") as two,
    ):
        number = 0
        deadline = time.monotonic() + 90
        while not (one.rows and two.rows):
            send(kafka_broker, dataset, row(number), row(number + 1))
            number += 2
            assert time.monotonic() < deadline
            time.sleep(0.5)
        wait_for(lambda: one.rows + two.rows >= number)
    assert_each_answered_once(kafka_broker, dataset, good=number, bad=0)


def test_a_topic_that_is_missing_is_named_and_waited_for(kafka_broker, live) -> None:
    _, models = live
    missing = SHOP.model_copy(update={"name": new_name()})
    registry = Registry(make_model(missing))
    models = LiveModels(registry.champions, registry.load, registry.last_live)
    with scoring(kafka_broker, missing, models) as scorer:
        wait_for(lambda: f"the topic '{missing.name}." in str(scorer.problem))
        assert "`make up`, or `docker compose up -d`, creates" in str(scorer.problem)


@pytest.mark.prove  # the gate kills the broker of a source
def test_a_broker_that_is_killed_is_waited_for(kafka_broker, dataset, live, monkeypatch) -> None:
    monkeypatch.setattr(module, "REQUEST_SECONDS", 5.0)
    _, models = live
    send(kafka_broker, dataset, *(row(number) for number in range(3000)))
    with scoring(kafka_broker, dataset, models) as scorer:
        wait_for(lambda: scorer.rows > 0)
        kafka_broker.kill()
        time.sleep(1)
        kafka_broker.start()
        wait_for(lambda: scorer.rows >= 3000, seconds=120)
        wait_for(lambda: len(committed(kafka_broker, topics_of(dataset.name).predictions)) >= 3000, seconds=60)
    assert_each_answered_once(kafka_broker, dataset, good=3000, bad=0)


def test_a_killed_scorer_answers_and_logs_each_row_once(kafka_broker, dataset, live, record_property) -> None:
    chance, killed, sent = random.Random(3), 0, 0  # noqa: S311 – moments to kill at
    environment = os.environ | {
        "PYTHONPATH": f"{ROOT / 'plugins'}:{ROOT}",
        "KAFKA_STREAM_SETTINGS": json.dumps(kafka_broker.settings("kafka-admin")),
    }
    command = [sys.executable, "-m", "tests.ml_platform.streaming.scoring", dataset.model_dump_json(exclude={"tables"})]
    for attempt in range(KILLS):
        send(kafka_broker, dataset, *(b"broken" if i % 50 == 0 else row(sent + i) for i in range(3000)))
        sent += 3000
        process = subprocess.Popen([*command, str(attempt % 2 + 1)], env=environment, cwd=ROOT, stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()  # all is imported, and the model is fitted
        time.sleep(chance.uniform(0, 3))
        if process.poll() is None:
            killed += 1
        process.kill()
        process.wait()
        process.stdout.close()
    _, models = live
    with scoring(kafka_broker, dataset, models):
        wait_for(lambda: len(committed(kafka_broker, topics_of(dataset.name).predictions)) >= sent // 50 * 49, 120)
    record_property("tried", killed)
    assert_each_answered_once(kafka_broker, dataset, good=sent // 50 * 49, bad=sent // 50)
    assert killed == KILLS
