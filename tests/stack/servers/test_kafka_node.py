"""The Kafka node: nothing listens elsewhere or without a login, its secret is private, its folder is formatted once."""

import stat
import uuid
from pathlib import Path

import pytest

from stack.errors import StackError
from stack.servers import kafka_node

SECRET = "hush"
LISTENERS = {"CLIENTS": "127.0.0.1:9092", "INNER": "127.0.0.1:19310", "CONTROLLER": "127.0.0.1:19311"}


def settings(password=SECRET):
    text = kafka_node.settings(Path("/data/kafka"), LISTENERS, password)
    return dict(line.partition("=")[::2] for line in text.splitlines())


@pytest.fixture
def java(tmp_path):
    """A stand-in for Java, which notes its calls."""

    def make(script):
        path = tmp_path / "java"
        path.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path / "calls"}\n{script}\n')
        path.chmod(0o755)
        return path

    return make


def prepare(tmp_path, java):
    kafka_node.prepare(tmp_path / "kafka", LISTENERS, SECRET, java, {})


def test_a_cluster_id_may_begin_with_a_dash(tmp_path, java, monkeypatch):
    monkeypatch.setattr(kafka_node.uuid, "uuid4", lambda: uuid.UUID(bytes=b"\xf8" * 16))
    prepare(tmp_path, java("exit 0"))
    assert " --cluster-id=-Pj4" in (tmp_path / "calls").read_text()


def test_every_listener_is_on_this_machine_and_requires_a_login():
    values = settings()
    listeners = values["listeners"].split(",")
    assert {address.partition("://")[2].partition(":")[0] for address in listeners} == {"127.0.0.1"}
    protocols = values["listener.security.protocol.map"].split(",")
    assert {protocol.partition(":")[2] for protocol in protocols} == {"SASL_PLAINTEXT"}
    assert len(listeners) == len(protocols) == 3


def test_no_client_reaches_the_controller_or_the_inner_listener_by_a_role():
    values = settings()
    assert "CONTROLLER" not in values["advertised.listeners"]
    for name in ("inner", "controller"):
        assert values[f"listener.name.{name}.sasl.enabled.mechanisms"] == "PLAIN"
        assert values[f"listener.name.{name}.plain.sasl.jaas.config"].count("user_") == 1
    assert values["listener.name.clients.sasl.enabled.mechanisms"] == "SCRAM-SHA-512"


def test_what_no_right_allows_is_refused():
    values = settings()
    assert values["authorizer.class.name"].endswith("StandardAuthorizer")
    assert values["allow.everyone.if.no.acl.found"] == "false"
    assert values["super.users"] == "User:kafka-admin;User:inner"
    assert values["auto.create.topics.enable"] == "false"


def test_quotes_and_backslashes_of_a_password_are_escaped_twice():
    line = settings(r'a"b\c')["listener.name.inner.plain.sasl.jaas.config"]
    assert r'password="a\\"b\\\\c"' in line


def test_only_the_owner_can_read_the_settings(tmp_path, java):
    prepare(tmp_path, java("exit 0"))
    home = tmp_path / "kafka"
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert stat.S_IMODE(kafka_node.settings_file(home).stat().st_mode) == 0o600


def test_the_folder_is_formatted_once_and_no_command_line_has_the_password(tmp_path, java):
    data = tmp_path / "kafka" / "data"
    program = java(f"mkdir -p {data}; touch {data}/meta.properties")
    prepare(tmp_path, program)
    prepare(tmp_path, program)
    (call,) = (tmp_path / "calls").read_text().splitlines()
    assert call.startswith("kafka.tools.StorageTool format --cluster-id=")
    assert SECRET not in call


def test_an_interrupted_format_is_done_again(tmp_path, java):
    data = tmp_path / "kafka" / "data"
    data.mkdir(parents=True)
    (data / "bootstrap.checkpoint").touch()
    prepare(tmp_path, java(f"test ! -e {data}"))


def test_what_a_killed_broker_unpacked_is_removed(tmp_path, java):
    left = tmp_path / "kafka" / "tmp" / "libzstd.so"
    left.parent.mkdir(parents=True)
    left.touch()
    prepare(tmp_path, java("exit 0"))
    assert not left.exists()
    assert left.parent.is_dir()


def test_topics_are_those_of_people(tmp_path):
    for name in ("orders-0", "orders-1", "a-b.rows-12", "__consumer_offsets-3", "__cluster_metadata-0"):
        (tmp_path / "data" / name).mkdir(parents=True)
    (tmp_path / "data" / "meta.properties").touch()
    assert kafka_node.topics(tmp_path) == {"orders", "a-b.rows"}
    assert kafka_node.topics(tmp_path / "none") == set()


def test_a_format_that_fails_is_said_with_its_output(tmp_path, java):
    with pytest.raises(StackError, match="cannot be formatted:\nno space"):
        prepare(tmp_path, java("echo no space; exit 1"))


def test_in_a_container_only_the_clients_listeners_are_open_to_others(tmp_path):
    kafka_node.main(tmp_path / "kafka", {"KAFKA_PORT": "29092", "KAFKA_INNER_PASSWORD": SECRET})
    file = kafka_node.settings_file(tmp_path / "kafka")
    values = dict(line.partition("=")[::2] for line in file.read_text().splitlines())
    opened = {name for name, address in kafka_node.CONTAINER.items() if not address.startswith("127.0.0.1:")}
    assert opened == {"CLIENTS", "HOST"}
    assert {values[f"listener.name.{name.lower()}.sasl.enabled.mechanisms"] for name in opened} == {"SCRAM-SHA-512"}
    assert "CLIENTS://broker:9092,HOST://127.0.0.1:29092,INNER" in values["advertised.listeners"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
