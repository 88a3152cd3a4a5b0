"""MLflow: tracked trainings and the model registry."""

import shlex
from importlib.metadata import version

from stack.config import HOST, Config, hosts
from stack.servers import probes
from stack.servers.node import LOG_CONFIG, Server, base_environment, program


def server(config: Config) -> Server:
    """Describe the server: runs and models in Postgres, artifacts in its own bucket, a guard in front of it."""
    settings = {
        "MLFLOW_BACKEND_STORE_URI": config.database_uri("mlflow", driver="postgresql+psycopg2"),
        "MLFLOW_S3_ENDPOINT_URL": config.s3_url,
        "AWS_ACCESS_KEY_ID": config.mlflow_s3_access_key,
        "AWS_SECRET_ACCESS_KEY": config.mlflow_s3_secret_key.get_secret_value(),
        "AWS_DEFAULT_REGION": "us-east-1",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_CONFIGURE_LOGGING": "false",  # its loggers write as those of uvicorn do
        "MLFLOW_ADMIN_USER": config.mlflow_admin_user,
        "MLFLOW_ADMIN_PASSWORD": config.mlflow_admin_password.get_secret_value(),
        "MLFLOW_PIPELINES_USER": config.mlflow_pipelines_user,
        "MLFLOW_PIPELINES_PASSWORD": config.mlflow_pipelines_password.get_secret_value(),
    }
    listen = ("--host", HOST, "--port", str(config.mlflow_port), "--workers", "1")
    guard = ("--app-name", "ml-platform", "--allowed-hosts", hosts(config.mlflow_port))
    logs = ("--uvicorn-opts", f"--log-config {shlex.quote(str(LOG_CONFIG))}")
    artifacts = ("--serve-artifacts", "--artifacts-destination", "s3://mlflow")
    return Server(
        name="mlflow",
        command=(program("mlflow"), "server", *listen, *guard, *logs, *artifacts),
        environment=base_environment(config) | settings,
        probe=probes.http(f"{config.mlflow_url}/health"),
        version=version("mlflow"),
        needs=("dbinit", "objects"),
        ports={"MLFLOW_PORT": config.mlflow_port},
        directory=config.state_dir,
    )
