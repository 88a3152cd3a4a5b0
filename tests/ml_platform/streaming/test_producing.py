"""The rows of a file become messages: the same values, the entity's key, at a rate, and each acknowledged."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from ml_platform.exceptions import ConfigurationError, ContractError
from ml_platform.streaming import producing
from ml_platform.streaming.producing import count_rows, next_offset, parse_rate, produce, produce_file
from tests.ml_platform.ingestion.upload_cases import csv_bytes, json_lines, make_dataset, many
from tests.ml_platform.keyless import without_key

if TYPE_CHECKING:
    from tests.kafka import Broker

SAMPLE = make_dataset()


@pytest.mark.parametrize(("text", "rate"), [("", None), ("100/s", 100.0), ("30/m", 0.5), ("7200/h", 2.0), ("5", 5.0)])
def test_a_rate_is_rows_per_second_minute_or_hour(text: str, rate: float | None) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize("text", ["0/s", "fast", "1.5/s", "10/d", "-1"])
def test_what_is_no_rate_is_named(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"is no rate; allowed are rows per second, minute or hour"):
        parse_rate(text)


def messages(path: Path, data: bytes, table: Any = SAMPLE) -> list[tuple[bytes | None, dict[str, Any]]]:
    path.write_bytes(data)
    return [(key, json.loads(value)) for key, value in producing.messages_of(table, path)]


def test_cells_of_a_csv_file_are_texts_and_an_empty_one_is_null(tmp_path) -> None:
    (key, row), _ = messages(tmp_path / "a.csv", csv_bytes({"ID": "007", "RATIO": ""}, {"ID": "8"}))
    assert key == b"007"
    assert (row["ID"], row["RATIO"], row["PRICE"]) == ("007", None, "$67,349")


def test_numbers_of_json_and_parquet_keep_their_digits(tmp_path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"ID": 1, "RATIO": 0.10, "NOTE": "\xc3\xa4"}\n')
    ((key, value),) = producing.messages_of(SAMPLE, path)
    assert key == b"1"
    assert b'"RATIO":0.10' in value
    assert json.loads(value)["NOTE"] == "ä"
    pq.write_table(pa.table({"ID": [1], "RATIO": [0.25]}), tmp_path / "a.parquet")
    ((_, value),) = producing.messages_of(SAMPLE, tmp_path / "a.parquet")
    assert json.loads(value) == {"ID": "1", "RATIO": 0.25}


def test_a_key_of_several_columns_is_a_list_and_a_missing_one_is_none(tmp_path) -> None:
    two = make_dataset(entity={"name": "thing", "key": ["ID", "NOTE"]})
    data = json_lines([{"ID": 1, "NOTE": "a"}, {"ID": 1, "NOTE": None}])
    assert [key for key, _ in messages(tmp_path / "a.jsonl", data, two)] == [b'["1", "a"]', None]
    assert [key for key, _ in messages(tmp_path / "b.csv", many(1), without_key(SAMPLE))] == [None]


def test_rows_are_counted_before_they_are_sent(tmp_path) -> None:
    (tmp_path / "a.csv").write_bytes(many(12))
    assert count_rows(tmp_path / "a.csv") == 12
    (tmp_path / "b.csv").write_bytes(b"%PDF-1.4")
    with pytest.raises(ContractError):
        count_rows(tmp_path / "b.csv")


@pytest.fixture
def topic(kafka_broker: "Broker") -> str:
    name = f"rows-{uuid4().hex[:8]}"
    admin = AdminClient(kafka_broker.settings("kafka-admin"))
    admin.create_topics([NewTopic(name, 1)])[name].result(30)
    return name


def received(broker: "Broker", topic: str, count: int) -> list[bytes]:
    consumer = Consumer(broker.settings("kafka-admin") | {"group.id": "test", "auto.offset.reset": "earliest"})
    consumer.assign([TopicPartition(topic, 0, 0)])
    try:
        return [message.key() for message in consumer.consume(count, 30)]
    finally:
        consumer.close()


@pytest.mark.servers
def test_the_rows_of_a_file_are_sent_at_a_rate_and_shown(kafka_broker, topic, tmp_path) -> None:
    (tmp_path / "a.csv").write_bytes(many(20))
    shown: list[int] = []
    began = time.monotonic()
    settings = kafka_broker.settings("producer")
    assert produce_file(SAMPLE, tmp_path / "a.csv", topic, settings, "20/s", lambda: shown.append(1)) == 20
    assert time.monotonic() - began >= 1.0
    assert len(shown) == 20
    assert received(kafka_broker, topic, 20) == [str(i).encode() for i in range(20)]


@pytest.mark.servers
def test_a_topic_that_is_missing_is_named(kafka_broker, tmp_path) -> None:
    (tmp_path / "a.csv").write_bytes(many(1))
    with pytest.raises(ConfigurationError, match="the topic 'no-such-topic'"):
        produce_file(SAMPLE, tmp_path / "a.csv", "no-such-topic", kafka_broker.settings("producer"))


@pytest.mark.servers
def test_messages_of_one_partition_are_numbered(kafka_broker, topic) -> None:
    settings = kafka_broker.settings("producer")
    assert next_offset(topic, settings) == 0
    assert produce(((None, str(i).encode()) for i in range(3)), topic, settings, partition=0) == 3
    assert next_offset(topic, settings) == 3
    with pytest.raises(ConfigurationError, match="the topic 'no-such-topic'"):
        next_offset("no-such-topic", settings)
