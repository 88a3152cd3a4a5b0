"""A data set with a source, buckets of others, and what must hold after a pull."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import boto3
from botocore.config import Config as ClientConfig
from pydantic import SecretStr

from ml_platform.ingestion import inbox, uploads
from ml_platform.ingestion.upload_report import UploadReport
from ml_platform.sources.connection import SourceConnection
from ml_platform.sources.pull import pull
from ml_platform.sources.ranges import Feed
from ml_platform.specs.parts import Purpose
from ml_platform.specs.spec import Dataset
from stack.config import Config
from tests.ml_platform.ingestion.upload_cases import make_dataset, new_name


def feed_of(source: dict[str, Any], purpose: Purpose = "train", **changes: Any) -> Feed:
    """Return a source of a new data set."""
    dataset = make_dataset(new_name(), source={purpose: source}, **changes)
    found = dataset.source_of(purpose)
    assert found is not None
    return Feed(dataset, purpose, found)


def pull_and_load(feed: Feed, connection: SourceConnection) -> list[UploadReport]:
    """Pull what is new and load it; return the reports, the oldest file first."""
    pull(feed, connection, by="a test")
    return load_all(feed)


def load_all(feed: Feed) -> list[UploadReport]:
    assert isinstance(feed.table, Dataset)
    return [uploads.ingest(feed.table, version.key) for version in inbox.look(feed.table, "train").due]


def s3_connection(config: Config, **changes: Any) -> SourceConnection:
    """Return a connection to the object store, with all rights."""
    fields = {
        "name": "partner",
        "kind": "aws",
        "login": config.s3_admin_access_key,
        "password": config.s3_admin_secret_key,
        "extra": {"endpoint_url": config.s3_url, "config_kwargs": {"retries": {"total_max_attempts": 1}}},
    }
    return SourceConnection(**(fields | changes))


def s3_client(connection: SourceConnection) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=connection.extra["endpoint_url"],
        aws_access_key_id=connection.login,
        aws_secret_access_key=connection.password.get_secret_value(),
        region_name="us-east-1",
        config=ClientConfig(s3={"addressing_style": "path"}),
    )


@contextmanager
def foreign_bucket(connection: SourceConnection) -> Iterator[str]:
    """Make a bucket that belongs to others."""
    name, client = f"partner-{uuid4().hex[:8]}", s3_client(connection)
    client.create_bucket(Bucket=name)
    try:
        yield name
    finally:
        for entry in client.list_objects_v2(Bucket=name).get("Contents", ()):
            client.delete_object(Bucket=name, Key=entry["Key"])
        client.delete_bucket(Bucket=name)


def no_login(connection: SourceConnection) -> SourceConnection:
    return SourceConnection(**{**vars(connection), "password": SecretStr("not this one")})
