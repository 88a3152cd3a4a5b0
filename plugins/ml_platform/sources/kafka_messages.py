"""Messages of Kafka as lines: JSON as it is, and what a schema decodes or checks."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from confluent_kafka import Message

from ml_platform.exceptions import ConfigurationError
from ml_platform.files.text_lines import ROW_CHARACTERS
from ml_platform.sources.connection import SourceConnection
from ml_platform.sources.row_files import fault_line, text_line
from ml_platform.sources.wire_format import ID_HEADER, UndecodableError, split_message
from ml_platform.specs.sources import KafkaSource

EPOCH = datetime.fromtimestamp(0, UTC)
SHOWN_BYTES = 80  # of a message whose line is too long
KINDS = {"avro": "AVRO", "json_schema": "JSON"}  # what a registry calls the formats


class RowSchema(Protocol):
    """Turns the content of messages that were written with one schema into lines."""

    def line(self, content: bytes, position: str, extra: Mapping[str, Any]) -> bytes:
        """Return a row as a line; `position` and `extra` as `row_files.text_line`.

        Raises:
            UndecodableError: the content is no such row.
        """


class MessageFormat:
    """How the values of a topic's messages are written: as JSON objects."""

    def line(self, value: bytes, header: bytes | None, position: str, extra: Mapping[str, Any]) -> bytes:
        """Return a message as a line.

        Args:
            value: of the message.
            header: the content of the header that may name its schema.
            position: where it is in the source, for people.
            extra: more values of the row; the value's own ones win.

        Raises:
            UndecodableError: it is no row.
            SourceAwayError: the schema registry cannot be reached.
            ConfigurationError: the schema registry refuses the login.
        """
        return text_line(value, position, extra)

    def close(self) -> None:
        """Disconnect from the schema registry, if there is one."""


class OneSchema(MessageFormat):
    """Values without anything before them, all written with the same schema."""

    def __init__(self, schema: RowSchema) -> None:
        """Store the schema."""
        self._schema = schema

    def line(self, value: bytes, header: bytes | None, position: str, extra: Mapping[str, Any]) -> bytes:
        """Return a message as a line; arguments and errors are those of `MessageFormat`."""
        return self._schema.line(value, position, extra)


class RegistryFormat(MessageFormat):
    """Values that name their schema in a registry. Each schema is asked for once."""

    def __init__(self, registry: Any, kind: str, parse: Callable[..., RowSchema]) -> None:
        """Store how schemas are found and parsed.

        Args:
            registry: the `SchemaRegistry`.
            kind: of the schemas, as the registry calls it.
            parse: makes a schema of its text and its references.
        """
        self._registry, self._kind, self._parse = registry, kind, parse
        self._schemas: dict[str, RowSchema | UndecodableError] = {}

    def line(self, value: bytes, header: bytes | None, position: str, extra: Mapping[str, Any]) -> bytes:
        """Return a message as a line; arguments and errors are those of `MessageFormat`."""
        name, content = split_message(value, header)
        if name not in self._schemas:
            self._schemas[name] = self._schema(name)
        schema = self._schemas[name]
        if isinstance(schema, UndecodableError):
            raise UndecodableError(str(schema))
        return schema.line(content, position, extra)

    def _schema(self, name: str) -> RowSchema | UndecodableError:
        """Return a schema, or why no message with it can be read."""
        try:
            found = self._registry.schema(name)
            if found.kind == self._kind:
                return self._parse(found.text, found.references)
        except UndecodableError as error:
            return error
        return UndecodableError(f"its schema {name} is of the kind {found.kind}, and {self._kind} is read")

    def close(self) -> None:
        """Disconnect from the registry."""
        self._registry.close()


def open_format(source: KafkaSource, connection: SourceConnection) -> MessageFormat:
    """Return how the messages of a source are read; only what its format needs is loaded.

    Raises:
        ConfigurationError: the connection names no schema registry, its settings do not fit, or the schema in the YAML
            is not valid.
    """
    if source.format == "json":
        return MessageFormat()
    parse = _parser(source.format)
    if source.avro_schema is not None:
        try:
            return OneSchema(parse(json.dumps(source.avro_schema)))
        except UndecodableError as error:
            raise ConfigurationError(f"avro_schema of the topic {source.topic!r}: {error}") from error
    from ml_platform.sources.schema_registry import SchemaRegistry

    return RegistryFormat(SchemaRegistry(connection), KINDS[source.format], parse)


def _parser(name: str) -> Callable[..., RowSchema]:
    if name == "avro":
        from ml_platform.sources.avro_schema import AvroSchema

        return AvroSchema
    from ml_platform.sources.json_schema import JsonSchema

    return JsonSchema


@dataclass
class Messages:
    """Turns messages into lines, and counts those that are no rows.

    Attributes:
        spec: the source.
        format: how values are written.
        skipped: number of tombstones that were left out.
    """

    spec: KafkaSource
    format: MessageFormat
    skipped: int = field(default=0, init=False)

    def lines(self, messages: Iterator[Message]) -> Iterator[bytes]:
        """Yield a line for each message, with the reason if it is no row.

        Raises:
            SourceAwayError, ConfigurationError: as `MessageFormat.line`.
        """
        for message in messages:
            value = message.value()
            place = f"topic {message.topic()}, partition {message.partition()}, offset {message.offset()}"
            if value is not None:
                yield self._line(message, value, place)
            elif self.spec.tombstones == "reject":
                yield fault_line(message.key() or b"", place, "a tombstone: the message has a key and no value")
            else:
                self.skipped += 1

    def _line(self, message: Message, value: bytes, place: str) -> bytes:
        headers = dict(message.headers() or ())  # of several with one name, the last one
        extra = {column: _part(message, headers, part) for column, part in self.spec.metadata.items()}
        try:
            line = self.format.line(value, headers.get(ID_HEADER), place, extra)
        except UndecodableError as error:
            line = fault_line(value, place, str(error))
        if len(line) < ROW_CHARACTERS:
            return line
        return fault_line(value[:SHOWN_BYTES], place, f"its row is longer than {ROW_CHARACTERS:,} bytes")


def _part(message: Message, headers: Mapping[str, bytes | None], part: str) -> str | int | None:
    """Return a part of a message that is not in its value; a missing one is None."""
    if part == "key":
        return _text(message.key())
    if part == "timestamp":
        _, milliseconds = message.timestamp()
        return (EPOCH + timedelta(milliseconds=milliseconds)).isoformat(timespec="milliseconds")
    return _text(headers.get(part.removeprefix("header.")))


def _text(content: bytes | str | None) -> str | None:
    return content.decode("utf-8", "surrogateescape") if isinstance(content, bytes) else content
