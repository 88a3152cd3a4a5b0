"""A JSON message is a row if it fits its JSON Schema; nothing is fetched, and no pattern runs for long."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_platform.sources.json_schema import JsonSchema
from ml_platform.sources.row_files import text_line
from ml_platform.sources.wire_format import UndecodableError
from tests.schema_registry import Registry

PLACE = "topic t, partition 0, offset 7"
DRAFT_7 = "http://json-schema.org/draft-07/schema#"
ROW = {"type": "object", "properties": {"ID": {"type": "integer"}, "SHARE": {"type": "number"}}, "required": ["ID"]}


def line_of(schema: Any, content: bytes | dict[str, Any], *references: tuple[str, Any]) -> bytes:
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    named = [(name, json.dumps(reference)) for name, reference in references]
    return JsonSchema(json.dumps(schema), named).line(text, PLACE, {"key": "k"})


@given(st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text())
def test_a_row_that_fits_is_the_line_that_it_is_without_a_schema(number: int, share: float, name: str) -> None:
    content = json.dumps({"ID": number, "SHARE": share, "NAME": name}).encode()
    assert line_of(ROW, content) == text_line(content, PLACE, {"key": "k"})


def test_digits_stay_as_they_are() -> None:
    assert b'"ID":12345678901234567890123,"SHARE":0.10}' in line_of(ROW, b'{"ID":12345678901234567890123,"SHARE":0.10}')


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({}, 'does not fit its JSON Schema: "ID" is a required property'),
        ({"ID": "x"}, 'does not fit its JSON Schema at /ID: "x" is not of type "integer"'),
        ({"ID": 1, "SHARE": [1]}, 'does not fit its JSON Schema at /SHARE: [1] is not of type "number"'),
        (b"[1]", "not a JSON object"),
        (b"{", "not valid JSON"),
        (b'{"ID": NaN}', "NaN is no number in JSON"),
        (b'{"ID": 1, "ID": 2}', "names a key twice: ID"),
        (b"\xff", "not valid UTF-8 at byte 1"),
        (b'{"ID": 1, "A": ' + b"[" * 101 + b"]" * 101 + b"}", "nested too deeply"),
        (b'{"ID": ' + b"1" * 5000 + b"}", "4300"),
    ],
)
def test_what_does_not_fit_says_where_and_why(content: bytes | dict[str, Any], problem: str) -> None:
    with pytest.raises(UndecodableError) as error:
        line_of(ROW, content)
    assert problem in str(error.value)
    assert len(str(error.value)) < 300


@pytest.mark.parametrize("base", [None, "https://example.org/schemas/row.json"])
@pytest.mark.parametrize("name", ["place.json", "https://example.org/schemas/place.json"])
def test_other_schemas_are_known_by_their_names(base: str | None, name: str) -> None:
    schema = {"$schema": DRAFT_7, "type": "object", "properties": {"place": {"$ref": name}}} | (
        {"$id": base} if base else {}
    )
    place = {"$schema": DRAFT_7, "type": "string"}
    assert line_of(schema, {"place": "here"}, (name, place))
    with pytest.raises(UndecodableError, match="at /place: 5 is not of type"):
        line_of(schema, {"place": 5}, (name, place))


@pytest.mark.parametrize(
    ("schema", "references", "problem"),
    [
        ({"$ref": "http://127.0.0.1:9/x.json"}, (), "127.0.0.1:9/x.json"),
        ({"$ref": "file:///etc/passwd"}, (), "etc/passwd"),
        ({"$ref": "a.json"}, (("a.json", {"$ref": "http://127.0.0.1:9/x.json"}),), "127.0.0.1:9/x.json"),
        ({"$schema": "http://127.0.0.1:9/draft"}, (), "127.0.0.1:9/draft"),
        ({"type": 7}, (), "not valid JSON Schema"),
        ([], (), "not valid JSON Schema"),
        ({"pattern": "("}, (), "not valid JSON Schema"),
    ],
)
def test_a_schema_that_is_not_whole_is_refused(schema: Any, references: Any, problem: str) -> None:
    with pytest.raises(UndecodableError, match=problem):
        line_of(schema, {}, *references)


@pytest.mark.sockets
@pytest.mark.parametrize("key", ["$ref", "$schema"])
def test_an_address_in_a_schema_is_never_asked(registry: Registry, key: str) -> None:
    with pytest.raises(UndecodableError, match="not valid JSON Schema"):
        line_of({key: f"{registry.url}/schemas/ids/1"}, {})
    assert registry.asked == []


def test_a_schema_may_contain_itself() -> None:
    schema = {"type": "object", "properties": {"next": {"$ref": "#"}, "ID": {"type": "integer"}}}
    assert line_of(schema, {"ID": 1, "next": {"ID": 2}})
    with pytest.raises(UndecodableError, match="at /next/ID"):
        line_of(schema, {"ID": 1, "next": {"ID": "x"}})
    assert line_of({"$ref": "#"}, {"ID": 1})


def test_a_pattern_that_never_ends_is_stopped() -> None:
    schema = {"properties": {"a": {"pattern": r"^(a|a)*\1?$"}}}
    with pytest.raises(UndecodableError, match="does not fit its JSON Schema at /a"):
        line_of(schema, {"a": "a" * 40 + "b"})


def test_a_format_is_a_note() -> None:
    schema = {"$schema": DRAFT_7, "properties": {"a": {"format": "date"}}}
    assert line_of(schema, {"a": "tomorrow"})
