"""The shapes of servers and steps; a step ends before others start."""

import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stack import marks
from stack.config import HOST, ROOT, Config
from stack.servers.probes import Probe

LOG_CONFIG = ROOT / "stack" / "servers" / "uvicorn_log.json"  # entries as JSON, also those of uvicorn
INHERITED = ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR", "TZ", "USER")  # of the shell that starts a stack


def nothing() -> None:
    """Do nothing: a server that needs no preparation."""


def no_work() -> list[str]:
    """Return no work in flight: a server that can be restarted at any time."""
    return []


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
    """A process that the supervisor keeps running; it must be healthy after at most `timeout` seconds.

    `in_flight` names the work that a restart of the server would interrupt.
    """

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
    timeout: int = 300
    check: Callable[[], None] = nothing  # raises StackError if the server cannot run, before any other is stopped
    prepare: Callable[[], None] = nothing
    setup: Step | None = None  # run at each start of the server, before it counts as healthy
    in_flight: Callable[[], list[str]] = no_work


Node = Server | Step
Nodes = Mapping[str, Node]


def servers_of(nodes: Nodes) -> list[Server]:
    """Return the servers among nodes, without the steps."""
    return [node for node in nodes.values() if isinstance(node, Server)]


def program(name: str) -> str:
    """Return the path of a command that is installed beside our Python."""
    return str(Path(sys.executable).parent / name)


def find_program(config: Config, name: str) -> str | None:
    """Return the path of a command of this machine, where the servers find it; None if it is not installed."""
    return shutil.which(name, path=base_environment(config)["PATH"])


def base_environment(config: Config) -> dict[str, str]:
    """Return the variables of every process: no secret, no proxy, no telemetry, one thread per numeric library."""
    inherited = _inherited(config)
    return {
        **inherited,
        marks.STATE: str(config.state_dir),
        "PATH": f"{Path(sys.executable).parent}:{inherited.get('PATH', os.defpath)}",
        "PYTHONPATH": f"{ROOT / 'plugins'}:{ROOT}",
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": "1",
        "NO_PROXY": f"{HOST},localhost",
        "DO_NOT_TRACK": "1",
        "SPT_NOENV": "1",  # Airflow's processes set their titles; without this the title overwrites the marks
    }


def decide_environment(config: Config) -> None:
    """Keep what the servers inherit from the shell that starts the stack, until it is stopped.

    So another shell, with another PATH or HOME, does not change the servers, and restarts none.
    """
    path = _decided(config)
    if not path.exists():
        path.write_text(json.dumps(_of_this_shell(), indent=1))
        path.chmod(0o600)


def forget_environment(config: Config) -> None:
    """Let the next start decide again what the servers inherit."""
    _decided(config).unlink(missing_ok=True)


def _inherited(config: Config) -> dict[str, str]:
    path = _decided(config)
    decided: dict[str, str] = json.loads(path.read_text()) if path.exists() else _of_this_shell()
    return decided


def _decided(config: Config) -> Path:
    return config.state_dir / "environment.json"


def _of_this_shell() -> dict[str, str]:
    return {name: os.environ[name] for name in INHERITED if name in os.environ}
