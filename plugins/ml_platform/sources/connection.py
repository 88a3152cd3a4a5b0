"""The address and the login of a source, as an Airflow connection holds them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr


@dataclass(frozen=True)
class SourceConnection:
    """The fields of an Airflow connection. Its text shows no secret.

    Attributes:
        name: of the connection; errors name it.
        kind: its type in Airflow, such as postgres.
        host: of the server; for some kinds a path or several hosts.
        port: None if there is none.
        login: name of the user.
        password: of the user.
        schema: the database, or what the kind of connection takes it for.
        extra: more settings; they may hold secrets.
    """

    name: str
    kind: str = ""
    host: str = ""
    port: int | None = None
    login: str = ""
    password: SecretStr = field(default=SecretStr(""))
    schema: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)
