"""A registry is asked for schemas and those that they refer to; away, refusing and unknown are different things."""

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from ml_platform.exceptions import ConfigurationError, SourceAwayError
from ml_platform.sources import schema_registry
from ml_platform.sources.connection import SourceConnection
from ml_platform.sources.schema_registry import MOST_REFERENCES, SchemaRegistry
from ml_platform.sources.wire_format import UndecodableError
from tests.schema_registry import Registry, guid_of

pytestmark = pytest.mark.sockets

DRAFT_7 = "http://json-schema.org/draft-07/schema#"


def connection_to(url: str, **settings: str) -> SourceConnection:
    extra = {f"schema.registry.{name.replace('_', '.')}": value for name, value in settings.items()}
    return SourceConnection("kafka", extra={"schema.registry.url": url, **extra})


@pytest.fixture
def client(registry: Registry) -> Iterator[SchemaRegistry]:
    found = SchemaRegistry(connection_to(registry.url))
    yield found
    found.close()


def test_a_schema_is_known_by_its_id(any_registry: Registry) -> None:
    number = any_registry.add("claims-value", {"type": "record", "name": "Row", "fields": []})
    other = any_registry.add("notes-value", {"$schema": DRAFT_7, "type": "object"}, "JSON")
    client = SchemaRegistry(connection_to(any_registry.url + "/"))
    found, json_schema = client.schema(f"ids/{number}"), client.schema(f"ids/{other}")
    client.close()
    assert (found.kind, json.loads(found.text)) == ("AVRO", {"type": "record", "name": "Row", "fields": []})
    assert (json_schema.kind, json.loads(json_schema.text)) == ("JSON", {"$schema": DRAFT_7, "type": "object"})


def test_a_schema_is_known_by_its_global_id(registry: Registry, client: SchemaRegistry) -> None:
    registry.add("claims-value", "string")
    assert client.schema(f"guids/{guid_of(registry.schemas[0])}").text == '"string"'


def test_schemas_come_after_those_that_they_refer_to(any_registry: Registry) -> None:
    def record(name: str, /, **fields: Any) -> dict[str, Any]:
        columns = [{"name": field, "type": kind} for field, kind in fields.items()]
        return {"type": "record", "name": name, "namespace": "geo", "fields": columns}

    any_registry.add("city", record("City", name="string"))
    any_registry.add("place", record("Place", city="geo.City"), geo__City=("city", 1))
    row = record("Row", home="geo.Place", birth="geo.City")
    number = any_registry.add("row", row, geo__Place=("place", 1), geo__City=("city", 1))
    client = SchemaRegistry(connection_to(any_registry.url))
    assert [name for name, _ in client.schema(f"ids/{number}").references] == ["geo.City", "geo.Place"]
    client.close()


def test_one_schema_may_have_several_names(registry: Registry, client: SchemaRegistry) -> None:
    registry.add("place", {"type": "string"}, "JSON")
    number = registry.add("row", {}, "JSON", place=("place", 1), place__json=("place", 1))
    assert [name for name, _ in client.schema(f"ids/{number}").references] == ["place", "place.json"]
    assert len(registry.asked) == 2


def test_a_circle_of_references_ends(registry: Registry, client: SchemaRegistry) -> None:
    registry.store("a", {"schema": '"int"', "references": [{"name": "b", "subject": "b", "version": 1}]})
    registry.store("b", {"schema": '"long"', "references": [{"name": "a", "subject": "a", "version": 1}]})
    assert dict(client.schema("ids/1").references) == {"a": '"int"', "b": '"long"'}


def test_too_many_references_are_refused(registry: Registry, client: SchemaRegistry) -> None:
    for number in range(MOST_REFERENCES + 2):
        named = [{"name": f"s{number + 1}", "subject": f"s{number + 1}", "version": 1}]
        registry.store(f"s{number}", {"schema": f'"{number}"', "references": named})
    with pytest.raises(UndecodableError, match="refers to more than 100 others"):
        client.schema("ids/1")


