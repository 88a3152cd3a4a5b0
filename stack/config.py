"""The settings: `.env`, read once, checked, and turned into the variables of each process."""

import os
from pathlib import Path
from typing import Annotated, Literal, NamedTuple
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from stack import secrets
from stack.errors import ConfigError

ROOT = Path(__file__).resolve().parents[1]
HOST = "127.0.0.1"
Port = Annotated[int, Field(gt=0, lt=65536)]
# where Adminer opens: all files that came in, the newest first, beside the list of the schemas
NEWEST_FILES = "ns=uploads&select=ledger&order%5B0%5D=claimed_at&desc%5B0%5D=1"
OVERRIDES = ("state_dir", "datasets_dir", "s3_server", "kafka", "metrics", "target")  # in addition to the ports
Secret = Annotated[SecretStr, Field(min_length=1)]


class Screen(NamedTuple):
    """A page that people open, and how they log in."""

    name: str
    url: str
    login: str


class Config(BaseModel):
    """Every variable of `.env.example`, in lower case; secrets are masked when printed."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    env_file: Path
    target: Literal["embedded", "compose"] = "embedded"
    state_dir: Path
    datasets_dir: Path

    home_port: Port
    airflow_port: Port
    mlflow_port: Port
    feast_port: Port
    console_port: Annotated[int, Field(gt=0, lt=55536)]
    s3_port: Port
    adminer_port: Port
    postgres_port: Port
    serving_port: Port
    objects_inner_port: Annotated[int, Field(gt=0, lt=65528)]
    kafka_port: Port
    kafka_inner_port: Annotated[int, Field(gt=0, lt=65535)]
    metrics_port: Port
    airflow_metrics_port: Port
    statsd_inner_port: Port

    home_admin_user: str
    home_admin_password: Secret
    home_users: SecretStr
    home_session_key: Secret
    airflow_admin_user: str
    airflow_admin_password: Secret
    home_airflow_password: Secret
    console_user: str
    console_password: Secret
    mlflow_admin_user: str
    mlflow_admin_password: Secret
    mlflow_pipelines_user: str
    mlflow_pipelines_password: Secret
    feast_admin_user: str
    feast_admin_password: Secret

    serving_token: Secret
    serving_files_token: Secret

    airflow_fernet_key: Secret
    airflow_jwt_secret: Secret
    airflow_secret_key: Secret

    postgres_superuser_password: Secret
    airflow_db_password: Secret
    mlflow_db_password: Secret
    feast_db_password: Secret
    platform_db_password: Secret
    reader_db_password: Secret
    serving_db_password: Secret
    alerts_db_password: Secret
    metrics_db_password: Secret

    s3_server: Literal["seaweedfs", "minio"]
    s3_admin_access_key: str
    s3_admin_secret_key: Secret
    s3_access_key: str
    s3_secret_key: Secret
    mlflow_s3_access_key: str
    mlflow_s3_secret_key: Secret
    logs_s3_access_key: str
    logs_s3_secret_key: Secret
    files_s3_access_key: str
    files_s3_secret_key: Secret
    log_retention_days: Annotated[int, Field(gt=0)]
    airflow__openlineage__disabled: Literal["True", "False"]
    openlineage_api_key: SecretStr | None = None
    openlineage__transport: SecretStr | None = None
    objects_signing_key: Secret

    kafka: Literal["0", "1"]
    kafka_admin_password: Secret
    kafka_pipelines_password: Secret
    kafka_stream_password: Secret
    kafka_producer_password: Secret
    kafka_inner_password: Secret

    mongodb_password: Secret

    metrics: Literal["0", "1"]
    airflow__metrics__statsd_on: Literal["True", "False"]
    grafana_admin_password: Secret

    @property
    def s3_url(self) -> str:
        """The address for S3 clients."""
        return f"http://{HOST}:{self.s3_port}"

    @property
    def mlflow_url(self) -> str:
        """The address for MLflow clients."""
        return f"http://{HOST}:{self.mlflow_port}"

    @property
    def airflow_url(self) -> str:
        """The address of Airflow's API."""
        return f"http://{HOST}:{self.airflow_port}"

    @property
    def home_url(self) -> str:
        """The address of the home page."""
        return f"http://{HOST}:{self.home_port}"

    @property
    def serving_url(self) -> str:
        """The address of the service that predicts over HTTP."""
        return f"http://{HOST}:{self.serving_port}"

    def database_uri(self, role: str, database: str | None = None, *, driver: str = "postgresql") -> str:
        """Return the address of a database with the password of `role` in it: a secret."""
        field = "postgres_superuser_password" if role == "postgres" else f"{role}_db_password"
        password: SecretStr = getattr(self, field)
        path = f"{HOST}:{self.postgres_port}/{database or role}"
        return f"{driver}://{role}:{quote(password.get_secret_value(), safe='')}@{path}"

    def source(self) -> dict[str, str]:
        """Return the variables with which another process of this machine reads these very settings by `load`."""
        names = [name for name in type(self).model_fields if name.endswith("_port") or name in OVERRIDES]
        return {"ENV_FILE": str(self.env_file)} | {name.upper(): str(getattr(self, name)) for name in names}

    def environment(self) -> dict[str, str]:
        """Return the variables for a client of the platform: a task, a test, the demo."""
        return {
            "S3_ENDPOINT_URL": self.s3_url,
            "S3_ACCESS_KEY": self.s3_access_key,
            "S3_SECRET_KEY": self.s3_secret_key.get_secret_value(),
            **self.mlflow_environment(),
            "MLFLOW_LOGGING_LEVEL": "ERROR",  # else the tasks' logs show its messages as errors
            # artifacts come through MLflow's server: presigned addresses would need access to the buckets
            "MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD": "false",
            "MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD": "false",
            **self.feast_environment(),
            **self.screen_urls(),
        }

    def mlflow_environment(self) -> dict[str, str]:
        """Return the variables for a client of MLflow, with the login of the pipelines."""
        return {
            "MLFLOW_TRACKING_URI": self.mlflow_url,
            "MLFLOW_TRACKING_USERNAME": self.mlflow_pipelines_user,
            "MLFLOW_TRACKING_PASSWORD": self.mlflow_pipelines_password.get_secret_value(),
        }

    def airflow_environment(self) -> dict[str, str]:
        """Return the variables for a client of Airflow's API, with the login of the home page."""
        return {
            "AIRFLOW_API_URL": self.airflow_url,
            "HOME_AIRFLOW_PASSWORD": self.home_airflow_password.get_secret_value(),
        }

    def feast_environment(self) -> dict[str, str]:
        """Return the variables that `feast_repo/feature_store.yaml` reads."""
        return {
            "DATASETS_DIR": str(self.datasets_dir),
            "FEAST_REGISTRY_URI": self.database_uri("feast", driver="postgresql+psycopg2"),
            "PLATFORM_DB_HOST": HOST,
            "PLATFORM_DB_PORT": str(self.postgres_port),
            "PLATFORM_DB_USER": "platform",
            "PLATFORM_DB_PASSWORD": self.platform_db_password.get_secret_value(),
            "FEAST_DB_USER": "feast",
            "FEAST_DB_PASSWORD": self.feast_db_password.get_secret_value(),
            "FEAST_USAGE": "False",
        }

    def screen_urls(self) -> dict[str, str]:
        """Return the addresses of the screens, as variables for the links in Airflow's menu and its DAG docs."""
        folders = {"seaweedfs": "files?path=/buckets/", "minio": "browser/"}[self.s3_server]
        urls = {f"{screen.name.upper()}_URL": screen.url for screen in self.screens()}
        return urls | {"BUCKETS_URL": f"{_page(self.console_port)}/{folders}"}

    def screens(self) -> list[Screen]:
        """Return the pages that people open, in the order in which they need them."""
        return [
            Screen("Home", _page(self.home_port), f"{self.home_admin_user} / HOME_ADMIN_PASSWORD"),
            Screen("Airflow", _page(self.airflow_port), f"{self.airflow_admin_user} / AIRFLOW_ADMIN_PASSWORD"),
            Screen("Console", _page(self.console_port), f"{self.console_user} / CONSOLE_PASSWORD"),
            Screen("MLflow", _page(self.mlflow_port), f"{self.mlflow_admin_user} / MLFLOW_ADMIN_PASSWORD"),
            Screen("Feast", _page(self.feast_port), f"{self.feast_admin_user} / FEAST_ADMIN_PASSWORD"),
            Screen("Adminer", self._adminer_page(), "reader / READER_DB_PASSWORD"),
        ]

    def _adminer_page(self) -> str:
        server = "postgres" if self.target == "compose" else f"{HOST}%3A{self.postgres_port}"
        return f"{_page(self.adminer_port)}/?pgsql={server}&username=reader&db=platform&{NEWEST_FILES}"


