"""Kafka and streams in containers: they start with their profile only, and do the same as without containers."""

import os
import subprocess
import sys

import pytest
import yaml
from confluent_kafka.admin import AdminClient

from stack.config import ROOT, Config
from stack.runners import compose
from stack.servers import kafka
from stack.servers.kafka_roles import ROLES, SUPER_USER
from stack.servers.kafka_setup import has_rights, has_topics
from stack.servers.kafka_specs import topics
from stack.servers.probes import query
from tests.compose.conftest import Containers
from tests.compose.test_containers import (
    test_nothing_can_take_the_whole_machine,  # noqa: F401 – of these containers, too
    test_nothing_can_write_but_to_its_volumes_and_a_small_tmpfs,  # noqa: F401
    test_nothing_runs_as_root_or_could_become_it,  # noqa: F401
)
from tests.conftest import fresh_config
from tests.end_to_end.conftest import eventually
from tests.kafka import Broker, committed
from tests.ml_platform.scoring.test_batch import many
from tests.ml_platform.training.trainings import ONE, make_dataset
from tests.stack.servers.test_kafka import NO_TOPIC, create_topic, produce, refusal, rows

pytestmark = [pytest.mark.servers, pytest.mark.prove]

SERVICES = ["stream", "postgres-port"]
ROWS, KILLS = 8000, 3


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


# --- rows that are scored as they come


@pytest.fixture(scope="module")
def platform(broker):
    """The service `stream` with all that it needs, beside the broker; no data set asks for it yet."""
    compose.up(broker.config, SERVICES)
    return broker.config


@pytest.fixture(scope="module")
def containers(platform):
    return Containers(platform)


@pytest.fixture(scope="module")
def shop(platform, containers):
    """A data set that asks for a stream while the containers run; its containers, before and after `up` runs again."""
    before = containers.all()
    spec = make_dataset("shop", ONE).model_dump(mode="json", exclude_defaults=True) | {"stream": True}
    spec["entity"]["name"] = "shopper"  # there is a customer already, with another key
    (platform.datasets_dir / "shop.yaml").write_text(yaml.safe_dump(spec))
    compose.up(platform, SERVICES)
    return before, containers.all()


def starts(containers):
    """Return when each container that still runs was started; jobs run again at each `up`."""
    return {name: c["State"]["StartedAt"] for name, c in containers.items() if c["State"]["Running"]}


def test_without_a_stream_the_scorer_is_healthy(containers):
    assert containers.is_healthy("stream")


def test_the_scorer_is_in_the_inner_networks_only(found):
    networks = {name.rpartition("_")[2] for name in found["stream"]["NetworkSettings"]["Networks"]}
    assert networks == {"control", "data"}
    assert not any((found["stream"]["NetworkSettings"]["Ports"] or {}).values())


def test_the_scorer_knows_only_its_own_secrets(platform, found):
    told = " ".join(found["stream"]["Config"]["Env"])
    secrets = {name: value.get_secret_value() for name, value in platform if hasattr(value, "get_secret_value")}
    knows = {name for name, value in secrets.items() if value in told}
    assert knows == {"serving_db_password", "mlflow_pipelines_password", "kafka_stream_password"}


def test_up_again_creates_the_topics_of_a_new_data_set_and_restarts_nothing(broker, shop):
    before, after = shop
    assert starts(after) == starts(before)
    assert {"kafka", "mlflow", "stream"} <= starts(after).keys()
    assert has_topics(AdminClient(broker.settings(SUPER_USER)), topics(broker.config.datasets_dir))


def test_rows_are_answered_once_though_the_scorer_is_killed(broker, containers, shop, tmp_path, record_property):
    config = broker.config
    file = tmp_path / "shop.csv"
    file.write_bytes(many(ROWS))
    called([sys.executable, "-m", "tests.compose.live_model", "shop"], config).wait()
    sending = called([str(ROOT / "ml-platform"), "produce", "shop", "--file", str(file), "--rate", "200/s"], config)
    for kill in range(1, KILLS + 1):
        answered = len(committed(broker, "shop.predictions"))
        eventually(
            lambda answered=answered: len(committed(broker, "shop.predictions")) > answered, "predictions, after a kill"
        )
        containers.crash("stream")
        record_property("tried", kill)
    assert sending.wait() == 0
    eventually(lambda: len(committed(broker, "shop.predictions")) >= ROWS, "all predictions")
    keys = [one["key"]["id"] for one in committed(broker, "shop.predictions")]
    assert sorted(keys) == list(range(1, ROWS + 1))
    assert committed(broker, "shop.rejected") == []
    logged = query(config.database_uri("reader", "platform"), "SELECT entity_key->>'id' FROM predictions.log")
    assert sorted(int(key) for (key,) in logged) == sorted(keys)
    assert containers.restarts("stream") == KILLS


def called(command, config):
    """Start a program of this machine with the settings of the platform in the containers."""
    settings = config.environment() | {"ENV_FILE": str(config.env_file), "TESTS_ENV_FILE": str(config.env_file)}
    return subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": f"{ROOT / 'plugins'}:{ROOT}"} | settings
    )
