"""A real Prometheus for tests. `.ci/prometheus` builds it from source, once on each machine.

Where it is not there and cannot be built, the tests are skipped; with REQUIRE_PROMETHEUS=1, as in CI, they fail.
"""

import json
import os
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import is_free

ROOT = Path(__file__).resolve().parents[1]
SECONDS = 60  # until it must answer
NO_SERVER = 77  # exit code


class Prometheus:
    """One server that reads the given pages every second."""

    def __init__(self, url: str) -> None:
        """Ask the server at an address."""
        self.url = url

    def get(self, path: str, **values: Any) -> Any:
        """Return what its API answers."""
        address = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(values)}"
        try:
            with urllib.request.urlopen(address, timeout=SECONDS) as answer:  # noqa: S310 – a server of our own
                return json.loads(answer.read())["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{values}: {error.read().decode()}") from None

    def answers(self) -> bool:
        """Return whether it works."""
        try:
            self.get("query", query="1")
        except (OSError, AssertionError):
            return False
        return True

    def wait_for(self, query: str) -> list[Any]:
        """Return the result of a query as soon as it has one."""
        deadline = time.monotonic() + SECONDS
        while not (found := self.get("query", query=query)["result"]):
            assert time.monotonic() < deadline, f"no result: {query}"
            time.sleep(0.5)
        return found


def program() -> str:
    """Return the path of the program."""
    built = subprocess.run([ROOT / ".ci" / "prometheus"], capture_output=True, text=True, check=False)
    if built.returncode == NO_SERVER:
        message = built.stderr.strip()
        pytest.fail(message) if os.environ.get("REQUIRE_PROMETHEUS") == "1" else pytest.skip(message)
    assert built.returncode == 0, built.stderr
    return built.stdout.strip()


@contextmanager
def running(folder: Path, targets: list[str]) -> Iterator[Prometheus]:
    """Start a server that reads these pages; it is ended afterwards."""
    port = next(port for port in range(22_700, 23_000) if is_free(port))
    settings = yaml.safe_load((ROOT / "observability" / "prometheus.yml").read_text())
    settings["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s"}
    settings["scrape_configs"] = [{"job_name": "test", "static_configs": [{"targets": targets}]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(settings))
    command = [
        program(), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}", "--log.level=error",
    ]  # fmt: skip
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    server = Prometheus(f"http://127.0.0.1:{port}")
    try:
        _wait(server, process, folder / "log")
        yield server
    finally:
        process.terminate()
        process.wait(SECONDS)


def _wait(server: Prometheus, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while not server.answers():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)
