"""Real servers for the tests that ask for them, on free ports, each stack with a state folder of its own.

`servers` gives Postgres and S3 (about 7 s), `mlflow_server` adds MLflow: the library's tests share them. `stack` is
another one with everything, so that no DAG takes what the library's tests drop. A session pays for each once. Each
exports to this process what a client needs, so tests run in this order: no servers, `servers`, `stack` (see `RANKS`).
Several workers (`pytest -n`) may share the files of the first two kinds, each with servers of its own; the whole stack
is for one at a time, so its tests are marked `stack`.
"""

import fcntl
import os
import random
import secrets
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import prometheus_client  # noqa: F401 – before Feast, which would have it add up the figures of all tests in files
import pytest
import pytest_socket

if TYPE_CHECKING:
    from stack.config import Config

# Before anything imports a numeric library: as in the servers and tasks of the platform. With a thread per core in each
# worker of pytest, threads outnumber cores, and what waits for them computes in vain.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Before anything imports Airflow: its configuration and its SQLite file stay out of the home folder.
_AIRFLOW_HOME = tempfile.TemporaryDirectory(prefix="airflow-home-")
os.environ["AIRFLOW_HOME"] = _AIRFLOW_HOME.name
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"

ROOT = Path(__file__).resolve().parents[1]
COMPOSE_FILES = {
    "minio": ["docker-compose.yml"],
    "seaweedfs": ["docker-compose.yml", "docker-compose.seaweedfs.yml"],
}
_CLAIMS: list[IO[str]] = []  # the locks on ports: open files
PORTS = ("AIRFLOW", "MLFLOW", "FEAST", "CONSOLE", "S3", "ADMINER", "POSTGRES", "SERVING", "HOME")
INNER_PORTS = {"OBJECTS_INNER_PORT": 9, "KAFKA_PORT": 17, "KAFKA_INNER_PORT": 18}
PORTS_OF_A_STACK = 21  # one is spare


