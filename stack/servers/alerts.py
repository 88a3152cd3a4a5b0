"""The server that sends alerts; it runs where `datasets/platform.yaml` names a channel."""

import json

import yaml

from stack import healthcheck, secrets
from stack.config import HOST, ROOT, Config
from stack.servers.node import Server, base_environment, program

NAME = "alerts"
NOT_WANTED = "datasets/platform.yaml names no channel for alerts"
PREFIX = "ALERTS_"  # of the variables in .env with the secrets of channels
OPTIONS = "platform.yaml"


def is_wanted(config: Config) -> bool:
    """Return whether the options of the platform name a channel; the server itself says what is invalid in them."""
    path = config.datasets_dir / OPTIONS
    try:
        options = yaml.safe_load(path.read_text()) if path.exists() else None
    except (OSError, ValueError, yaml.YAMLError):
        return False
    section = options.get("alerts") if isinstance(options, dict) else None
    return isinstance(section, dict) and bool(section.get("channels"))


def server(config: Config) -> Server:
    """Describe the server; it reads what is recorded with a role of its own, and has the secrets of the channels."""
    health_file = config.state_dir / "alerts-health"
    return Server(
        name=NAME,
        command=(program("python"), "-m", "ml_platform.alerts"),
        environment=base_environment(config)
        | config.screen_urls()
        | channel_secrets(config)
        | {
            "DATASETS_DIR": str(config.datasets_dir),
            "ALERTS_DATABASE": config.database_uri("alerts", "platform"),
            "ALERTS_AIRFLOW_DATABASE": config.database_uri("alerts", "airflow"),
            "ALERTS_HEALTH_FILE": str(health_file),
            "ALERTS_SERVERS": json.dumps(health_pages(config)),
            "ALERTS_DISKS": json.dumps([str(config.state_dir)]),
            "ALERTS_BACKUPS": str(ROOT / "backups"),
        },
        probe=lambda: healthcheck.alerts(str(health_file)),
        version="",
        needs=(
            "airflow-api",
            "feast",
            "mlflow",
            "objects",
            "serving",
            "home",
        ),  # else the first start would be an alert
        directory=config.state_dir,
    )


def channel_secrets(config: Config) -> dict[str, str]:
    """Return the variables of `.env` that channels can name."""
    own = f"{PREFIX}DB_PASSWORD"
    found = secrets.read(config.env_file)
    return {name: value for name, value in found.items() if name.startswith(PREFIX) and name != own and value}


def health_pages(config: Config) -> dict[str, str]:
    """Return the pages that need no login and tell whether a server works."""
    return {
        "airflow-api": f"{config.airflow_url}/api/v2/monitor/health",
        "mlflow": f"{config.mlflow_url}/health",
        "feast": f"http://{HOST}:{config.feast_port}/health",
        "objects": f"{config.s3_url}/",
        "serving": f"{config.serving_url}/live",
        "home": f"{config.home_url}/live",
    }
