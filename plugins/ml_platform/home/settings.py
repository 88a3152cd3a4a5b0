"""The home page's own settings, besides the platform's."""

from functools import lru_cache
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from ml_platform.exceptions import ConfigurationError


class HomeSettings(BaseSettings):
    """The address of the page, who may log in, and the key that signs sessions."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    home_host: str = "127.0.0.1"
    home_port: int = Field(default=8501, gt=0, lt=65536)
    home_hosts: str = Field(description="allowed values of the header `Host`, with port, separated by commas")
    home_admin_user: str = Field(min_length=1)
    home_admin_password: SecretStr = Field(min_length=8)
    home_session_key: SecretStr = Field(min_length=32)
    home_users_file: Path | None = Field(default=None, description="more users; see docs/home.md")

    @property
    def hosts(self) -> frozenset[str]:
        """The addresses under which the page answers."""
        return frozenset(self.home_hosts.split(","))


@lru_cache(maxsize=1)
def home_settings() -> HomeSettings:
    """Return the settings of this process.

    Raises:
        ConfigurationError: a variable is missing or invalid; the text names each one.
    """
    try:
        return HomeSettings()
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors())
        raise ConfigurationError(
            f"environment variables are missing or invalid ({problems}); see .env.example"
        ) from None