# What uses the whole stack comes last: first what looks at it untouched, then the user's day, then the screens, and at
# the end what removes it all and brings it back. The first prefix that fits counts.
WHOLE_STACK = 2
RANKS = {
    "tests/stack/test_running.py": 2,
    "tests/end_to_end/test_backup_and_restore.py": 5,
    "tests/end_to_end": 3,
    "tests/browser": 4,
    "tests/compose": 4,
}


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run what is quick first, and what shares a stack in an order in which nothing disturbs the next."""
    items.sort(key=_rank)
    for item in items:
        if _rank(item) >= WHOLE_STACK:
            item.add_marker("stack")


def _rank(item: pytest.Item) -> int:
    path = item.path.relative_to(ROOT).as_posix()
    last = (rank for prefix, rank in RANKS.items() if path.startswith(prefix))
    return next(last, int(item.get_closest_marker("servers") is not None))


@pytest.fixture(autouse=True)
def _no_environment_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Give the next test the environment that this one found; servers export theirs for the tests that use them."""
    before = dict(os.environ)
    yield
    if not request.node.get_closest_marker("servers"):
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture(autouse=True)
def _no_sockets_in_unit_tests(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let only tests that say so (`servers`, `browser`, `sockets`) reach the network."""
    if any(request.node.get_closest_marker(name) for name in ("servers", "browser", "sockets")):
        yield
        return
    pytest_socket.disable_socket(allow_unix_socket=True)
    yield
    pytest_socket.enable_socket()


@pytest.fixture(scope="session")
def dag_bag() -> Any:
    """The DAGs of dags/, as the dag-processor would read them."""
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(Path(__file__).resolve().parents[1] / "dags")


def is_free(port: int) -> bool:
    """Return whether a server could listen on a port of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: old connections do not count
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _claim_ports() -> int:
    """Return the first of the free ports of a stack, and keep them from other runs while this process lives.

    They are below the kernel's ephemeral ports, also the console's second listener, which is 10,000 higher.
    """
    folder = Path(tempfile.gettempdir()) / "ml-platform-test-ports"
    folder.mkdir(exist_ok=True)
    bases = range(20_000, 22_000, PORTS_OF_A_STACK)
    for base in random.sample(bases, len(bases)):
        lock = (folder / str(base)).open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            continue
        _CLAIMS.append(lock)
        if all(is_free(port) for port in (*range(base, base + PORTS_OF_A_STACK), base + 3 + 10_000)):
            return base
    raise AssertionError(f"no {PORTS_OF_A_STACK} ports in a row are free between 20000 and 22000")


def spare_port(config: "Config") -> int:
    """Return the last of the ports that were claimed for a stack, which none of its servers uses."""
    return config.airflow_port + PORTS_OF_A_STACK - 1


def write_env_file(folder: Path) -> Path:
    """Write an env file for a stack of its own; the secrets are added when it is loaded."""
    from tests.people import home_users

    base = _claim_ports()
    lines = [f"{name}_PORT={base + i}" for i, name in enumerate(PORTS)]
    lines += [f"{name}={base + i}" for name, i in INNER_PORTS.items()]
    if os.environ.get("TARGET") == "compose":
        files = [*COMPOSE_FILES[s3_server()], "tests/compose/postgres-port.yml"]
        run = os.environ.get("COMPOSE_TEST_RUN") or secrets.token_hex(4)  # what a killed run left is not met again
        lines.append(f"COMPOSE_PROJECT_NAME=ml-platform-test-{run}-{base}")
        lines.append("COMPOSE_FILE=" + ":".join(str(ROOT / file) for file in files))
    shutil.copytree(ROOT / "datasets", folder / "datasets")  # of its own: tests put files into it
    lines += [f"DATASETS_DIR={folder / 'datasets'}", f"HOME_USERS={home_users()}"]
    path = folder / ".env"
    path.write_text("\n".join([f"STATE_DIR={folder / 's'}", f"S3_SERVER={s3_server()}", *lines]) + "\n")
    return path


def s3_server() -> str:
    """Return which S3 server this run of the tests is about: S3_SERVER, or what STACK_UNDER_TEST says."""
    if under_test := os.environ.get("STACK_UNDER_TEST"):
        from stack.config import load

        return load(under_test).s3_server
    return os.environ.get("S3_SERVER", "seaweedfs")


@contextmanager
def fresh_config() -> Iterator["Config"]:
    """Settings of a new stack; whatever of it was started is stopped, and its data removed, at the end."""
    from stack import config
    from stack.target import runner

    folder = Path(tempfile.mkdtemp(prefix="mlp"))  # short: supervisord's socket lies in it
    folder.chmod(0o711)  # run by root, Postgres runs as another user
    loaded = config.load(write_env_file(folder))
    try:
        yield loaded
    finally:
        runner(loaded).wipe(loaded)
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def stack_config() -> Iterator["Config"]:
    """Settings of the servers that the library's tests share."""
    with fresh_config() as config:
        yield config


@pytest.fixture(scope="session")
def servers(stack_config: "Config") -> "Config":
    """Postgres with its databases, and S3 with its buckets; settings of this process point at them."""
    return bring_up(stack_config, ["postgres", "objects", "dbinit"])


@pytest.fixture(scope="session")
def mlflow_server(servers: "Config") -> "Config":
    """`servers`, and MLflow."""
    return bring_up(servers, ["mlflow"])


@pytest.fixture(scope="session")
def kafka_broker() -> Iterator[Any]:
    """A real Kafka broker, `tests.kafka.Broker`; a test that stops it starts it again."""
    from tests.kafka import running_broker

    with running_broker() as broker:
        yield broker


@pytest.fixture(scope="session")
def mongodb_server() -> Iterator[Any]:
    """A server that speaks MongoDB's protocol, `tests.mongodb.Server`; a test that stops it starts it again."""
    from tests.mongodb import running_server

    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def stack() -> Iterator["Config"]:
    """Everything that `make up` starts, or (TARGET=compose) Compose; or what runs by the env file STACK_UNDER_TEST."""
    if under_test := os.environ.get("STACK_UNDER_TEST"):
        from stack.config import load

        yield bring_up(load(under_test), [])
        return
    with fresh_config() as config:
        yield bring_up(config, [])


def bring_up(config: "Config", names: list[str]) -> "Config":
    """Start servers, all if none is named; settings of this process point at them."""
    from ml_platform.settings import settings
    from stack.target import runner

    runner(config).up(config, names)
    os.environ.update(config.environment() | {"TESTS_ENV_FILE": str(config.env_file)})
    settings.cache_clear()
    return config
