"""The settings of a broker of Kafka and of a schema registry, from one Airflow connection."""

from typing import Any
from urllib.parse import urlsplit

from ml_platform.exceptions import ConfigurationError
from ml_platform.sources.connection import SourceConnection

PREFIX = "schema.registry."  # of the registry's settings in `extra`; the others are the broker's
URL, LOGIN, TOKEN = "url", "basic.auth.user.info", "bearer.auth.token"
CA, CERTIFICATE, KEY = "ssl.ca.location", "ssl.certificate.location", "ssl.key.location"
SETTINGS = (URL, LOGIN, TOKEN, CA, CERTIFICATE, KEY)


def client_settings(connection: SourceConnection) -> dict[str, Any]:
    """Return the settings of a client of Kafka: those in `extra`, and for others the fields of the connection.

    Those of a schema registry in `extra` are left out.

    Raises:
        ConfigurationError: the connection names no broker.
    """
    fields: dict[str, Any] = {}
    if connection.host:
        fields["bootstrap.servers"] = f"{connection.host}:{connection.port or 9092}"
    if connection.login:
        fields |= {"sasl.username": connection.login, "sasl.password": connection.password.get_secret_value()}
    extra = {name: value for name, value in connection.extra.items() if not name.startswith(PREFIX)}
    settings = fields | extra
    if not settings.get("bootstrap.servers"):
        raise ConfigurationError(
            f"the Airflow connection {connection.name!r} names no broker: give host and port, or bootstrap.servers in "
            "extra"
        )
    return settings


def registry_settings(connection: SourceConnection) -> dict[str, str]:
    """Return the settings of the registry in a connection, without their prefix; empty if it names none.

    Raises:
        ConfigurationError: a setting does not exist, or one does not fit; the text names the connection.
    """
    found = {
        name.removeprefix(PREFIX): str(value) for name, value in connection.extra.items() if name.startswith(PREFIX)
    }
    where = f"the Airflow connection {connection.name!r}"
    if unknown := found.keys() - set(SETTINGS):
        allowed = ", ".join(PREFIX + name for name in SETTINGS)
        raise ConfigurationError(f"{where}: no such setting {PREFIX}{min(unknown)}; there are: {allowed}")
    if found and not _is_address(found.get(URL, "")):
        raise ConfigurationError(
            f"{where}: {PREFIX}{URL} must be an address such as https://registry:8081, without a login; a login goes "
            f"into {PREFIX}{LOGIN}, as user:password"
        )
    if LOGIN in found and ":" not in found[LOGIN]:
        raise ConfigurationError(f"{where}: {PREFIX}{LOGIN} must be user:password")
    return found


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
