"""The server that scores the rows of topics as they come; it runs where a data set says `stream: true`."""

import json
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from stack import healthcheck
from stack.config import Config
from stack.servers import kafka, serving
from stack.servers.kafka_specs import streamed
from stack.servers.node import Server, base_environment, program

NAME = "stream"
NOT_WANTED = "no data set says `stream: true`"


def is_wanted(config: Config) -> bool:
    """Return whether a data set says `stream: true`."""
    return bool(streamed(config.datasets_dir))


def server(config: Config) -> Server:
    """Describe the server; it has the rights of the HTTP service, and those of the role `stream` in Kafka."""
    return Server(
        name=NAME,
        command=(program("python"), "-m", "ml_platform.streaming"),
        environment=base_environment(config)
        | serving.client_environment(config)
        | {
            "KAFKA_STREAM_SETTINGS": json.dumps(kafka.client_settings(config, "stream")),
            "STREAM_HEALTH_FILE": str(_health_file(config)),
        },
        probe=lambda: healthcheck.stream(str(_health_file(config))),
        version=_version(),
        needs=("mlflow", "feast-apply", "kafka"),
        directory=config.state_dir,
    )


def _health_file(config: Config) -> Path:
    return config.state_dir / "stream-health.json"


def _version() -> str:
    try:
        return version("confluent-kafka")
    except PackageNotFoundError:  # which the check of the broker reports
        return ""
