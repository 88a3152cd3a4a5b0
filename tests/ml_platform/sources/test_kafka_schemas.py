"""Rows of Avro and of JSON with a schema, from a real broker into the tables, with a registry that comes and goes."""

import io
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import fastavro
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from ml_platform.exceptions import ConfigurationError, SourceAwayError
from ml_platform.sources.connection import SourceConnection
from ml_platform.sources.opening import open_source
from ml_platform.sources.pull import pull
from ml_platform.storage.database import fetch
from tests.ml_platform.ingestion.upload_cases import GOOD, rows_in
from tests.ml_platform.sources.source_cases import accounted, feed_of, pull_and_load
from tests.schema_registry import Registry

if TYPE_CHECKING:
    from tests.kafka import Broker

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]

ROW = GOOD | {"ID": 1, "COUNT": 3, "RATIO": 0.5}
TYPES = {str: "string", int: "long", float: "double"}
FIELDS = [{"name": name, "type": ["null", TYPES[type(cell)]], "default": None} for name, cell in ROW.items()]
OLD = {"type": "record", "name": "Claim", "fields": [field for field in FIELDS if field["name"] != "NOTE"]}
NEW = {"type": "record", "name": "Claim", "fields": FIELDS}


def framed(number: int, schema: dict[str, Any], **cells: Any) -> bytes:
    file = io.BytesIO()
    fastavro.schemaless_writer(file, fastavro.parse_schema(schema), ROW | cells)
    return b"\0" + number.to_bytes(4) + file.getvalue()


@pytest.fixture
def topic(kafka_broker: "Broker") -> str:
    name = f"claims-{uuid4().hex[:8]}"
    admin = AdminClient(kafka_broker.settings("kafka-admin"))
    admin.create_topics([NewTopic(name, 1)])[name].result(30)
    return name


@pytest.fixture
def send(kafka_broker: "Broker", topic: str) -> Callable[..., None]:
    def send(*values: bytes) -> None:
        producer = Producer(kafka_broker.settings("producer", acks="all"))
        for value in values:
            producer.produce(topic, value)
        assert producer.flush(60) == 0

    return send


@pytest.fixture
def kafka(kafka_broker: "Broker", any_registry: Registry) -> SourceConnection:
    extra = json.loads(kafka_broker.connection)["extra"]
    return SourceConnection("kafka", extra={**extra, "schema.registry.url": any_registry.url})


def test_two_versions_of_a_schema_are_rows_of_one_table(any_registry, kafka, topic, send, tmp_path) -> None:
    old, new = any_registry.add(f"{topic}-value", OLD), any_registry.add(f"{topic}-value", NEW)
    feed = feed_of({"kind": "kafka", "topic": topic, "format": "avro"})
    unknown = framed(987_654, NEW, ID=7)
    send(framed(old, OLD, ID=1), b"{}", framed(new, NEW, ID=2**40, NOTE="x"), framed(new, NEW, ID=4)[:-1], unknown)
    (report,) = pull_and_load(feed, kafka)
    assert sorted(rows_in("features", feed.table, '"ID", "NOTE"')) == [(1, None), (2**40, "x")]
    said = {1: "names no schema", 3: "ends before its schema does", 4: "has no schemas/ids/987654"}
    for found, (offset, problem) in zip(report["reasons"], said.items(), strict=True):
        assert problem in found["reason"]
        assert f"topic {topic}, partition 0, offset {offset}" in found["reason"]
    contents = []
    for _ in range(2):
        with open_source(feed.source, kafka) as reader, (tmp_path / "rows").open("w+b") as file:
            (partition, newest), *_ = reader.positions().items()
            assert reader.read(reader.range_of(partition, "", newest), file).rows == 5
            file.seek(0)
            contents.append(file.read())
    assert contents[0] == contents[1]


def test_json_that_does_not_fit_its_schema_comes_back(any_registry, kafka, topic, send) -> None:
    draft = "http://json-schema.org/draft-07/schema#"
    schema = {"$schema": draft, "type": "object", "properties": {"ID": {"type": "integer", "maximum": 10}}}
    name = b"\0" + any_registry.add(f"{topic}-value", schema, "JSON").to_bytes(4)
    feed = feed_of({"kind": "kafka", "topic": topic, "format": "json_schema"})
    send(*(name + json.dumps(GOOD | {"ID": number}).encode() for number in (1, 11)))
    (report,) = pull_and_load(feed, kafka)
    assert (report["rows_loaded"], report["rows_rejected"]) == (1, 1)
    assert "does not fit its JSON Schema at /ID" in report["reasons"][0]["reason"]


def test_a_registry_that_is_away_loses_and_rejects_nothing(kafka_broker, registry, topic, send) -> None:
    extra = json.loads(kafka_broker.connection)["extra"]
    kafka = SourceConnection("kafka", extra={**extra, "schema.registry.url": registry.url})
    feed = feed_of({"kind": "kafka", "topic": topic, "format": "avro"})
    number = registry.add(f"{topic}-value", NEW)
    send(framed(number, NEW, ID=1), framed(99, NEW, ID=2))
    for status, error in ((503, SourceAwayError), (403, ConfigurationError)):
        registry.broken = (status, b"")
        with pytest.raises(error, match="the schema registry of the Airflow connection 'kafka'"):
            pull(feed, kafka, by="a test")
    assert fetch("SELECT landed_at FROM sources.ranges WHERE dataset = $1", feed.table.name) == [(None,)]
    registry.broken = None
    pull_and_load(feed, kafka)
    assert accounted(feed) == (1, 1)
