"""A server that speaks MongoDB's protocol, for tests that also kill it and start it again: FerretDB on SQLite.

MongoDB's own server is in no package registry. `.ci/ferretdb` builds FerretDB from source, once on each machine. Where
it is not there and cannot be built, the tests are skipped; with REQUIRE_MONGODB=1, as in CI, they fail.
"""

import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from ml_platform.sources.connection import SourceConnection
from tests import conftest

SECONDS = 60  # until a server must answer
NO_SERVER = 77  # exit code
USER = "platform"


class Server:
    """One server with a folder, a port and a password of its own."""

    def __init__(self, program: str, folder: Path) -> None:
        """Start nothing yet."""
        self.port = conftest._claim_ports()
        self.password = secrets.token_urlsafe()
        self._program, self._folder = program, folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [
            self._program,
            "--handler=sqlite",
            f"--sqlite-url=file:{self._folder}/",
            f"--state-dir={self._folder}",
            f"--listen-addr=127.0.0.1:{self.port}",
            "--debug-addr=-",
            "--telemetry=disable",
            "--log-level=error",
            "--test-enable-new-auth",
            "--setup-database=admin",
            f"--setup-username={USER}",
        ]
        log = self._folder / "log"
        with log.open("ab") as out:
            environment = os.environ | {"FERRETDB_SETUP_PASSWORD": self.password}
            self._process = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
        deadline = time.monotonic() + SECONDS
        while not self._answers():
            assert self._process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()

    def _answers(self) -> bool:
        with self.client(serverSelectionTimeoutMS=200) as client:
            try:
                client.admin.command("ping")
            except PyMongoError:
                return False
        return True

    def kill(self) -> None:
        """End it at once, as a crash does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(SECONDS)
            self._process = None

    def client(self, **options: Any) -> MongoClient[dict[str, Any]]:
        """Return a client with all rights; the caller closes it."""
        return MongoClient("127.0.0.1", self.port, username=USER, password=self.password, **options)

    def connection(self, **changes: Any) -> SourceConnection:
        """Return the fields of an Airflow connection to it."""
        fields: dict[str, Any] = {
            "name": "shop",
            "kind": "mongo",
            "host": "127.0.0.1",
            "port": self.port,
            "login": USER,
            "password": SecretStr(self.password),
            "schema": "shop",
            "extra": {"serverSelectionTimeoutMS": 2_000},
        }
        return SourceConnection(**(fields | changes))


def program() -> str:
    """Return the path of the server's program, built if need be; without it the test is skipped, or fails."""
    built = subprocess.run([conftest.ROOT / ".ci/ferretdb"], capture_output=True, text=True, check=False)
    if built.returncode == NO_SERVER:
        message = f"{built.stderr.strip()}, so this was NOT tested"
        pytest.fail(message) if os.environ.get("REQUIRE_MONGODB") == "1" else pytest.skip(message)
    assert built.returncode == 0, built.stderr
    return built.stdout.strip()


@contextmanager
def running_server() -> Iterator[Server]:
    """Start a server on a free port; at the end it is killed, and its data are removed."""
    found = program()
    folder = Path(tempfile.mkdtemp(prefix="mlp-mongodb"))
    server = Server(found, folder)
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder)
