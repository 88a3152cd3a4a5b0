"""Messages are decoded by the schema that they name; what cannot be decoded comes back alone, with its place."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from ml_platform.exceptions import ConfigurationError, SourceAwayError
from ml_platform.files.text_lines import ROW_CHARACTERS
from ml_platform.sources.connection import SourceConnection
from ml_platform.sources.kafka_messages import MessageFormat, Messages, open_format
from ml_platform.sources.wire_format import ID_HEADER
from ml_platform.specs.sources import KafkaSource
from tests.schema_registry import Registry, guid_of

pytestmark = pytest.mark.sockets

SCHEMA = {"type": "record", "name": "Row", "fields": [{"name": "ID", "type": "long"}]}
NEWER = {"type": "record", "name": "Row", "fields": [*SCHEMA["fields"], {"name": "NOTE", "type": ["null", "string"]}]}  # type: ignore[misc]


@dataclass
class FakeMessage:
    """A message as librdkafka's client has it."""

    content: bytes | None
    stored_key: bytes | None = None
    stored_headers: list[tuple[str, bytes | None]] = field(default_factory=list)

    def topic(self) -> str:
        return "t"

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return 7

    def value(self) -> bytes | None:
        return self.content

    def key(self) -> bytes | None:
        return self.stored_key

    def headers(self) -> list[tuple[str, bytes | None]] | None:
        return self.stored_headers or None


def source(**options: Any) -> KafkaSource:
    return KafkaSource(kind="kafka", topic="t", **options)


def connection_to(registry: Registry) -> SourceConnection:
    return SourceConnection("kafka", host="h", extra={"schema.registry.url": registry.url})


def framed(number: int, content: bytes) -> bytes:
    return b"\0" + number.to_bytes(4) + content


def lines_of(spec: KafkaSource, form: MessageFormat, *messages: FakeMessage) -> list[dict[str, Any]]:
    lines: Iterator[bytes] = Messages(spec, form).lines(iter(messages))  # type: ignore[arg-type]
    rows = [json.loads(line) for line in lines]
    assert all(row.pop("_position") == "topic t, partition 0, offset 7" for row in rows)
    return rows


@pytest.fixture
def avro(registry: Registry) -> Iterator[MessageFormat]:
    form = open_format(source(format="avro"), connection_to(registry))
    yield form
    form.close()


def test_each_message_is_read_by_the_schema_it_was_written_with(registry: Registry, avro: MessageFormat) -> None:
    old, new = registry.add("t-value", SCHEMA), registry.add("t-value", NEWER)
    guid = guid_of(registry.schemas[1]).bytes
    found = lines_of(
        source(metadata={"WHO": "key", "FROM": "header.from"}),
        avro,
        FakeMessage(framed(old, b"\x02"), b"ann"),
        FakeMessage(framed(new, b"\x04\x02\x02x"), None, [("from", b"there")]),
        FakeMessage(b"\x06\x00", None, [(ID_HEADER, framed(new, b""))]),
        FakeMessage(b"\x08\x00", None, [(ID_HEADER, b"\1" + guid)]),
    )
    assert found == [
        {"WHO": "ann", "FROM": None, "ID": 1},
        {"WHO": None, "FROM": "there", "ID": 2, "NOTE": "x"},
        {"WHO": None, "FROM": None, "ID": 3, "NOTE": None},
        {"WHO": None, "FROM": None, "ID": 4, "NOTE": None},
    ]


def test_each_schema_is_asked_for_once_whether_it_exists_or_not(registry: Registry, avro: MessageFormat) -> None:
    number = registry.add("t-value", SCHEMA)
    messages = [FakeMessage(framed(one, b"\x02")) for one in (number, 99, number, 99) * 50]
    found = lines_of(source(), avro, *messages)
    assert [row.get("ID") for row in found[:2]] == [1, None]
    assert sorted(registry.asked) == ["/schemas/ids/1", "/schemas/ids/99"]


