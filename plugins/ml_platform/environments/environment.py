"""An environment: the address and login of its MLflow registry, and how this process uses that registry for a while."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from mlflow.exceptions import MlflowException
from pydantic import SecretStr

from ml_platform.exceptions import ConfigurationError
from ml_platform.settings import settings

LOGIN_ERRORS = ("UNAUTHENTICATED", "PERMISSION_DENIED")


@dataclass(frozen=True)
class Environment:
    """A registry to which versions are promoted.

    Attributes:
        name: such as `production`.
        url: of its MLflow server, without a login.
        login: for basic authentication; empty if it has none.
        password: of this login; empty if it has none.
    """

    name: str
    url: str
    login: str
    password: SecretStr

    @contextmanager
    def use(self) -> Iterator[None]:
        """Make this registry the one of the settings, for the block and the processes that it starts.

        The settings hold for the whole process, so do not use this with threads. Neither registry gets the login of the
        other.

        Raises:
            ConfigurationError: the registry refuses the login.
        """
        target = {
            "MLFLOW_TRACKING_URI": self.url, "MLFLOW_URL": None,
            "MLFLOW_TRACKING_USERNAME": self.login or None,
            "MLFLOW_TRACKING_PASSWORD": self.password.get_secret_value() or None,
            "MLFLOW_TRACKING_TOKEN": None, "MLFLOW_TRACKING_AUTH": None,
        }  # fmt: skip
        before = {name: os.environ.get(name) for name in target}
        _export(target)
        try:
            yield
        except MlflowException as error:
            if error.error_code not in LOGIN_ERRORS:
                raise
            raise ConfigurationError(
                f"{self.name}: {self.url} refuses the login {self.login!r} and its password: {error.message}"
            ) from None
        finally:
            _export(before)


def _export(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    settings.cache_clear()


def public_url(url: str) -> str:
    """Return a URL without login, query and trailing slash."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/"), "", ""))