def hosts(port: int) -> str:
    """Return the values of the header `Host` that a page on a port of this machine answers, separated by commas."""
    return f"{HOST}:{port},localhost:{port}"


def _page(port: int) -> str:
    return f"http://localhost:{port}"


def env_path(env_file: Path | str | None = None) -> Path:
    """Return the path of the settings: by default that in the variable ENV_FILE, or `.env` beside this package."""
    return Path(env_file or os.environ.get("ENV_FILE") or ROOT / ".env").absolute()


def load(env_file: Path | str | None = None) -> Config:
    """Read the settings; a missing file is created, with new secrets.

    Args:
        env_file: by default that of `env_path`.

    Raises:
        ConfigError: a variable is missing or malformed; each is named.
    """
    path = env_path(env_file)
    secrets.ensure(path)
    values = {key.lower(): value for key, value in secrets.read(path).items()} | _overrides()
    values["state_dir"] = str(path.parent / values.get("state_dir", ".state"))
    values["datasets_dir"] = str(ROOT / values.get("datasets_dir", "datasets"))
    try:
        return Config.model_validate({**values, "env_file": path})
    except ValidationError as error:
        problems = "; ".join(f"{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
        raise ConfigError(f"{path} has missing or invalid variables ({problems}). See .env.example.") from None


def _overrides() -> dict[str, str]:
    names = [name for name in Config.model_fields if name.endswith("_port") or name in OVERRIDES]
    return {name: os.environ[name.upper()] for name in names if os.environ.get(name.upper())}
