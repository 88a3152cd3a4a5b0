"""The topic of the demo, in a real broker."""

from itertools import islice
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from ml_platform.commands.demo.sample_kafka import KafkaSample
from ml_platform.commands.demo.sample_source import sample_rows
from ml_platform.exceptions import ConfigurationError
from ml_platform.sources.connection import SourceConnection
from ml_platform.specs.sources import KafkaSource
from tests.ml_platform.commands.demo.sample_cases import Connections, connection_of, rows_read

if TYPE_CHECKING:
    from tests.kafka import Broker


@pytest.mark.servers
@pytest.mark.prove  # the gate fills a table
def test_the_offset_of_a_row_is_its_number(kafka_broker: "Broker") -> None:
    topic = KafkaSample(kafka_broker.config, "penguins")
    topic._topic = name = f"demo-{uuid4().hex[:8]}"
    with pytest.raises(ConfigurationError, match=f"the topic '{name}'"):
        topic.fill()
    admin = AdminClient(kafka_broker.settings("kafka-admin"))
    admin.create_topics([NewTopic(name, 2)])[name].result(30)
    topic.add(0, islice(sample_rows(topic.path), 100))
    assert topic.count() == 100
    assert topic.fill() == 124
    assert topic.fill() == 0
    connection = SourceConnection("kafka", extra=kafka_broker.settings("pipelines"))
    assert rows_read(topic, connection) == list(sample_rows(topic.path))


def test_the_broker_is_that_of_the_stack_which_airflow_knows(config) -> None:
    source = KafkaSample(config, "penguins")
    assert KafkaSource.model_validate(source.spec).connection == "kafka"
    assert connection_of(source) == Connections.added


def test_containers_without_kafka_are_told_what_to_set(config) -> None:
    in_containers = config.model_copy(update={"target": "compose"})
    with pytest.raises(ConfigurationError, match=r"put COMPOSE_PROFILES=kafka into .*\.env, and try again"):
        KafkaSample(in_containers, "penguins")
    config.env_file.write_text(config.env_file.read_text() + "COMPOSE_PROFILES=mongodb,kafka\n")
    assert KafkaSample(in_containers, "penguins").spec["topic"] == "demo-penguins"
