"""The service's own settings, besides the platform's."""

from functools import lru_cache

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from ml_platform.exceptions import ConfigurationError

MOST_BYTES = 2**20  # in the body of a request
MOST_FILE_BYTES = 5 * 2**30  # of a file that is dropped
MOST_ROWS = 1_000  # in a request


class ServingSettings(BaseSettings):
    """The address of the service, and the bearer tokens of its callers."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    serving_host: str = "127.0.0.1"
    serving_port: int = Field(default=8000, gt=0, lt=65536)
    serving_token: SecretStr = Field(min_length=16)
    serving_files_token: SecretStr | None = Field(default=None, min_length=16, description="none: no part in files")

    @model_validator(mode="after")
    def _tokens_differ(self) -> "ServingSettings":
        if self.serving_token == self.serving_files_token:
            raise ValueError("SERVING_FILES_TOKEN is SERVING_TOKEN: who may predict could load training data")
        return self


@lru_cache(maxsize=1)
def serving_settings() -> ServingSettings:
    """Return the settings of this process.

    Raises:
        ConfigurationError: a variable is missing or invalid; the text names each one.
    """
    try:
        return ServingSettings()
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors())
        raise ConfigurationError(
            f"environment variables are missing or invalid ({problems}); see .env.example"
        ) from None
