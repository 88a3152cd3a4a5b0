"""A second MLflow, as production has it: a database and a bucket of its own, and a login."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import psycopg2
import requests
from pydantic import SecretStr

from ml_platform.environments.environment import Environment
from stack.servers import mlflow
from tests.conftest import spare_port

if TYPE_CHECKING:
    from stack.config import Config

BUCKET = "mlflow-production"
LOGIN, PASSWORD = "admin", "a secret: 7%@/"


@contextmanager
def second_registry(config: "Config", folder: Path) -> Iterator[Environment]:
    """Start it beside the servers of a stack, and stop it at the end."""
    port = spare_port(config)
    store(config).create_bucket(Bucket=BUCKET)
    database = _make_database(config)
    described = mlflow.server(config.model_copy(update={"mlflow_port": port}))
    settings = folder / "basic_auth.ini"
    settings.write_text(
        "[mlflow]\ndefault_permission = NO_PERMISSIONS\n"
        f"database_uri = sqlite:///{folder / 'users.db'}\nadmin_username = {LOGIN}\n"
        "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n"
        "auth_cache_ttl_seconds = 600\n"  # a password is slow to check, by design
    )
    environment = described.environment | {
        "MLFLOW_BACKEND_STORE_URI": database,
        "AWS_ACCESS_KEY_ID": config.s3_admin_access_key,
        "AWS_SECRET_ACCESS_KEY": config.s3_admin_secret_key.get_secret_value(),
        "MLFLOW_AUTH_CONFIG_PATH": str(settings),
        "MLFLOW_AUTH_ADMIN_PASSWORD": PASSWORD,
        "MLFLOW_FLASK_SERVER_SECRET_KEY": "of the tests",
    }
    command = [part.replace("s3://mlflow", f"s3://{BUCKET}") for part in described.command]
    with (folder / "mlflow.log").open("wb") as log:
        server = subprocess.Popen(
            [*command, "--app-name", "basic-auth"],
            env=environment, cwd=folder, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(f"{url}/health", server, folder / "mlflow.log")
        yield Environment("production", url, LOGIN, SecretStr(PASSWORD))
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=30)


def store(config: "Config") -> Any:
    """Return an S3 client that may do all there, also what nobody should."""
    return boto3.client(
        "s3",
        endpoint_url=config.s3_url,
        aws_access_key_id=config.s3_admin_access_key,
        aws_secret_access_key=config.s3_admin_secret_key.get_secret_value(),
        region_name="us-east-1",
    )


def _make_database(config: "Config") -> str:
    with closing(psycopg2.connect(config.database_uri("postgres"))) as connection:
        connection.autocommit = True  # a database is not made in a transaction
        with connection.cursor() as cursor:
            cursor.execute("CREATE DATABASE mlflow_production")
    return config.database_uri("postgres", "mlflow_production", driver="postgresql+psycopg2")


def _wait(url: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(240):
        try:
            if requests.get(url, timeout=1).ok:
                return
        except requests.ConnectionError:
            pass
        if server.poll() is not None:
            break
        time.sleep(0.5)
    raise AssertionError(f"the second MLflow does not start:\n{log.read_text()[-3000:]}")
