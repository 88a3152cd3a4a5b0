"""`ml-platform stream` and `produce`, as a user types them."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from confluent_kafka.admin import AdminClient, NewTopic
from typer.testing import CliRunner

from ml_platform.commands import streams
from ml_platform.commands.main import app
from ml_platform.exceptions import ConfigurationError
from ml_platform.streaming.topics import VARIABLES

if TYPE_CHECKING:
    from tests.kafka import Broker

SAMPLE = Path(__file__).resolve().parents[3] / "minio" / "samples" / "test_penguins.csv"


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


@pytest.mark.servers
def test_the_rows_of_a_file_are_sent(kafka_broker: "Broker", monkeypatch: pytest.MonkeyPatch) -> None:
    topic = f"penguins-{uuid4().hex[:8]}"
    admin = AdminClient(kafka_broker.settings("kafka-admin"))
    admin.create_topics([NewTopic(topic, 1)])[topic].result(30)
    monkeypatch.setenv(VARIABLES["producer"], json.dumps(kafka_broker.settings("producer")))
    result = run("produce", "penguins", "--file", str(SAMPLE), "--topic", topic)
    assert result.stdout == f"120 rows of {SAMPLE} are in the topic {topic}\n"


def test_a_rate_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLES["producer"], json.dumps({"bootstrap.servers": "127.0.0.1:1"}))
    result = run("produce", "penguins", "--file", str(SAMPLE), "--rate", "fast")
    assert result.exit_code == 1
    assert "'fast' is no rate" in result.stderr


def test_without_a_broker_it_says_how_to_start_one(config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLES["stream"], raising=False)
    monkeypatch.setenv("ENV_FILE", str(config.env_file))
    with pytest.raises(ConfigurationError, match=r"no broker.*`make up KAFKA=1`, or set KAFKA_STREAM_SETTINGS"):
        streams.use_kafka("stream")


def test_the_broker_of_this_folder_is_used_with_the_login_of_the_role(config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLES["stream"], raising=False)
    monkeypatch.setenv("ENV_FILE", str(config.env_file))
    monkeypatch.setenv("KAFKA", "1")
    streams.use_kafka("stream")
    assert json.loads(streams.os.environ[VARIABLES["stream"]])["sasl.username"] == "stream"
