"""Addresses and logins of the servers. They are read from the environment at first use and never change."""

from functools import lru_cache
from urllib.parse import quote

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from ml_platform.exceptions import ConfigurationError


class Settings(BaseSettings):
    """The variables that the library needs; `.env.example` describes each of them."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    s3_endpoint_url: str
    s3_access_key: str
    s3_secret_key: SecretStr
    platform_db_host: str
    platform_db_port: int
    platform_db_user: str = "platform"
    platform_db_password: SecretStr
    feast_registry_uri: SecretStr = Field(description="postgresql+psycopg://feast:…@host:port/feast; read by Feast")
    mlflow_tracking_uri: str
    log_retention_days: int = Field(default=90, gt=0, description="how long the logs of tasks are kept")
    mlflow_url: str = Field(default="", description="the MLflow address for browsers; empty: mlflow_tracking_uri")
    airflow_api_url: str = Field(default="", description="the Airflow address for programs that use the login `home`")
    home_airflow_password: SecretStr | None = Field(default=None, description="of Airflow's login `home`")

    @property
    def platform_database_uri(self) -> SecretStr:
        """The URI of the database `platform`; feast_repo/feature_store.yaml reads the same variables."""
        login = f"{self.platform_db_user}:{quote(self.platform_db_password.get_secret_value(), safe='')}"
        return SecretStr(f"postgresql://{login}@{self.platform_db_host}:{self.platform_db_port}/platform")


@lru_cache(maxsize=1)
def settings() -> Settings:
    """Return the settings of this process.

    Raises:
        ConfigurationError: variables are missing or invalid; the text names all of them.
    """
    try:
        return Settings()
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors())
        raise ConfigurationError(
            f"environment variables are missing or invalid ({problems}); see .env.example"
        ) from None
