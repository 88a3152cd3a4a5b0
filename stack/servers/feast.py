"""Feast: the step that registers what `datasets/` declares, and the UI that shows it."""

import hashlib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import psycopg2

from stack.config import HOST, ROOT, Config, hosts
from stack.servers import probes
from stack.servers.node import Node, Server, Step, base_environment, program

REPO = ROOT / "feast_repo"
CODE = ("feature_store", "specs")  # packages of ml_platform that the definitions are made with


def nodes(config: Config) -> Iterator[Node]:
    """Describe the step and the UI."""
    yield Step(
        name="feast-apply",
        command=(program("python"), "-m", "ml_platform.feature_store.features"),
        environment=base_environment(config) | config.feast_environment(),
        needs=("dbinit",),
        is_done=lambda: _is_applied(config),
        after=lambda: _write_stamp(config),
    )
    listen = ("--host", HOST, "--port", str(config.feast_port))
    guard = {
        "FEAST_HOSTS": hosts(config.feast_port),
        "FEAST_ADMIN_USER": config.feast_admin_user,
        "FEAST_ADMIN_PASSWORD": config.feast_admin_password.get_secret_value(),
    }
    yield Server(
        name="feast",
        command=(program("uvicorn"), "stack.screens.feast:create_app", "--factory", *listen),
        environment=base_environment(config) | config.feast_environment() | guard,
        probe=probes.http(f"http://{HOST}:{config.feast_port}/health"),
        version=version("feast"),
        needs=("feast-apply",),
        ports={"FEAST_PORT": config.feast_port},
    )


def _is_applied(config: Config) -> bool:
    """Return whether Feast's registry has what `datasets/` declares now; the same question to Feast costs 5 s."""
    if not _stamp(config).exists() or _stamp(config).read_text() != _definitions(config):
        return False
    try:
        return bool(probes.query(config.database_uri("feast"), "SELECT 1 FROM feature_views LIMIT 1"))
    except psycopg2.Error:  # not the database that the stamp is about
        return False


def _write_stamp(config: Config) -> None:
    _stamp(config).write_text(_definitions(config))


def _stamp(config: Config) -> Path:
    return config.state_dir / "feast-applied"


def _definitions(config: Config) -> str:
    """Return a hash of all files that the registry is made from."""
    library = ROOT / "plugins" / "ml_platform"
    code = sorted(path for package in CODE for path in (library / package).glob("*.py"))
    files = [*sorted(config.datasets_dir.glob("[!.]*.yaml")), *sorted(REPO.glob("*.*")), *code]
    contents = b"".join(path.name.encode() + path.read_bytes() for path in files)
    return f"{version('feast')} {hashlib.sha256(contents).hexdigest()}"