def test_what_cannot_be_decoded_comes_back_with_its_bytes_and_the_reason(
    registry: Registry, avro: MessageFormat
) -> None:
    number, other = registry.add("t-value", SCHEMA), registry.add("t-value", {"type": "object"}, "JSON")
    contents = [b"{}", framed(99, b"\x02"), framed(number, b""), framed(number, b"\x02\xff"), framed(other, b"{}"), b""]
    found = lines_of(source(), avro, *map(FakeMessage, contents))
    reasons = [row["_fault"] for row in found]
    assert reasons[0].startswith("names no schema")
    assert reasons[1] == "the schema registry of the Airflow connection 'kafka' has no schemas/ids/99"
    assert reasons[2].startswith("ends before its schema does")
    assert reasons[3] == "has 1 bytes after the end of its schema"
    assert reasons[4] == "its schema ids/2 is of the kind JSON, and AVRO is read"
    assert reasons[5].startswith("names no schema")
    assert found[3]["_value"] == "\0\0\0\0\1\2\\xff"


@pytest.mark.parametrize(
    ("status", "error"), [(500, SourceAwayError), (401, ConfigurationError), (404, ConfigurationError)]
)
def test_a_registry_with_a_problem_rejects_no_row(registry, avro, status, error) -> None:
    registry.add("t-value", SCHEMA)
    registry.broken = (status, b"")
    with pytest.raises(error):
        lines_of(source(), avro, FakeMessage(framed(1, b"\x02")))
    registry.broken = None
    assert lines_of(source(), avro, FakeMessage(framed(1, b"\x02"))) == [{"ID": 1}]


def test_json_with_a_schema_is_checked(registry: Registry) -> None:
    schema = {"type": "object", "properties": {"place": {"$ref": "place.json"}}}
    registry.add("place", {"type": "string"}, "JSON")
    number = registry.add("t-value", schema, "JSON", place__json=("place", 1))
    form = open_format(source(format="json_schema"), connection_to(registry))
    good, bad = FakeMessage(framed(number, b'{"place": "x"}')), FakeMessage(framed(number, b'{"place": 1}'))
    assert lines_of(source(), form, good) == [{"place": "x"}]
    assert lines_of(source(), form, bad)[0]["_fault"] == (
        'does not fit its JSON Schema at /place: 1 is not of type "string"'
    )
    form.close()


def test_a_schema_in_the_yaml_needs_no_registry() -> None:
    spec = source(format="avro", avro_schema=SCHEMA)
    form = open_format(spec, SourceConnection("kafka", host="h"))
    assert lines_of(spec, form, FakeMessage(b"\x02"), FakeMessage(None)) == [{"ID": 1}]
    assert lines_of(spec, form, FakeMessage(framed(1, b"\x02")))[0]["_fault"].startswith("has 5 bytes after the end")


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"format": "avro"}, "'kafka' names no schema registry"),
        ({"format": "json_schema"}, "'kafka' names no schema registry"),
        (
            {"format": "avro", "avro_schema": {"type": "record"}},
            "avro_schema of the topic 't': its schema",
        ),
    ],
)
def test_a_missing_schema_is_named_when_the_source_is_opened(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        open_format(source(**options), SourceConnection("kafka", host="h"))


def test_bytes_that_are_no_text_are_written_as_they_are() -> None:
    """The parser then rejects their cell; a row of JSON once ended every pull."""
    spec = source(metadata={"WHO": "key"})
    (line,) = Messages(spec, MessageFormat()).lines(iter([FakeMessage(b'{"ID": 1}', b"\xff")]))  # type: ignore[list-item]
    assert line == b'{"_position":"topic t, partition 0, offset 7","WHO":"\xff","ID": 1}'


@pytest.mark.parametrize("content", [b'{"a": "' + b"x" * ROW_CHARACTERS + b'"}', b"\xff" * (ROW_CHARACTERS // 4)])
def test_a_row_that_is_too_long_comes_back_alone(content: bytes) -> None:
    """A file with such a line would be rejected as a whole."""
    (row,) = lines_of(source(), MessageFormat(), FakeMessage(content))
    assert row["_fault"] == "its row is longer than 4,194,304 bytes"
    assert len(row["_value"]) <= 320
