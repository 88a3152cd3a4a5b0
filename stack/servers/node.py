"""The shapes of servers and steps; a step ends before others start."""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stack.config import HOST, ROOT, Config
from stack.servers.probes import Probe

MARKER = "ML_PLATFORM_STATE"  # in the environment of every process of a stack, so that `down` finds orphans
INHERITED = ("HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "USER")
INHERITED = ("HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "USER")


def nothing() -> None:
    """Do nothing: a server that needs no preparation."""


def never() -> bool:
    """Return False: a step without a cheap test whether it is done."""
    return False


@dataclass(frozen=True)
class Step:
    """A command that runs to its end before others start; `timeout` is in seconds."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    needs: tuple[str, ...] = ()
    is_done: Callable[[], bool] = never
    after: Callable[[], None] = nothing
    timeout: int = 300


@dataclass(frozen=True)
class Server:
    """A process that the supervisor keeps running; it must be healthy after at most `timeout` seconds."""

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
    timeout: int = 180
    prepare: Callable[[], None] = nothing
    setup: Step | None = None  # run at each start of the server, before it counts as healthy


Node = Server | Step
Nodes = Mapping[str, Node]


def servers_of(nodes: Nodes) -> list[Server]:
    """Return the servers among nodes, without the steps."""
    return [node for node in nodes.values() if isinstance(node, Server)]


def program(name: str) -> str:
    """Return the path of a command that is installed beside our Python."""
    return str(Path(sys.executable).parent / name)


def base_environment(config: Config) -> dict[str, str]:
    """Return the variables of every process: no secret, no proxy, no telemetry, one thread per numeric library."""
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return {
        **inherited,
        MARKER: str(config.state_dir),
        "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}",
        "PYTHONPATH": f"{ROOT / 'plugins'}:{ROOT}",
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": "1",
        "NO_PROXY": f"{HOST},localhost",
        "DO_NOT_TRACK": "1",
        "SPT_NOENV": "1",  # Airflow's processes set their titles; without this the title overwrites the marker
    }
