"""What the server of the metrics reads from its environment."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from ml_platform.exceptions import ConfigurationError

NEEDED = ("METRICS_DATABASE", "METRICS_AIRFLOW_DATABASE", "METRICS_HOST", "METRICS_PORT")


@dataclass(frozen=True)
class Environment:
    """The environment of the server.

    Attributes:
        databases: addresses of the databases `platform` and `airflow`, with the role `metrics`; secrets.
        host: on which address it listens.
        port: on which port.
        servers: the health page of each server.
    """

    databases: Mapping[str, str] = field(repr=False)
    host: str
    port: int
    servers: Mapping[str, str]

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> "Environment":
        """Read the variables of a process.

        Raises:
            ConfigurationError: one is missing; each is named.
        """
        if missing := [name for name in NEEDED if not variables.get(name)]:
            raise ConfigurationError(f"environment variables are missing: {', '.join(missing)}")
        return cls(
            databases={
                "platform": variables["METRICS_DATABASE"],
                "airflow": variables["METRICS_AIRFLOW_DATABASE"],
            },
            host=variables["METRICS_HOST"],
            port=int(variables["METRICS_PORT"]),
            servers=json.loads(variables.get("METRICS_SERVERS", "{}")),
        )
