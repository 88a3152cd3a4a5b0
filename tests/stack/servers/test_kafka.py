"""Kafka: what asks for it, its settings, and a real broker: logins, rights, sockets, and a kill."""

import json
import re
import time
import uuid

import psutil
import pytest
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from stack import secrets
from stack.config import load
from stack.errors import StackError
from stack.servers import kafka, kafka_setup
from stack.servers.inventory import all_nodes, optional
from stack.servers.kafka_roles import READER_GROUP, ROLES, SUPER_USER, client_settings
from stack.servers.kafka_specs import STREAM_TOPICS

SECONDS = 10
NO_TOPIC, NO_GROUP = KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED
NO_TRANSACTION = KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED


@pytest.fixture
def config(config, tmp_path, monkeypatch):
    """Settings with an empty folder of data sets."""
    (tmp_path / "specs").mkdir()
    monkeypatch.setenv("DATASETS_DIR", str(tmp_path / "specs"))
    return load(config.env_file)


def test_nothing_asks_for_it_by_default(config):
    assert not kafka.is_wanted(config)
    assert "kafka" not in all_nodes(config)
    assert not any("AIRFLOW_CONN_KAFKA" in node.environment for node in all_nodes(config).values())
    assert optional(config)["kafka"] == kafka.NOT_WANTED


def test_a_data_set_asks_for_it(config):
    (config.datasets_dir / "orders.yaml").write_text("name: orders\nsource: {kind: kafka}\n")
    assert kafka.datasets(config) == ["orders"]
    assert "kafka" in all_nodes(config)
    assert "kafka" not in optional(config)


def test_the_scheduler_and_the_triggerer_get_its_connection(with_kafka):
    nodes = all_nodes(with_kafka)
    have = {name for name, node in nodes.items() if "AIRFLOW_CONN_KAFKA" in node.environment}
    assert have == {"airflow-scheduler", "airflow-triggerer"}
    connection = json.loads(nodes["airflow-scheduler"].environment["AIRFLOW_CONN_KAFKA"])
    assert connection["conn_type"] == "kafka"
    assert connection["extra"]["sasl.username"] == "pipelines"
    assert connection["extra"]["bootstrap.servers"] == f"127.0.0.1:{with_kafka.kafka_port}"


def test_every_secret_stays_out_of_its_environment_and_command(with_kafka):
    server = kafka.server(with_kafka)
    values = secrets.read(with_kafka.env_file)
    text = " ".join((*server.command, *server.setup.command, *server.environment.values()))
    assert [name for name in (*ROLES.values(), "KAFKA_INNER_PASSWORD") if values[name] in text] == []


@pytest.mark.parametrize("variable", ["KAFKA_PRODUCER_PASSWORD", "KAFKA_INNER_PASSWORD", "KAFKA_PORT"])
def test_a_changed_setting_starts_it_again(with_kafka, variable):
    before = kafka.server(with_kafka).environment["KAFKA_SETTINGS"]
    text = with_kafka.env_file.read_text()
    with_kafka.env_file.write_text(re.sub(rf"^{variable}=.*$", f"{variable}=12345", text, flags=re.MULTILINE))
    assert kafka.server(load(with_kafka.env_file)).environment["KAFKA_SETTINGS"] != before


def test_without_its_packages_the_error_names_the_command(with_kafka, monkeypatch):
    monkeypatch.setattr(kafka, "find_spec", lambda name: None)
    server = kafka.server(with_kafka)
    with pytest.raises(StackError, match="make up KAFKA=1"):
        server.check()


def test_it_is_not_set_up_while_nothing_listens(with_kafka, monkeypatch):
    monkeypatch.setattr(kafka.socket, "create_connection", lambda address, timeout: (_ for _ in ()).throw(OSError))
    assert not kafka.server(with_kafka).setup.is_done()


# --- a real broker


def admin_of(broker, role="kafka-admin"):
    return AdminClient(broker.settings(role, log_level=0))


def create_topic(broker, name, role="kafka-admin"):
    admin = admin_of(broker, role)
    admin.create_topics([NewTopic(name, 1)])[name].result(SECONDS)


def produce(broker, role, topic, *values, **settings):
    """Write rows, and wait until the broker has acknowledged all of them.

    Raises:
        KafkaException: it has not.
    """
    errors = []
    producer = Producer(broker.settings(role, **{"message.timeout.ms": SECONDS * 1000, "log_level": 0} | settings))
    for value in values:
        producer.produce(topic, value, on_delivery=lambda error, _: errors.append(error))
    assert producer.flush(2 * SECONDS) == 0
    for error in filter(None, errors):
        raise KafkaException(error)


def rows(broker, role, topic, count=1):
    """Return the first rows of a topic, read by offset, as a task reads them; a group is of no use for that.

    Raises:
        KafkaException: the role may not.
    """
    group = {"pipelines": READER_GROUP}.get(role, "stream-tests")
    consumer = Consumer(broker.settings(role, **{"group.id": group, "enable.auto.commit": False, "log_level": 0}))
    found, deadline = [], time.monotonic() + SECONDS
    try:
        consumer.assign([TopicPartition(topic, 0, 0)])
        while len(found) < count and time.monotonic() < deadline:
            for message in consumer.consume(count, 1):
                if message.error() is None:
                    found.append(message.value().decode())
                elif message.error().code() != NO_GROUP or role == "pipelines":
                    raise KafkaException(message.error())
        return found
    finally:
        consumer.close()


