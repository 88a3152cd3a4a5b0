"""The service that answers over HTTP with the live models."""

from importlib.metadata import version

from stack import health
from stack.config import HOST, Config
from stack.servers import Server, base_environment, program

NO_KEY = {"S3_ENDPOINT_URL": "", "S3_ACCESS_KEY": "", "S3_SECRET_KEY": ""}  # models come through MLflow


def serving(config: Config) -> Server:
    """Describe the service. It is healthy without a model too: there is none on a new platform."""
    password = config.serving_db_password.get_secret_value()
    own = {
        "FEAST_REGISTRY_URI": config.database_uri("serving", "feast", driver="postgresql+psycopg2"),
        "FEAST_DB_USER": "serving",
        "FEAST_DB_PASSWORD": password,
        "PLATFORM_DB_USER": "serving",
        "PLATFORM_DB_PASSWORD": password,
        "SERVING_HOST": HOST,
        "SERVING_PORT": str(config.serving_port),
        "SERVING_TOKEN": config.serving_token.get_secret_value(),
        "MLFLOW_TRACKING_URI": config.mlflow_url,
        "MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD": "false",
    }
    return Server(
        name="serving",
        command=(program("python"), "-m", "ml_platform.serving"),
        environment=base_environment(config) | config.feast_environment() | NO_KEY | own,
        probe=health.http(f"{config.serving_url}/live"),
        version=version("fastapi"),
        needs=("mlflow", "feast-apply"),
        ports={"SERVING_PORT": config.serving_port},
        directory=config.state_dir,
    )
