"""The server of the metrics for Prometheus; it runs with METRICS=1."""

import json

from stack.config import HOST, Config
from stack.servers import probes
from stack.servers.alerts import health_pages
from stack.servers.node import Server, base_environment, program

NAME = "metrics"
NOT_WANTED = "METRICS is not 1"


def is_wanted(config: Config) -> bool:
    """Return whether the settings ask for metrics."""
    return config.metrics == "1"


def server(config: Config) -> Server:
    """Describe the server; it reads what is recorded with a role of its own, which sees no row."""
    return Server(
        name=NAME,
        command=(program("python"), "-m", "ml_platform.metrics"),
        environment=base_environment(config)
        | {
            "DATASETS_DIR": str(config.datasets_dir),
            "METRICS_DATABASE": config.database_uri("metrics", "platform"),
            "METRICS_AIRFLOW_DATABASE": config.database_uri("metrics", "airflow"),
            "METRICS_HOST": HOST,
            "METRICS_PORT": str(config.metrics_port),
            "METRICS_SERVERS": json.dumps(health_pages(config)),
        },
        probe=probes.http(f"http://{HOST}:{config.metrics_port}/metrics"),
        version="",
        needs=("airflow-setup",),
        ports={"METRICS_PORT": config.metrics_port},
        directory=config.state_dir,
    )
