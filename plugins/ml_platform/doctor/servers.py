"""The servers of a platform: how each is looked at, its version, its page, and what to do if it is not healthy."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx

from ml_platform.exceptions import PlatformError
from ml_platform.pages import address
from ml_platform.storage import object_store
from ml_platform.storage.database import fetch
from stack.config import Config, env_path, load
from stack.runners.embedded import RUNNING, problem_of
from stack.runners.supervisor import Supervisor
from stack.servers.inventory import all_nodes
from stack.servers.node import Server, servers_of

TIMEOUT = 5.0  # seconds
SCREENS = {"airflow-api": "Airflow", "objects": "Console", "mlflow": "MLflow", "feast": "Feast", "adminer": "Adminer"}
FIX = "`make logs server={}` shows why; `make up` starts what is stopped"
CONTAINER_FIX = "`docker compose logs {}` shows why; `docker compose up -d` starts what is stopped"


@dataclass(frozen=True)
class ServerLook:
    """How a server is looked at.

    Attributes:
        name: of the server.
        version: of its program; "" if only it knows.
        page: its address for a browser; "" if it has none.
        problem: looks, and returns why it is not healthy; None if it is.
        fix: what to do if it is not.
    """

    name: str
    version: str
    page: str
    problem: Callable[[], str | None]
    fix: str


def known_config() -> Config | None:
    """Return the settings of the platform, if this process is on its machine; None in a container, which has none."""
    return load() if env_path().exists() else None


def server_looks(config: Config | None) -> list[ServerLook]:
    """Return how the servers are looked at: all of this machine, or in a container those that it reaches."""
    if config is None or config.target == "compose":
        return _reachable(os.environ)
    pages = {screen.name: screen.url for screen in config.screens()}
    return [_of_machine(config, server, pages) for server in servers_of(all_nodes(config))]


def _of_machine(config: Config, server: Server, pages: Mapping[str, str]) -> ServerLook:
    def problem() -> str | None:
        state = Supervisor(config).states().get(server.name, "not running")
        return problem_of(server, {server.name: state}) if state == RUNNING else state.lower()

    page = pages.get(SCREENS.get(server.name, ""), "")
    return ServerLook(server.name, server.version, page, problem, FIX.format(server.name))


def _reachable(environment: Mapping[str, str]) -> list[ServerLook]:
    looks: dict[str, Callable[[], object]] = {
        "postgres": lambda: fetch("SELECT 1"),
        "objects": lambda: object_store.list_objects("result", "ml-platform-health"),
        "mlflow": lambda: _get(environment["MLFLOW_TRACKING_URI"], "/health"),
        "airflow-api": lambda: _get(environment["AIRFLOW_API_URL"], "/api/v2/monitor/health"),
    }
    screens = {"objects": "objects", "mlflow": "mlflow", "airflow-api": "airflow"}
    return [
        ServerLook(
            name,
            "",
            address(environment, "screen", screens[name]) if name in screens else "",
            _problem_of(look),
            CONTAINER_FIX.format(name),
        )
        for name, look in looks.items()
    ]


def _problem_of(look: Callable[[], object]) -> Callable[[], str | None]:
    def problem() -> str | None:
        try:
            look()
        except (PlatformError, httpx.HTTPError) as error:
            return str(error) or type(error).__name__
        except KeyError as error:
            return f"the variable {error.args[0]} is not set"
        return None

    return problem


def _get(url: str, path: str) -> None:
    httpx.get(f"{url.rstrip('/')}{path}", timeout=TIMEOUT, trust_env=False).raise_for_status()
