"""Airflow connections: those of environments, `mlflow_<environment>`, and those of sources, which specs name."""

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException
from pydantic import SecretStr

from ml_platform.environments.environment import Environment
from ml_platform.exceptions import ConfigurationError
from ml_platform.sources.connection import SourceConnection

COMMAND = (
    "airflow connections add {connection} --conn-type http --conn-schema https --conn-host mlflow.example.org "
    "--conn-port 443 --conn-login USER --conn-password PASSWORD, or Admin > Connections in Airflow"
)


def environment(name: str) -> Environment:
    """Return the environment of a connection.

    Raises:
        ConfigurationError: there is no such connection, it has no host, or its host contains a login.
    """
    connection = f"mlflow_{name}"
    try:
        fields = Connection.get(connection)
    except AirflowNotFoundException:
        raise ConfigurationError(
            f"there is no environment {name!r}: it needs the Airflow connection {connection!r}, which does not exist. "
            f"Create it: {COMMAND.format(connection=connection)}"
        ) from None
    host = fields.host or ""
    if not host.strip() or "@" in host:
        problem = "has no host" if not host.strip() else "has a login in its host; put it into login and password"
        raise ConfigurationError(f"the Airflow connection {connection!r} {problem}")
    base = host if "://" in host else f"{fields.schema or 'http'}://{host}"
    url = base.rstrip("/") + (f":{fields.port}" if fields.port else "")
    return Environment(name, url, fields.login or "", SecretStr(fields.password or ""))


def source_connection(name: str) -> SourceConnection:
    """Return the address and the login of a source.

    Raises:
        ConfigurationError: there is no such connection.
    """
    try:
        return _source_connection(Connection.get(name))
    except AirflowNotFoundException:
        raise _no_source(name) from None


async def async_source_connection(name: str) -> SourceConnection:
    """Return the address and the login of a source, in the triggerer; see `source_connection`."""
    try:
        return _source_connection(await Connection.async_get(name))
    except AirflowNotFoundException:
        raise _no_source(name) from None


def _no_source(name: str) -> ConfigurationError:
    return ConfigurationError(
        f"the Airflow connection {name!r}, which `source.connection` names, does not exist; create it under Admin > "
        f"Connections in Airflow, or with: airflow connections add {name} --conn-type ..."
    )


def _source_connection(fields: Connection) -> SourceConnection:
    return SourceConnection(
        name=fields.conn_id,
        kind=fields.conn_type or "",
        host=fields.host or "",
        port=fields.port,
        login=fields.login or "",
        password=SecretStr(fields.password or ""),
        schema=fields.schema or "",
        extra=fields.extra_dejson,
    )
