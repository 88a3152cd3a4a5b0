"""The service that predicts over HTTP with the live models, and takes files in."""

from importlib.metadata import version

from stack.config import HOST, Config
from stack.servers import probes
from stack.servers.node import Server, base_environment, program

NO_S3_KEY = {"S3_ENDPOINT_URL": "", "S3_ACCESS_KEY": "", "S3_SECRET_KEY": ""}  # models come from MLflow


def server(config: Config) -> Server:
    """Describe the service. It is healthy without a model too, because a new platform has none."""
    own = {
        "SERVING_HOST": HOST,
        "SERVING_PORT": str(config.serving_port),
        "SERVING_TOKEN": config.serving_token.get_secret_value(),
        "SERVING_FILES_TOKEN": config.serving_files_token.get_secret_value(),
        "DATASETS_DIR": str(config.datasets_dir),
        "S3_ENDPOINT_URL": config.s3_url,  # to drop files and fetch results, with rights to nothing else
        "S3_ACCESS_KEY": config.files_s3_access_key,
        "S3_SECRET_KEY": config.files_s3_secret_key.get_secret_value(),
    }
    return Server(
        name="serving",
        command=(program("python"), "-m", "ml_platform.serving"),
        environment=base_environment(config) | client_environment(config) | own,
        probe=probes.http(f"{config.serving_url}/live"),
        version=version("fastapi"),
        needs=("mlflow", "feast-apply"),
        ports={"SERVING_PORT": config.serving_port},
        directory=config.state_dir,
    )


def client_environment(config: Config) -> dict[str, str]:
    """Return the variables of a server that predicts: models come from MLflow, and it has a role of its own."""
    password = config.serving_db_password.get_secret_value()
    own = {
        "FEAST_REGISTRY_URI": config.database_uri("serving", "feast", driver="postgresql+psycopg2"),
        "FEAST_DB_USER": "serving",
        "FEAST_DB_PASSWORD": password,
        "PLATFORM_DB_USER": "serving",
        "PLATFORM_DB_PASSWORD": password,
        "MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD": "false",
    }
    return config.feast_environment() | config.mlflow_environment() | NO_S3_KEY | own
