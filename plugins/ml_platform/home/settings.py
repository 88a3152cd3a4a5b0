"""The home page's own settings, besides the platform's."""

from functools import lru_cache
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from ml_platform.exceptions import ConfigurationError
from ml_platform.home import passwords

Role = Literal["viewer", "operator"]
USER_NAME = r"^[\w.@+-]{1,100}$"


class UserEntry(BaseModel):
    """A user besides the administrator; `password` is a hash."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Role
    password: str

    @field_validator("password")
    @classmethod
    def _is_hash(cls, text: str) -> str:
        if not passwords.is_hash(text):
            raise ValueError("this is not the hash of a password; `ml-platform home add-user` makes one")
        return text


class HomeSettings(BaseSettings):
    """The address of the page, who may log in, and the key that signs sessions."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    home_host: str = "127.0.0.1"
    home_port: int = Field(default=8501, gt=0, lt=65536)
    home_hosts: str = Field(description="allowed values of the header `Host`, with port, separated by commas")
    home_admin_user: str = Field(min_length=1)
    home_admin_password: SecretStr = Field(min_length=8)
    home_session_key: SecretStr = Field(min_length=32)
    home_users: dict[Annotated[str, Field(pattern=USER_NAME)], UserEntry] = Field(
        default={}, description="more users, as JSON; `ml-platform home add-user` writes it"
    )
    serving_url: str = Field(default="http://127.0.0.1:8000", description="of the service that predicts over HTTP")
    serving_public_url: str = Field(default="", description="its address for programs, if that is another one")
    serving_token: SecretStr = Field(default=SecretStr(""), description="its bearer token")

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
