"""What the server of the alerts reads from its environment: addresses, folders, and the secrets of channels."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ml_platform.exceptions import ConfigurationError

NEEDED = ("ALERTS_DATABASE", "ALERTS_AIRFLOW_DATABASE", "ALERTS_HEALTH_FILE")


@dataclass(frozen=True)
class Environment:
    """The environment of the server.

    Attributes:
        database: address of the database `platform`, with the role `alerts`; a secret.
        airflow_database: the same of the database `airflow`.
        health_file: is touched after each look.
        servers: the health page of each server.
        disks: a folder of each disk.
        backups: folder of the backups; None: they are not watched.
        variables: all variables, with the secrets of the channels and the addresses of the screens.
    """

    database: str = field(repr=False)
    airflow_database: str = field(repr=False)
    health_file: Path
    servers: Mapping[str, str]
    disks: tuple[str, ...]
    backups: Path | None
    variables: Mapping[str, str] = field(repr=False)

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> "Environment":
        """Read the variables of a process.

        Raises:
            ConfigurationError: one is missing; each is named.
        """
        if missing := [name for name in NEEDED if not variables.get(name)]:
            raise ConfigurationError(f"environment variables are missing: {', '.join(missing)}")
        folder = variables.get("ALERTS_BACKUPS")
        return cls(
            database=variables["ALERTS_DATABASE"],
            airflow_database=variables["ALERTS_AIRFLOW_DATABASE"],
            health_file=Path(variables["ALERTS_HEALTH_FILE"]),
            servers=json.loads(variables.get("ALERTS_SERVERS", "{}")),
            disks=tuple(json.loads(variables.get("ALERTS_DISKS", "[]"))),
            backups=Path(folder) if folder else None,
            variables=variables,
        )