def commit(broker, role, group, topic):
    """Store an offset for a group of consumers."""
    admin, offsets = admin_of(broker, role), ConsumerGroupTopicPartitions(group, [TopicPartition(topic, 0, 1)])
    admin.alter_consumer_group_offsets([offsets])[group].result(SECONDS)


def begin_transaction(broker, role, name):
    producer = Producer(broker.settings(role, **{"transactional.id": name, "log_level": 0}))
    producer.init_transactions(SECONDS)
    producer.begin_transaction()
    producer.abort_transaction(SECONDS)


def topic_settings(broker, role, topic):
    resource = ConfigResource(ResourceType.TOPIC, topic)
    admin = admin_of(broker, role)
    return admin.describe_configs([resource])[resource].result(SECONDS)


def refusal(action, *arguments, **settings):
    """Return the code of the error with which the broker refuses."""
    with pytest.raises(KafkaException) as raised:
        action(*arguments, **settings)
    return raised.value.args[0].code()


@pytest.fixture
def topic(kafka_broker):
    """A new topic with one row."""
    name = f"rows-{uuid.uuid4().hex[:8]}"
    create_topic(kafka_broker, name)
    produce(kafka_broker, "producer", name, "first")
    return name


@pytest.mark.servers
@pytest.mark.parametrize("role", ["kafka-admin", "pipelines", "stream"])
def test_who_may_read_reads(kafka_broker, topic, role):
    assert rows(kafka_broker, role, topic) == ["first"]


@pytest.mark.servers
@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_compressed_rows_are_read(kafka_broker, topic, codec):
    produce(kafka_broker, "producer", topic, "a" * 2000, **{"compression.type": codec})
    assert rows(kafka_broker, "pipelines", topic, 2) == ["first", "a" * 2000]


@pytest.mark.servers
def test_the_producer_does_not_read(kafka_broker, topic):
    assert refusal(rows, kafka_broker, "producer", topic) == NO_TOPIC


@pytest.mark.servers
@pytest.mark.parametrize("role", ["pipelines", "stream"])
def test_who_reads_rows_does_not_write_them(kafka_broker, topic, role):
    assert refusal(produce, kafka_broker, role, topic, "forged") == NO_TOPIC


@pytest.mark.servers
@pytest.mark.parametrize("output", ["predictions", "rejected"])
def test_the_stream_creates_and_writes_the_topics_of_its_data_sets(kafka_broker, output):
    name = f"d{uuid.uuid4().hex[:8]}"
    assert refusal(create_topic, kafka_broker, f"{name}.{output}", "stream") == NO_TOPIC
    kafka_broker.add_datasets(name)
    create_topic(kafka_broker, f"{name}.{output}", "stream")
    produce(kafka_broker, "stream", f"{name}.{output}", "0.7")
    assert rows(kafka_broker, "pipelines", f"{name}.{output}") == ["0.7"]


@pytest.mark.servers
def test_a_data_set_that_asks_for_a_stream_later_leaves_the_setup_undone_until_it_runs_again(kafka_broker):
    kafka_broker.add_datasets()
    setup, name = kafka.server(kafka_broker.config).setup, f"d{uuid.uuid4().hex[:8]}"
    assert setup.is_done()
    (kafka_broker.config.datasets_dir / f"{name}.yaml").write_text(f"name: {name}\nstream: true\n")
    assert not setup.is_done()
    kafka_broker.add_datasets()
    assert setup.is_done()
    assert kafka_setup.has_topics(admin_of(kafka_broker), [f"{name}.{topic}" for topic in STREAM_TOPICS])


@pytest.mark.servers
@pytest.mark.parametrize("role", ["pipelines", "producer", "stream"])
def test_no_role_creates_other_topics_or_changes_rights(kafka_broker, topic, role):
    assert refusal(create_topic, kafka_broker, "of-its-own", role) == NO_TOPIC
    admin = admin_of(kafka_broker, role)
    assert refusal(admin.delete_topics([topic])[topic].result, SECONDS) == NO_TOPIC
    assert refusal(kafka_setup.set_rights, admin, []) == KafkaError.CLUSTER_AUTHORIZATION_FAILED


@pytest.mark.servers
def test_a_topic_that_nobody_created_is_not_created_by_a_row(kafka_broker):
    with pytest.raises(KafkaException):
        produce(kafka_broker, "kafka-admin", "not-there", "row", **{"message.timeout.ms": 2000})
    assert "not-there" not in admin_of(kafka_broker).list_topics(timeout=SECONDS).topics


