"""The server that makes backups by schedule; it runs where `datasets/platform.yaml` says `backup`."""

import json
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import yaml
from pydantic import BaseModel, ConfigDict

from stack import durations
from stack.config import OVERRIDES, ROOT, Config
from stack.servers import alerts
from stack.servers.airflow import PIPELINES
from stack.servers.node import Server, base_environment, program

NAME = "backup"
NOT_WANTED = "datasets/platform.yaml has no `backup`"


class Schedule(NamedTuple):
    """How often a backup is made, how many are kept, and where."""

    every: timedelta
    keep: int
    folder: Path


class State(BaseModel):
    """The last attempt: when it began, in seconds since 1970, whether it still runs, and why it failed."""

    model_config = ConfigDict(frozen=True)

    began: float = 0.0
    is_running: bool = False
    problem: str = ""


def is_wanted(config: Config) -> bool:
    """Return whether backups are made by schedule."""
    return read(config) is not None


def paused(config: Config) -> tuple[str, ...]:
    """Return the servers that are stopped during a backup: the pipelines, and `alerts`, which would report them."""
    return (*PIPELINES, alerts.NAME) if alerts.is_wanted(config) else PIPELINES


def read(config: Config) -> Schedule | None:
    """Return the schedule; None if there is none, or one that is not valid, as the catalog says."""
    path = config.datasets_dir / "platform.yaml"
    try:
        content = yaml.safe_load(path.read_text()) if path.exists() else None
    except (yaml.YAMLError, UnicodeDecodeError):
        return None
    options = content.get("backup") if isinstance(content, dict) else None
    if not isinstance(options, dict):
        return None
    every, keep = durations.parse(str(options.get("every", "1d"))), options.get("keep", 7)
    if not every or not isinstance(keep, int) or keep < 1:
        return None
    return Schedule(every, keep, ROOT / (options.get("to") or "backups"))


def read_state(config: Config) -> State:
    """Return what the last attempt left; the first one finds nothing."""
    path = _state_file(config)
    return State.model_validate_json(path.read_text()) if path.exists() else State()


def write_state(config: Config, state: State) -> None:
    """Record an attempt; all at once, because a kill may come at any time."""
    path = _state_file(config)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(state.model_dump()))
    temporary.replace(path)


def _state_file(config: Config) -> Path:
    return config.state_dir / "backup-state.json"


def server(config: Config) -> Server:
    """Describe the server. It reads all secrets from `.env`, as `make backup` does; none is in its environment.

    It is healthy while it runs: a backup that failed must not keep the platform from starting. `make status` shows the
    failure where other servers have their version.
    """
    overrides = {name: getattr(config, name) for name in Config.model_fields if name.endswith("_port")}
    overrides |= {name: getattr(config, name) for name in OVERRIDES}
    settings = {name.upper(): str(value) for name, value in overrides.items()}
    return Server(
        name=NAME,
        command=(program("python"), "-m", "stack.backup.schedule"),
        environment=base_environment(config) | settings | {"ENV_FILE": str(config.env_file)},
        probe=lambda: None,
        version="the last one failed" if read_state(config).problem else "",
        needs=("mlflow", "feast", "serving", *PIPELINES),
    )
