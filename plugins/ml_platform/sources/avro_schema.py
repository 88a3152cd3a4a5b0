"""Schemas of Avro: parsed, checked against what could harm the process that reads by them, and used to read rows."""

import json
from collections.abc import Iterable, Mapping
from io import BytesIO
from typing import Any, NamedTuple, cast

from fastavro import parse_schema, schemaless_reader
from fastavro.schema import SchemaParseException

from ml_platform.files.json_rows import MOST_KEYS, MOST_LEVELS, decode_json
from ml_platform.files.source_rows import FAULT, POSITION, VALUE
from ml_platform.sources.avro_values import NEEDS, OURS, READERS, object_text
from ml_platform.sources.wire_format import UndecodableError

# A schema becomes the type of the only field of a record. That adds no byte, and any type may be at the top.
MESSAGE, FIELD = "ml_platform_message", "row"
LEAST_BYTES = {"null": 0, "float": 4, "double": 8}  # of a value
LEAST_BYTES |= dict.fromkeys(("boolean", "int", "long", "bytes", "string", "enum"), 1)
INVALID = (SchemaParseException, KeyError, TypeError, ValueError, AttributeError)


class AvroSchema:
    """Reads rows that were written with one schema."""

    def __init__(self, text: str, references: Iterable[tuple[str, str]] = ()) -> None:
        """Parse the schema.

        Args:
            text: the schema as JSON.
            references: names and texts of schemas with the types that it uses, each after those that it uses itself.

        Raises:
            UndecodableError: it is no valid schema, contains itself, or is too large.
        """
        names: dict[str, Any] = {}
        sizes = _Sizes(names)
        try:
            for reference in dict.fromkeys(reference for _, reference in references):
                sizes.of(parse_schema(_marked(_decoded(reference)), named_schemas=names))
            record = {"type": "record", "name": MESSAGE, "fields": [{"name": FIELD, "type": _marked(_decoded(text))}]}
            self._schema = parse_schema(record, named_schemas=names)
            sizes.of(self._schema)
        except INVALID as error:
            raise UndecodableError(f"its schema is not valid Avro: {error}") from error

    def line(self, content: bytes, position: str, extra: Mapping[str, Any]) -> bytes:
        """Return an encoded row as a line of JSON: the same line each time.

        Args:
            content: the encoded row.
            position: where it is in the source, for people.
            extra: more values of the row; the row's own values win.

        Raises:
            UndecodableError: the bytes are no such row.
        """
        row = self._row(content)
        if reserved := row.keys() & {POSITION, FAULT, VALUE}:
            raise UndecodableError(f"has a field with a name that the platform uses itself: {min(reserved)}")
        return object_text({POSITION: position, **extra, **row}).encode("utf-8", "surrogateescape")

    def _row(self, content: bytes) -> dict[str, Any]:
        file = BytesIO(content)
        try:
            row = cast(dict[str, Any], schemaless_reader(file, self._schema, None))[FIELD]
        except EOFError:
            raise UndecodableError("ends before its schema does, or was written with another schema") from None
        except (IndexError, ValueError, OverflowError) as error:
            raise UndecodableError(f"does not fit its schema: {error}") from error
        if rest := len(content) - file.tell():
            raise UndecodableError(f"has {rest:,} bytes after the end of its schema")
        if not isinstance(row, dict):
            raise UndecodableError("is no record, but a single value")
        return row


def _decoded(text: str) -> Any:
    decode_json(text)  # refuses duplicate keys, and levels that could end the process
    return json.loads(text)


def _marked(schema: Any) -> Any:
    """Return a schema with our logical types in place of those that have a reader of ours, and without all others."""
    if isinstance(schema, list):
        return [_marked(branch) for branch in schema]
    if schema == "float":
        return {"type": "float", "logicalType": f"{OURS}shortest"}
    if not isinstance(schema, dict):
        return "null" if schema is None else schema  # as YAML has `null` without quotation marks
    marked = {name: value for name, value in schema.items() if name != "logicalType"}
    for part in ("type", "items", "values"):
        if part in marked:
            marked[part] = _marked(marked[part])
    if "fields" in marked:
        marked["fields"] = [{**field, "type": _marked(field["type"])} for field in marked["fields"]]
    return _with_reader(marked, schema)


def _with_reader(marked: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    kind = schema.get("type")
    if kind == "float":
        return {"type": "float", "logicalType": f"{OURS}shortest"}
    logical = (str(kind), str(schema.get("logicalType")))
    needs = NEEDS.get(logical)
    if logical in READERS and (needs is None or needs(schema)):
        marked["logicalType"] = f"{OURS}{logical[1]}"
    return marked


class _Size(NamedTuple):
    """What reading a value takes: the fewest bytes, the most single values outside of lists, and the levels."""

    least: int
    values: int
    levels: int


class _Sizes:
    """Measures the types of a schema.

    fastavro reads by recursion, without a limit: a type that contains itself would end the process at a deep value. A
    list of values that take no bytes may be endless.
    """

    def __init__(self, names: Mapping[str, Any]) -> None:
        self._names = names
        self._sizes: dict[str, _Size | None] = {}  # None: its own fields are being measured

    def of(self, schema: Any) -> _Size:
        size = self._by_type(schema)
        if size.values > MOST_KEYS or size.levels > MOST_LEVELS:
            raise UndecodableError(f"its schema has more than {MOST_KEYS:,} values or {MOST_LEVELS} levels")
        return size

    def _by_type(self, schema: Any) -> _Size:
        if isinstance(schema, list):
            return self._together(schema, least=1)
        kind = schema["type"] if isinstance(schema, dict) else schema
        if kind == "record":
            return self._named(schema["name"])
        if kind == "array":
            return self._array(schema)
        if kind == "map":
            return self._together([schema["values"]], least=1)
        if kind == "fixed":
            return _Size(int(schema["size"]), 1, 1)
        if kind in self._names:
            return self._named(kind)
        return _Size(LEAST_BYTES[kind], 1, 1) if isinstance(kind, str) else self.of(kind)

    def _named(self, name: str) -> _Size:
        schema = self._names[name]
        if schema["type"] != "record":
            return self.of(schema)
        if name not in self._sizes:
            self._sizes[name] = None
            self._sizes[name] = self._together([field["type"] for field in schema["fields"]])
        size = self._sizes[name]
        if size is None:
            raise UndecodableError(f"its schema has a type that contains itself: {name}")
        return size

    def _array(self, schema: Mapping[str, Any]) -> _Size:
        size = self._together([schema["items"]])
        if size.least == 0:
            raise UndecodableError("its schema has a list of values that take no bytes")
        return size._replace(least=1)

    def _together(self, schemas: list[Any], least: int | None = None) -> _Size:
        """Return the size of all of some types, one level deeper; `least` if it is not the sum of their bytes."""
        sizes = [self.of(schema) for schema in schemas]
        total = sum(size.least for size in sizes) if least is None else least
        levels = 1 + max((size.levels for size in sizes), default=0)
        return _Size(total, 1 + sum(size.values for size in sizes), levels)
