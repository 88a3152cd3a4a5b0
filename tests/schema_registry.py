"""A small schema registry with the paths of Confluent's REST API that a client of Kafka uses, over real HTTP.

With SCHEMA_REGISTRY, the address of a real one, the tests that only store and read schemas run on that one.
"""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import NAMESPACE_URL, UUID, uuid5

import httpx

CONTENT_TYPE = "application/vnd.schemaregistry.v1+json"


@dataclass
class Registry:
    """A registry that a test uses.

    Attributes:
        url: its address.
        login: what clients must send, as user:password; empty if they need none.
        broken: the status and the body of each answer, if it has a problem.
        schemas: by their ids, which count from 1.
        versions: the ids of a subject's versions.
        asked: the paths that were asked for.
    """

    url: str
    login: str = ""
    broken: tuple[int, bytes] | None = None
    schemas: list[dict[str, Any]] = field(default_factory=list)
    versions: dict[str, list[int]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def add(self, subject: str, schema: Any, kind: str = "AVRO", **references: tuple[str, int]) -> int:
        """Register a schema as a new version of a subject over HTTP; return its id.

        Args:
            subject: which may be new.
            schema: it.
            kind: AVRO or JSON.
            references: subject and version of each name that the schema uses; `__` stands for a point.
        """
        named = [
            {"name": name.replace("__", "."), "subject": other, "version": version}
            for name, (other, version) in references.items()
        ]
        body = {"schema": json.dumps(schema), "schemaType": kind, "references": named}
        url = f"{self.url}/subjects/{subject}/versions"
        return int(httpx.post(url, json=body, headers={"Content-Type": CONTENT_TYPE}).raise_for_status().json()["id"])

    def answer(self, path: str, authorization: str) -> tuple[int, bytes]:
        """Return status and body of the answer to a question."""
        self.asked.append(path)
        if self.broken:
            return self.broken
        if self.login and authorization != f"Basic {base64.b64encode(self.login.encode()).decode()}":
            return 401, b'{"error_code": 401, "message": "Unauthorized"}'
        match [unquote(part) for part in urlsplit(path).path.strip("/").split("/")]:
            case ["schemas", "ids", number] if int(number) <= len(self.schemas):
                return 200, json.dumps(self.schemas[int(number) - 1]).encode()
            case ["schemas", "guids", guid] if found := [one for one in self.schemas if str(guid_of(one)) == guid]:
                return 200, json.dumps(found[0]).encode()
            case ["subjects", subject, "versions", version] if int(version) <= len(self.versions.get(subject, [])):
                number = self.versions[subject][int(version) - 1]
                return 200, json.dumps(self.schemas[number - 1] | {"subject": subject, "id": number}).encode()
            case ["schemas" | "subjects", *_]:
                return 404, b'{"error_code": 40403, "message": "Schema not found"}'
        return 404, b"<h1>Not found</h1>"

    def store(self, subject: str, body: dict[str, Any]) -> int:
        """Store a schema; return its id."""
        stored = {name: value for name, value in body.items() if value and value != "AVRO"}
        if stored not in self.schemas:
            self.schemas.append(stored)
        number = self.schemas.index(stored) + 1
        self.versions.setdefault(subject, []).append(number)
        return number


def guid_of(schema: dict[str, Any]) -> UUID:
    """Return the id of a schema that holds in all registries."""
    return uuid5(NAMESPACE_URL, json.dumps(schema))


@contextmanager
def running_registry() -> Iterator[Registry]:
    """Start a registry of a test's own on a free port."""
    registry = Registry("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply(*registry.answer(self.path, self.headers.get("Authorization", "")))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._reply(200, json.dumps({"id": registry.store(self.path.split("/")[2], body)}).encode())

        def _reply(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", CONTENT_TYPE)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    registry.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
