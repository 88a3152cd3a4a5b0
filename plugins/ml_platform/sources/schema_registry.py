"""The client of a schema registry with Confluent's REST API: which schema has an id, and which others it refers to."""

import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ml_platform.exceptions import ConfigurationError, SourceAwayError
from ml_platform.sources.connection import SourceConnection
from ml_platform.sources.kafka_settings import CA, CERTIFICATE, KEY, LOGIN, PREFIX, TOKEN, URL, registry_settings
from ml_platform.sources.wire_format import UndecodableError

REQUEST_SECONDS = 15.0
MOST_BYTES = 4_000_000  # of an answer
MOST_REFERENCES = 100
UNKNOWN = {40401, 40402, 40403}  # the registry's own codes: no such subject, version or schema
BUSY = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}


@dataclass(frozen=True)
class RegisteredSchema:
    """A schema and all that it refers to, directly or not.

    Attributes:
        kind: AVRO, JSON or another.
        text: of the schema.
        references: the name that schemas call another one by, and its text; each comes after those that it refers to.
    """

    kind: str
    text: str
    references: tuple[tuple[str, str], ...] = ()


class SchemaRegistry:
    """Asks a registry for schemas. A schema never changes, so nobody need ask twice for the same one."""

    def __init__(self, connection: SourceConnection) -> None:
        """Store the settings; the connection is made with the first question.

        Raises:
            ConfigurationError: the connection names no registry, or a setting does not fit.
        """
        self._where = f"the schema registry of the Airflow connection {connection.name!r}"
        self._settings = registry_settings(connection)
        if not self._settings:
            raise ConfigurationError(
                f"the Airflow connection {connection.name!r} names no schema registry: give {PREFIX}{URL} in extra"
            )
        self._http: httpx.Client | None = None

    def schema(self, name: str) -> RegisteredSchema:
        """Return the schema of a name such as `ids/7`.

        Raises:
            UndecodableError: the registry has no such schema, or it refers to too many others.
            SourceAwayError: the registry cannot be reached.
            ConfigurationError: it refuses the login, or is no schema registry.
        """
        found = self._get(f"schemas/{name}")
        references = _References(self)
        references.add(found)
        return RegisteredSchema(found.get("schemaType") or "AVRO", found["schema"], tuple(references.texts.items()))

    def version(self, subject: str, version: int) -> dict[str, Any]:
        """Return the registry's answer about a version of a subject, also a deleted one; errors as `schema`."""
        return self._get(f"subjects/{quote(subject, safe='')}/versions/{version}?deleted=true")

    def close(self) -> None:
        """Disconnect."""
        if self._http is not None:
            self._http.close()

    def _get(self, path: str) -> dict[str, Any]:
        """Return the answer about a schema.

        Raises:
            UndecodableError, SourceAwayError, ConfigurationError: as `schema`.
        """
        try:
            with self._client().stream("GET", path) as response:
                status, body = response.status_code, b"".join(self._limited(response, path))
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            raise SourceAwayError(f"{self._where} cannot be reached: {error or type(error).__name__}") from error
        answer = _object(body)
        if status == HTTPStatus.OK and isinstance(answer.get("schema"), str):
            return answer
        raise self._problem(status, answer, path)

    def _limited(self, response: httpx.Response, path: str) -> Iterator[bytes]:
        size = 0
        for chunk in response.iter_bytes():
            size += len(chunk)
            if size > MOST_BYTES:
                raise UndecodableError(f"{self._where}: {path} is larger than {MOST_BYTES:,} bytes")
            yield chunk

    def _problem(self, status: int, answer: dict[str, Any], path: str) -> Exception:
        """Return the error of an answer that is no schema."""
        if status == HTTPStatus.NOT_FOUND and answer.get("error_code") in UNKNOWN:
            return UndecodableError(f"{self._where} has no {path.partition('?')[0]}")
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            return ConfigurationError(f"{self._where} refuses the login (HTTP status {status})")
        if status in BUSY or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return SourceAwayError(f"{self._where} has a problem of its own (HTTP status {status})")
        return ConfigurationError(
            f"{self._where} answers /{path} with HTTP status {status} and no schema: is {PREFIX}{URL} right?"
        )

    def _client(self) -> httpx.Client:
        if self._http is None:
            login, token = self._settings.get(LOGIN), self._settings.get(TOKEN)
            self._http = httpx.Client(
                base_url=self._settings[URL],
                auth=tuple(login.split(":", 1)) if login else None,  # type: ignore[arg-type]
                headers={"Accept": "application/vnd.schemaregistry.v1+json, application/json"}
                | ({"Authorization": f"Bearer {token}"} if token else {}),
                verify=self._tls(),
                timeout=REQUEST_SECONDS,
            )
        return self._http

    def _tls(self) -> ssl.SSLContext:
        """Return how servers are checked, and what this client shows them.

        Raises:
            ConfigurationError: a file of a certificate cannot be read.
        """
        try:
            context = ssl.create_default_context(cafile=self._settings.get(CA))
            if certificate := self._settings.get(CERTIFICATE):
                context.load_cert_chain(certificate, self._settings.get(KEY))
        except OSError as error:  # also of a file that is no certificate
            raise ConfigurationError(f"{self._where}: a file of its settings {PREFIX}ssl cannot be read") from error
        return context


@dataclass
class _References:
    """Collects the schemas that one refers to, each after those that it needs itself."""

    registry: SchemaRegistry
    texts: dict[str, str] = field(default_factory=dict, init=False)
    found: dict[tuple[str, int], str] = field(default_factory=dict, init=False)  # by subject and version

    def add(self, answer: dict[str, Any]) -> None:
        for name, place in _named(answer):
            if place not in self.found:
                self._ask(place)
            self.texts.setdefault(name, self.found[place])

    def _ask(self, place: tuple[str, int]) -> None:
        if len(self.found) == MOST_REFERENCES:
            raise UndecodableError(f"its schema refers to more than {MOST_REFERENCES} others")
        answer = self.registry.version(*place)
        self.found[place] = answer["schema"]
        self.add(answer)


def _named(answer: dict[str, Any]) -> Iterator[tuple[str, tuple[str, int]]]:
    for reference in answer.get("references") or ():
        try:
            yield str(reference["name"]), (str(reference["subject"]), int(reference["version"]))
        except (KeyError, TypeError, ValueError):
            raise UndecodableError("its schema has a reference without name, subject and version") from None


def _object(body: bytes) -> dict[str, Any]:
    """Return an answer; empty if it is no JSON object."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}
