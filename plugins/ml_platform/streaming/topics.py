"""The topics of a stream, and the settings of the clients that use them."""

import json
import os
from typing import Any, NamedTuple

from ml_platform.exceptions import ConfigurationError

VARIABLES = {"stream": "KAFKA_STREAM_SETTINGS", "producer": "KAFKA_PRODUCER_SETTINGS"}


class Topics(NamedTuple):
    """The topics of a data set: rows come in, and each row goes out as a prediction or as a rejected row."""

    rows: str
    predictions: str
    rejected: str


def topics_of(name: str) -> Topics:
    """Return the topics of a data set."""
    return Topics(f"{name}.rows", f"{name}.predictions", f"{name}.rejected")


def client_settings(role: str) -> dict[str, Any]:
    """Return the settings of a client of Kafka (librdkafka), which are JSON in a variable of the environment.

    Args:
        role: stream (scores rows) or producer (sends them).

    Raises:
        ConfigurationError: the variable is missing, or is no JSON object with bootstrap.servers.
    """
    variable = VARIABLES[role]
    try:
        settings = json.loads(os.environ[variable])
    except (KeyError, ValueError):
        settings = None
    if not isinstance(settings, dict) or not settings.get("bootstrap.servers"):
        raise ConfigurationError(
            f"the variable {variable} holds no settings of a client of Kafka, such as "
            '{"bootstrap.servers": "broker:9092"}; start a broker with `make up KAFKA=1`, or set it'
        )
    return settings
