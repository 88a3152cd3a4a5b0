"""Containers of the stack under test, looked at and killed through Docker."""

import json
import os
import signal
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from stack.config import Config
from stack.runners import compose
from tests.end_to_end.conftest import airflow, buckets, mlflow, query  # noqa: F401 – fixtures

ONLY_IN_CONTAINERS = pytest.mark.skipif(
    os.environ.get("TARGET") != "compose", reason="is about containers: `make test-compose` runs it"
)

OF_THE_TESTS = {"postgres-port"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/compose" in item.path.as_posix():
            item.add_marker(ONLY_IN_CONTAINERS)


class Containers:
    """The containers of one Compose project."""

    def __init__(self, config: Config) -> None:
        self.config = config

    def all(self) -> dict[str, dict[str, Any]]:
        """Return what Docker says of each container, by the name of its service."""
        ids = compose.output(self.config, "ps", "--all", "--quiet").split()
        found = subprocess.run(["docker", "inspect", *ids], capture_output=True, text=True, check=True)
        return {c["Config"]["Labels"]["com.docker.compose.service"]: c for c in json.loads(found.stdout)}

    def one(self, service: str) -> dict[str, Any]:
        """Return what Docker says of a service's container."""
        container = compose.output(self.config, "ps", "--all", "--quiet", service)
        found = subprocess.run(["docker", "inspect", container], capture_output=True, text=True, check=True)
        return json.loads(found.stdout)[0]

    def crash(self, service: str) -> None:
        """Kill a container's first process, and with it all others, as a lack of memory or a fault would.

        Not `docker kill`: the engine takes that for a person's wish, which no restart policy undoes.
        """
        os.kill(self.one(service)["State"]["Pid"], signal.SIGKILL)

    def is_healthy(self, service: str) -> bool:
        """Tell whether a service's container runs and its health check is content."""
        state = self.one(service)["State"]
        return state["Running"] and state["Health"]["Status"] == "healthy"

    def restarts(self, service: str) -> int:
        """Return how often the engine has started a container again."""
        return self.one(service)["RestartCount"]


@pytest.fixture(scope="session")
def containers(stack: Config) -> Containers:
    return Containers(stack)


@pytest.fixture(scope="module")
def found(containers: Containers) -> dict[str, dict[str, Any]]:
    """What Docker says of each container of the platform; a module may have `containers` of its own."""
    return {service: c for service, c in containers.all().items() if service not in OF_THE_TESTS}


@pytest.fixture(scope="session")
def environments(containers: Containers) -> Callable[[], dict[str, dict[str, str]]]:
    """Return each container's environment."""

    def read() -> dict[str, dict[str, str]]:
        return {
            service: dict(pair.split("=", 1) for pair in found["Config"]["Env"])
            for service, found in containers.all().items()
        }

    return read
