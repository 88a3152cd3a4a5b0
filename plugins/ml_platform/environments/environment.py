"""An environment: where its MLflow registry is, how to log in, and how this process talks to it instead of its own."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from mlflow.exceptions import MlflowException
from pydantic import SecretStr

from ml_platform.exceptions import ConfigurationError
from ml_platform.settings import settings

REFUSALS = ("UNAUTHENTICATED", "PERMISSION_DENIED")


@dataclass(frozen=True)
class Environment:
    """A registry to which versions are promoted.

    Attributes:
        name: such as `production`.
        url: of its MLflow server, without a login.
        login: of its basic authentication; empty if it has none.
        password: of the same; empty if it has none.
    """

    name: str
    url: str
    login: str
    password: SecretStr

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Let all that talks to MLflow inside the block, also processes started there, talk to this registry.

        The library knows one registry, that of its settings; so this holds for the whole process, and is not for
        threads. Neither registry gets to see the login of the other.

        Raises:
            ConfigurationError: it refuses the login.
        """
        theirs = {
            "MLFLOW_TRACKING_URI": self.url, "MLFLOW_URL": None,
            "MLFLOW_TRACKING_USERNAME": self.login or None,
            "MLFLOW_TRACKING_PASSWORD": self.password.get_secret_value() or None,
            "MLFLOW_TRACKING_TOKEN": None, "MLFLOW_TRACKING_AUTH": None,
        }  # fmt: skip
        ours = {name: os.environ.get(name) for name in theirs}
        _export(theirs)
        try:
            yield
        except MlflowException as error:
            if error.error_code not in REFUSALS:
                raise
            raise ConfigurationError(
                f"{self.name}: {self.url} refuses the login {self.login!r} and its password: {error.message}"
            ) from None
        finally:
            _export(ours)


def _export(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    settings.cache_clear()


def public_url(url: str) -> str:
    """Return an address without its login, query and last slash."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/"), "", ""))
