"""What runs: the shape of a server and of a one-shot step, and the list of all of them."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stack.config import HOST, ROOT, Config

MARKER = "ML_PLATFORM_STATE"  # in the environment of every process of a stack, so that `down` finds orphans
Probe = Callable[[], str | None]  # None when healthy, else what is wrong


def nothing() -> None:
    """Do nothing: a server that needs no preparation."""


def never() -> bool:
    """Return False: a step that has no cheap way to know that it is done."""
    return False


@dataclass(frozen=True)
class Step:
    """A command that runs to its end before others start."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    needs: tuple[str, ...] = ()
    is_done: Callable[[], bool] = never
    after: Callable[[], None] = nothing
    patience: int = 300


@dataclass(frozen=True)
class Server:
    """A process that the supervisor keeps running."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    probe: Probe
    version: str
    needs: tuple[str, ...] = ()
    ports: Mapping[str, int] = field(default_factory=dict)
    directory: Path = ROOT
    user: str | None = None
    stop_signal: str = "TERM"
    patience: int = 180
    prepare: Callable[[], None] = nothing
    setup: Step | None = None  # run at each start of the server, before it counts as healthy


def program(name: str) -> str:
    """Return the path of a command that is installed beside our Python."""
    return str(Path(sys.executable).parent / name)


def base_environment(config: Config) -> dict[str, str]:
    """Return what every process gets: no secret, no proxy, no telemetry, one thread per numeric library."""
    kept = {key: os.environ[key] for key in ("HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "USER") if key in os.environ}
    return {
        **kept,
        MARKER: str(config.state_dir),
        "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}",
        "PYTHONPATH": f"{ROOT / 'plugins'}:{ROOT}",
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": "1",
        "NO_PROXY": f"{HOST},localhost",
        "DO_NOT_TRACK": "1",
        "SPT_NOENV": "1",  # Airflow's processes set their titles; without this they overwrite the mark with them
    }


def all_nodes(config: Config) -> dict[str, Server | Step]:
    """Return every server and step by name, in the order in which people think of them."""
    return {node.name: node for node in _nodes(config)}


def _nodes(config: Config) -> Iterator[Server | Step]:
    from stack import airflow, objects, postgres, screens, serving

    yield postgres.server(config)
    yield objects.server(config)
    yield postgres.dbinit(config)
    yield screens.mlflow(config)
    yield from airflow.nodes(config)
    yield from screens.feast(config)
    yield serving.serving(config)
    yield from screens.adminer(config)


def with_needs(nodes: Mapping[str, Server | Step], wanted: list[str]) -> dict[str, Server | Step]:
    """Return the wanted nodes and all that they need; all nodes if none is named."""
    chosen: set[str] = set()
    queue = list(wanted or nodes)
    while queue:
        name = queue.pop()
        if name not in chosen:
            chosen.add(name)
            queue += nodes[name].needs
    return {name: node for name, node in nodes.items() if name in chosen}
