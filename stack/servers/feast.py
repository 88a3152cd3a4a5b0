"""Feast: the step that registers what `datasets/` declares, and the UI that shows it."""

import hashlib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import psycopg2

from stack.config import HOST, ROOT, Config, hosts
from stack.servers import probes
from stack.servers.node import LOG_CONFIG, Node, Server, Step, base_environment, program

REPO = ROOT / "feast_repo"
CODE = ("feature_store", "specs")  # packages of ml_platform that the definitions are made with
REGISTRY_HASH = """
SELECT md5(string_agg(definition, ' ' ORDER BY definition)) FROM (
    SELECT 'entity ' || entity_name || ' ' || md5(entity_proto) FROM entities
    UNION ALL SELECT 'source ' || data_source_name || ' ' || md5(data_source_proto) FROM data_sources
    UNION ALL SELECT 'view ' || feature_view_name || ' ' || md5(feature_view_proto) FROM feature_views
    UNION ALL SELECT 'service ' || feature_service_name || ' ' || md5(feature_service_proto) FROM feature_services
) AS registry (definition)"""


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
    options = ("--host", HOST, "--port", str(config.feast_port), "--log-config", str(LOG_CONFIG))
    guard = {
        "FEAST_HOSTS": hosts(config.feast_port),
        "FEAST_ADMIN_USER": config.feast_admin_user,
        "FEAST_ADMIN_PASSWORD": config.feast_admin_password.get_secret_value(),
    }
    yield Server(
        name="feast",
        command=(program("uvicorn"), "stack.screens.feast:create_app", "--factory", *options),
        environment=base_environment(config) | config.feast_environment() | guard,
        probe=probes.http(f"http://{HOST}:{config.feast_port}/health"),
        version=version("feast"),
        needs=("feast-apply",),
        ports={"FEAST_PORT": config.feast_port},
    )


def _is_applied(config: Config) -> bool:
    """Return whether Feast's registry is as the last step left it, from what `datasets/` declares now.

    The same question to Feast costs 5 s.
    """
    try:
        return _stamp(config).exists() and _stamp(config).read_text() == _applied(config)
    except psycopg2.Error:  # not the database that the stamp is about
        return False


def _write_stamp(config: Config) -> None:
    _stamp(config).write_text(_applied(config))


def _applied(config: Config) -> str:
    ((registry,),) = probes.query(config.database_uri("feast"), REGISTRY_HASH)
    return f"{_definitions(config)} {registry}"


def _stamp(config: Config) -> Path:
    return config.state_dir / "feast-applied"


def _definitions(config: Config) -> str:
    """Return a hash of all files that the registry is made from."""
    library = ROOT / "plugins" / "ml_platform"
    code = sorted(path for package in CODE for path in (library / package).glob("*.py"))
    files = [*sorted(config.datasets_dir.glob("[!.]*.yaml")), *sorted(REPO.glob("*.*")), *code]
    contents = b"".join(path.name.encode() + path.read_bytes() for path in files)
    return f"{version('feast')} {hashlib.sha256(contents).hexdigest()}"
