"""MLflow: tracked trainings and the model registry."""

from importlib.metadata import version

from stack.config import HOST, Config
from stack.servers import probes
from stack.servers.node import Server, base_environment, program


def server(config: Config) -> Server:
    """Describe the server: runs and models in Postgres, artifacts in its own bucket."""
    hosts = ",".join(f"{host}:{config.mlflow_port}" for host in (HOST, "localhost"))
    settings = {
        "MLFLOW_BACKEND_STORE_URI": config.database_uri("mlflow", driver="postgresql+psycopg2"),
        "MLFLOW_S3_ENDPOINT_URL": config.s3_url,
        "AWS_ACCESS_KEY_ID": config.mlflow_s3_access_key,
        "AWS_SECRET_ACCESS_KEY": config.mlflow_s3_secret_key.get_secret_value(),
        "AWS_DEFAULT_REGION": "us-east-1",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    listen = ("--host", HOST, "--port", str(config.mlflow_port), "--allowed-hosts", hosts, "--workers", "1")
    return Server(
        name="mlflow",
        command=(program("mlflow"), "server", *listen, "--serve-artifacts", "--artifacts-destination", "s3://mlflow"),
        environment=base_environment(config) | settings,
        probe=probes.http(f"{config.mlflow_url}/health"),
        version=version("mlflow"),
        needs=("dbinit", "objects"),
        ports={"MLFLOW_PORT": config.mlflow_port},
        directory=config.state_dir,
    )
