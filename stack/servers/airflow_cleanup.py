"""The server that removes Airflow's old records; it runs where `datasets/platform.yaml` says `retention.airflow`."""

from datetime import timedelta
from pathlib import Path

import yaml

from stack import durations
from stack.config import Config
from stack.servers import airflow
from stack.servers.node import Server, program

NAME = "airflow-cleanup"
NOT_WANTED = "datasets/platform.yaml has no `retention.airflow`"
LEAST = timedelta(days=7)  # as the catalog says


def kept(datasets_dir: Path) -> timedelta | None:
    """Return how long records of ended runs are kept; None: for ever, or the options are not valid."""
    path = datasets_dir / "platform.yaml"
    try:
        content = yaml.safe_load(path.read_text()) if path.exists() else None
    except (yaml.YAMLError, UnicodeDecodeError):
        return None
    options = content.get("retention") if isinstance(content, dict) else None
    duration = durations.parse(str(options.get("airflow", ""))) if isinstance(options, dict) else None
    return duration if duration and duration >= LEAST else None


def is_wanted(config: Config) -> bool:
    """Return whether records are removed."""
    return kept(config.datasets_dir) is not None


def server(config: Config) -> Server:
    """Describe the server. It has Airflow's login to Postgres, which tasks do not have.

    It is healthy while it runs: records that are not removed must not keep the platform from starting.
    """
    return Server(
        name=NAME,
        command=(program("python"), "-m", "stack.airflow_cleanup"),
        environment=airflow.environment(config) | {"DATASETS_DIR": str(config.datasets_dir)},
        probe=lambda: None,
        version="",
        needs=("airflow-setup", *airflow.PIPELINES),
    )