@pytest.mark.servers
def test_only_the_stream_has_groups_and_transactions_with_names_of_its_own(kafka_broker, topic):
    commit(kafka_broker, "stream", "stream-orders", topic)
    begin_transaction(kafka_broker, "stream", "stream-orders")
    assert refusal(commit, kafka_broker, "stream", "other", topic) == NO_GROUP
    assert refusal(begin_transaction, kafka_broker, "stream", "other") == NO_TRANSACTION
    for role in ("pipelines", "producer"):
        assert refusal(commit, kafka_broker, role, "stream-orders", topic) == NO_GROUP
        assert refusal(begin_transaction, kafka_broker, role, "stream-orders") == NO_TRANSACTION


@pytest.mark.servers
def test_kafkas_own_topics_are_closed_to_every_role(kafka_broker, topic):
    commit(kafka_broker, "stream", "stream-orders", topic)  # creates __consumer_offsets
    for role in ("pipelines", "stream", "producer"):
        assert "__consumer_offsets" not in admin_of(kafka_broker, role).list_topics(timeout=SECONDS).topics
        forged = {"client.id": "__admin_client"}  # whom Kafka lets write there
        assert refusal(produce, kafka_broker, role, "__consumer_offsets", "forged", **forged) == NO_TOPIC


@pytest.mark.servers
def test_the_tasks_see_how_long_rows_are_kept(kafka_broker, topic):
    found = topic_settings(kafka_broker, "pipelines", topic)
    assert (found["retention.ms"].value, found["retention.bytes"].value) == ("-1", str(2**30))
    assert refusal(topic_settings, kafka_broker, "producer", topic) == NO_TOPIC


def anonymous(broker):
    return {"bootstrap.servers": broker.address, "security.protocol": "PLAINTEXT"}


def problem_with(settings):
    return kafka.probe(settings)()


@pytest.mark.servers
def test_a_login_needs_the_right_password(kafka_broker):
    for role in ROLES:
        assert problem_with(kafka_broker.settings(role)) is None
        assert "SASL authentication error" in problem_with(kafka_broker.settings(role) | {"sasl.password": "guessed"})
    assert "SASL authentication error" in problem_with(kafka_broker.settings("producer") | {"sasl.username": "nobody"})


@pytest.mark.servers
def test_no_listener_answers_without_its_own_login(kafka_broker):
    assert problem_with(anonymous(kafka_broker)) is not None
    inner = kafka_broker.config.kafka_inner_port
    for port in (inner, inner + 1):
        address = f"127.0.0.1:{port}"
        assert problem_with(anonymous(kafka_broker) | {"bootstrap.servers": address}) is not None
        password = kafka_broker.settings(SUPER_USER)["sasl.password"]
        for mechanism in ("SCRAM-SHA-512", "PLAIN"):
            assert problem_with(client_settings(address, SUPER_USER, password, mechanism)) is not None


@pytest.mark.servers
def test_only_this_machine_reaches_it(kafka_broker):
    process = psutil.Process(kafka_broker.process.pid)
    listening = [one.laddr for one in process.net_connections("inet") if one.status == psutil.CONN_LISTEN]
    assert {address.ip for address in listening} == {"127.0.0.1"}
    assert {address.port for address in listening} == set(kafka.server(kafka_broker.config).ports.values())


@pytest.mark.servers
@pytest.mark.prove  # the gate kills the broker of a source
def test_a_kill_loses_no_acknowledged_row(kafka_broker):
    topic = f"rows-{uuid.uuid4().hex[:8]}"
    create_topic(kafka_broker, topic)
    acknowledged = []
    settings = {"enable.idempotence": True, "message.timeout.ms": SECONDS * 1000, "log_level": 0, "linger.ms": 1}
    producer = Producer(kafka_broker.settings("producer", **settings))

    def note(error, message):
        if error is None:
            acknowledged.append(message.value().decode())

    for number in range(50_000):
        producer.produce(topic, str(number), on_delivery=note)
    while len(acknowledged) < 1000:
        producer.poll(0.01)
    kafka_broker.kill()
    producer.purge()
    producer.poll(0)
    kafka_broker.start()
    assert 1000 <= len(acknowledged) < 50_000
    assert set(acknowledged) <= set(rows(kafka_broker, "pipelines", topic, len(acknowledged)))


@pytest.mark.servers
@pytest.mark.prove
def test_a_changed_password_takes_effect_at_the_next_start(kafka_broker):
    old = {role: kafka_broker.settings(role) for role in ROLES}
    text = kafka_broker.config.env_file.read_text()
    changed = re.sub(r"^(KAFKA_\w+_PASSWORD)=.*$", r"\1=another-\1", text, flags=re.MULTILINE)
    kafka_broker.config.env_file.write_text(changed)
    kafka_broker.reload()
    kafka_broker.stop()
    kafka_broker.start()
    for role, settings in old.items():
        assert problem_with(kafka_broker.settings(role)) is None
        assert problem_with(settings) is not None
    assert kafka.server(kafka_broker.config).setup.is_done()


@pytest.mark.servers
def test_no_log_shows_a_secret(kafka_broker):
    values = secrets.read(kafka_broker.config.env_file)
    assert [name for name in (*ROLES.values(), "KAFKA_INNER_PASSWORD") if values[name] in kafka_broker.log] == []
