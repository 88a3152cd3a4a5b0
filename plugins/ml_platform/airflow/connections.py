"""Environments as Airflow connections: `mlflow_<environment>` holds the address and the login of its registry."""

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException
from pydantic import SecretStr

from ml_platform.environments.environment import Environment
from ml_platform.exceptions import ConfigurationError

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