@pytest.mark.parametrize("reference", [{}, {"name": "a", "subject": "a", "version": "x"}, 7])
def test_a_reference_without_a_place_is_refused(registry: Registry, client: SchemaRegistry, reference: Any) -> None:
    registry.store("a", {"schema": '"int"', "references": [reference]})
    with pytest.raises(UndecodableError, match="a reference without name, subject and version"):
        client.schema("ids/1")


def test_an_unknown_id_is_the_messages_fault(any_registry: Registry) -> None:
    client = SchemaRegistry(connection_to(any_registry.url))
    with pytest.raises(UndecodableError, match="connection 'kafka' has no schemas/ids/987654"):
        client.schema("ids/987654")
    client.close()


def test_the_login_is_sent(registry: Registry) -> None:
    registry.login = "ann:se:cret"
    registry.add("claims-value", "string")
    client = SchemaRegistry(connection_to(registry.url, basic_auth_user_info="ann:se:cret"))
    assert client.schema("ids/1").text == '"string"'
    client.close()
    refused = SchemaRegistry(connection_to(registry.url, basic_auth_user_info="ann:other"))
    with pytest.raises(ConfigurationError, match=r"connection 'kafka' refuses the login \(HTTP status 401\)") as error:
        refused.schema("ids/1")
    refused.close()
    assert "other" not in str(error.value)


def test_a_token_is_sent(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr(registry, "answer", lambda _, authorization: (sent.append(authorization), (200, b"{}"))[1])
    client = SchemaRegistry(connection_to(registry.url, bearer_auth_token="t0ken"))
    with pytest.raises(ConfigurationError, match=r"is schema\.registry\.url right"):
        client.schema("ids/1")
    client.close()
    assert sent == ["Bearer t0ken"]


@pytest.mark.parametrize(
    ("status", "body", "error", "problem"),
    [
        (500, b"", SourceAwayError, "a problem of its own"),
        (503, b'{"error_code": 40403}', SourceAwayError, "a problem of its own"),
        (429, b"", SourceAwayError, "a problem of its own"),
        (403, b"", ConfigurationError, "refuses the login"),
        (404, b"<h1>Not found</h1>", ConfigurationError, "answers /schemas/ids/1 with HTTP status 404 and no schema"),
        (404, b'{"error_code": 404}', ConfigurationError, "is schema.registry.url right"),
        (302, b"", ConfigurationError, "HTTP status 302"),
        (200, b"<h1>Log in</h1>", ConfigurationError, "and no schema"),
        (200, b"[" * 100_000, ConfigurationError, "and no schema"),
        (200, b'{"schema": 7}', ConfigurationError, "and no schema"),
        (200, b" " * 4_000_001, UndecodableError, "is larger than 4,000,000 bytes"),
    ],
)
def test_only_the_registrys_own_word_is_a_fault_of_the_message(registry, client, status, body, error, problem) -> None:
    registry.broken = (status, body)
    with pytest.raises(error, match=problem) as found:
        client.schema("ids/1")
    assert "connection 'kafka'" in str(found.value)


def test_a_registry_that_is_away_is_waited_for(closed_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema_registry, "REQUEST_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for port in (closed_port, silent.getsockname()[1]):
            client = SchemaRegistry(connection_to(f"http://127.0.0.1:{port}"))
            with pytest.raises(SourceAwayError, match="connection 'kafka' cannot be reached"):
                client.schema("ids/1")
            client.close()


def test_a_certificate_that_cannot_be_read_is_named(tmp_path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    for setting in ({"ssl_ca_location": str(tmp_path / "ca.pem")}, {"ssl_certificate_location": "/nowhere"}):
        client = SchemaRegistry(connection_to("https://127.0.0.1:9", **setting))
        with pytest.raises(ConfigurationError, match=r"a file of its settings schema.registry.ssl cannot be read"):
            client.schema("ids/1")


def test_a_connection_without_a_registry_says_what_it_lacks() -> None:
    with pytest.raises(ConfigurationError, match=r"'kafka' names no schema registry: give schema.registry.url"):
        SchemaRegistry(SourceConnection("kafka", host="h"))
