"""What a user has at hand: the buckets, Airflow, the database as `reader`, MLflow and Feast, on one running stack."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import boto3
import psycopg2
import pytest
from mlflow import MlflowClient

from stack.airflow_api import Airflow
from stack.config import Config

PATIENCE = 600  # seconds; only a broken platform takes as long, also on a machine that others share
TRAINING = 1800  # seconds, of a whole training
ATTEMPTS = 3  # an outage is over by then; Airflow would go on for half an hour


@dataclass
class Buckets:
    """The bucket console's powers, through S3."""

    s3: Any

    def put(self, bucket: str, key: str, content: bytes) -> str:
        return self.s3.put_object(Bucket=bucket, Key=key, Body=content)["ETag"].strip('"')

    def get(self, bucket: str, key: str) -> bytes:
        return self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()

    def keys(self, bucket: str, prefix: str = "") -> list[str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]


def eventually(check: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """Return the first truthy answer; fail, naming what was awaited, if none comes in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := check():
            return answer
        time.sleep(1)
    pytest.fail(f"not within {seconds} s: {what}")


def all_succeeded(airflow: Airflow, dag_id: str) -> bool:
    """Tell whether a DAG has run and all runs succeeded; fail as soon as a task does, or was tried thrice in vain."""
    runs = airflow.runs(dag_id)
    for run in runs:
        for task in airflow.tasks(dag_id, run["dag_run_id"]):
            given_up = task.state == "failed" or (task.state == "up_for_retry" and task.attempt >= ATTEMPTS)
            assert not given_up, f"{dag_id}: task {task.label} failed; its log: {task.page}"
    return bool(runs) and all(run["state"] == "success" for run in runs)


@pytest.fixture(scope="module")
def buckets(stack: Config) -> Iterator[Buckets]:
    env = stack.environment()
    client = boto3.client(
        "s3",
        endpoint_url=env["S3_ENDPOINT_URL"],
        aws_access_key_id=env["S3_ACCESS_KEY"],
        aws_secret_access_key=env["S3_SECRET_KEY"],
        region_name="us-east-1",
    )
    yield Buckets(client)
    client.close()


@pytest.fixture(scope="module")
def airflow(stack: Config) -> Iterator[Airflow]:
    api = Airflow(stack.airflow_url, stack.airflow_admin_user, stack.airflow_admin_password.get_secret_value())
    yield api
    api.close()


@pytest.fixture(scope="module")
def query(stack: Config) -> Callable[..., list[tuple[Any, ...]]]:
    """Run SQL as the role `reader`, as Adminer does."""

    def run(sql: str, *values: Any) -> list[tuple[Any, ...]]:
        address = stack.database_uri("reader", "platform")
        with closing(psycopg2.connect(address)) as connection, connection.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall()

    return run


@pytest.fixture(scope="module")
def mlflow(stack: Config) -> MlflowClient:
    return MlflowClient(tracking_uri=stack.mlflow_url, registry_uri=stack.mlflow_url)
