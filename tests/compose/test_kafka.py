"""Kafka in containers: it starts with its profile only, and its roles have the same rights as without containers."""

import subprocess

import pytest
from confluent_kafka.admin import AdminClient

from stack.config import Config
from stack.runners import compose
from stack.servers import kafka
from stack.servers.kafka_roles import ROLES, SUPER_USER
from stack.servers.kafka_setup import has_rights
from tests.conftest import fresh_config
from tests.kafka import Broker
from tests.stack.servers.test_kafka import NO_TOPIC, create_topic, produce, refusal, rows

pytestmark = [pytest.mark.servers, pytest.mark.prove]


@pytest.fixture(scope="module")
def broker():
    """A broker in a container, without the rest of the platform."""
    with fresh_config() as config:
        with config.env_file.open("a") as file:
            file.write("COMPOSE_PROFILES=kafka\n")
        run(config, "build", "--quiet", "dbinit")
        run(config, "up", "--detach", "--wait", "kafka")
        run(config, "run", "--rm", "--no-TTY", "kafka-setup")
        yield Broker(config)


def run(config: Config, *arguments: str) -> None:
    command = compose.command(config, *arguments)
    subprocess.run(command, env=compose.environment(config), stdin=subprocess.DEVNULL, check=True)


def test_each_role_logs_in_from_this_machine_and_has_its_rights(broker):
    assert [role for role in ROLES if kafka.probe(broker.settings(role))()] == []
    assert kafka.probe(broker.settings("producer") | {"sasl.password": "guessed"})() is not None
    assert has_rights(AdminClient(broker.settings(SUPER_USER)), [])


def test_rows_are_written_by_one_role_and_read_by_another(broker):
    create_topic(broker, "orders")
    produce(broker, "producer", "orders", "first", **{"compression.type": "zstd"})
    assert rows(broker, "pipelines", "orders") == ["first"]
    assert refusal(rows, broker, "producer", "orders") == NO_TOPIC
    assert refusal(produce, broker, "pipelines", "orders", "forged") == NO_TOPIC


def test_rows_and_logins_are_there_after_a_restart(broker):
    run(broker.config, "restart", "kafka")
    run(broker.config, "up", "--detach", "--wait", "--no-deps", "kafka")
    assert rows(broker, "pipelines", "orders") == ["first"]


def test_only_the_published_listener_is_reached_from_this_machine(broker):
    published = compose.output(broker.config, "port", "kafka", "9093")
    assert published == broker.address
    assert compose.output(broker.config, "config", "--services").split().count("kafka") == 1


def test_without_the_profile_there_is_no_broker_and_no_connection():
    with fresh_config() as config:
        services = compose.output(config, "config", "--services").split()
        assert not {"kafka", "kafka-settings", "kafka-setup"} & set(services)
        assert 'AIRFLOW_CONN_KAFKA: ""' in compose.output(config, "config", "--no-normalize")


def test_with_the_profile_the_connection_logs_in_as_the_tasks(broker):
    text = compose.output(broker.config, "config")
    assert text.count("kafka:///?bootstrap.servers=broker%3A9092") >= 2
    assert "sasl.username=pipelines" in text
