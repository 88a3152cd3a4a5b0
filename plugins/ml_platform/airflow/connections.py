"""Environments as Airflow connections: `mlflow_<environment>` says where its registry is and how to log in."""

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException
from pydantic import SecretStr

from ml_platform.environments.environment import Environment
from ml_platform.exceptions import ConfigurationError

HOW = (
    "airflow connections add {connection} --conn-type http --conn-schema https --conn-host mlflow.example.org "
    "--conn-port 443 --conn-login USER --conn-password PASSWORD, or Admin > Connections in Airflow"
)


def environment(name: str) -> Environment:
    """Return an environment as its connection describes it.

    Raises:
        ConfigurationError: there is no such connection, it names no host, or its host holds a login.
    """
    connection = f"mlflow_{name}"
    try:
        found = Connection.get(connection)
    except AirflowNotFoundException:
        raise ConfigurationError(
            f"there is no environment {name!r}: its registry is the Airflow connection {connection!r}, which is not "
            f"there. Make it: {HOW.format(connection=connection)}"
        ) from None
    host = found.host or ""
    if not host.strip() or "@" in host:
        said = "names no host" if not host.strip() else "holds a login in its host; put it into login and password"
        raise ConfigurationError(f"the Airflow connection {connection!r} {said}")
    base = host if "://" in host else f"{found.schema or 'http'}://{host}"
    url = base.rstrip("/") + (f":{found.port}" if found.port else "")
    return Environment(name, url, found.login or "", SecretStr(found.password or ""))
