"""A data set with a source, buckets of others, and what must hold after a pull."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
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
from ml_platform.storage.database import fetch
from stack.config import Config
from tests.ml_platform.ingestion.upload_cases import make_dataset, new_name

ROOT = Path(__file__).resolve().parents[3]


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


def pull_in_a_process(feed: Feed, connection: SourceConnection) -> "subprocess.Popen[bytes]":
    """Start a pull in a process of its own, which a test may kill."""
    fields = vars(connection) | {"password": connection.password.get_secret_value(), "extra": dict(connection.extra)}
    command = [sys.executable, "-m", "tests.ml_platform.sources.puller"]
    return subprocess.Popen(
        [*command, feed.table.model_dump_json(exclude={"tables"}), json.dumps(fields)],
        env=os.environ | {"PYTHONPATH": f"{ROOT / 'plugins'}:{ROOT}"},
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )


def kill_pulls(
    feed: Feed, connection: SourceConnection, kills: int, arrive: Callable[[int], None], longest: float = 1.0
) -> int:
    """Kill pulls at random moments while rows arrive, load what lands, and catch up; return how many were killed.

    Args:
        feed: the source.
        connection: to it.
        kills: how often.
        arrive: puts the rows of an attempt, whose number it is given, into the source.
        longest: seconds until the latest kill.
    """
    chance, killed = random.Random(7), 0  # noqa: S311 – moments to kill at
    for attempt in range(kills):
        arrive(attempt)
        process = pull_in_a_process(feed, connection)
        assert process.stdout is not None
        process.stdout.readline()  # all is imported
        try:
            process.wait(delay := chance.uniform(0, longest))
            longest = max(delay, 0.2)  # it had ended by then: on a faster machine no kill would come in time
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            killed += 1
        process.stdout.close()
        if attempt % 2:
            load_all(feed)
    pull_and_load(feed, connection)
    return killed


def accounted(feed: Feed) -> tuple[int, int]:
    """Return how many rows of a source were loaded and how many were rejected.

    Raises:
        AssertionError: a range is not landed, overlaps another one, or its rows are not accounted for.
    """
    landed = fetch(
        "SELECT object_key, rows_landed, landed_at IS NOT NULL FROM sources.ranges WHERE dataset = $1", feed.table.name
    )
    assert all(is_landed for _, _, is_landed in landed)
    found = fetch(
        "SELECT rows_read, rows_loaded, rows_rejected FROM uploads.ledger WHERE dataset = $1", feed.table.name
    )
    assert sum(read for read, _, _ in found) == sum(loaded + rejected for _, loaded, rejected in found)
    return sum(loaded for _, loaded, _ in found), sum(rejected for _, _, rejected in found)
