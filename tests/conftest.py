"""Real servers for the tests that ask for them: one stack per session, on free ports, with a state folder of its own.

`servers` gives Postgres and S3 (about 7 s), `mlflow_server` adds MLflow, `stack` adds all the rest. They share one
stack, so a session pays for each server once. Each exports to this process what a client needs.
"""

import os
import random
import shutil
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from stack.config import Config

# Before anything imports Airflow: its configuration and its SQLite file stay out of the home folder.
_AIRFLOW_HOME = tempfile.TemporaryDirectory(prefix="airflow-home-")
os.environ["AIRFLOW_HOME"] = _AIRFLOW_HOME.name
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"

PORTS = ("AIRFLOW", "MLFLOW", "FEAST", "CONSOLE", "S3", "ADMINER", "POSTGRES", "OBJECTS_INNER")


@pytest.fixture(scope="session")
def dag_bag() -> Any:
    """The DAGs of dags/, as the dag-processor would read them."""
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(Path(__file__).resolve().parents[1] / "dags")


def is_free(port: int) -> bool:
    """Return whether nobody listens on a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def write_env_file(folder: Path) -> Path:
    """Write an env file for a stack of its own; the secrets are added when it is loaded."""
    while True:  # below the kernel's ephemeral ports; the console has a second listener 10,000 higher
        base = random.randrange(20_000, 22_000, 20)  # noqa: S311 – no secret
        used = [*range(base, base + 20), base + 3 + 10_000]
        if all(is_free(port) for port in used):
            break
    lines = [f"{name}_PORT={base + i}" for i, name in enumerate(PORTS)]
    path = folder / ".env"
    path.write_text("\n".join([f"STATE_DIR={folder / 's'}", *lines]) + "\n")
    return path


@pytest.fixture(scope="session")
def stack_config() -> Iterator["Config"]:
    """Settings of the session's stack; whatever of it was started is stopped, and its data removed, at the end."""
    from stack import config, lifecycle

    folder = Path(tempfile.mkdtemp(prefix="mlp"))  # short: supervisord's socket lies in it
    folder.chmod(0o711)  # run by root, Postgres runs as another user
    loaded = config.load(write_env_file(folder))
    try:
        yield loaded
    finally:
        lifecycle.down(loaded)
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def servers(stack_config: "Config") -> "Config":
    """Postgres with its databases, and S3 with its buckets; settings of this process point at them."""
    return _up(stack_config, ["postgres", "objects", "dbinit"])


@pytest.fixture(scope="session")
def mlflow_server(servers: "Config") -> "Config":
    """`servers`, and MLflow."""
    return _up(servers, ["mlflow"])


@pytest.fixture(scope="session")
def stack(servers: "Config") -> "Config":
    """Everything that `make up` starts."""
    return _up(servers, [])


def _up(config: "Config", names: list[str]) -> "Config":
    from ml_platform.settings import settings
    from stack import lifecycle

    lifecycle.up(config, names)
    os.environ.update(config.environment())
    settings.cache_clear()
    return config
