"""Objects under a prefix of a bucket that belongs to others: each version of one is copied in, and left as it is."""

import fnmatch
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import PurePosixPath
from typing import BinaryIO

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from ml_platform.exceptions import ConfigurationError, SourceAwayError
from ml_platform.sources.connection import SourceConnection
from ml_platform.sources.reader import Range, Reader, Reading, slug
from ml_platform.specs.sources import S3Source

CHUNK_BYTES = 2**20
REFUSED = {"401", "403", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch"}
MISSING = {"404", "NoSuchBucket", "NotFound"}
REPLACED = {"404", "NoSuchKey", "412", "PreconditionFailed"}
SETTINGS = {"read_timeout": 60, "connect_timeout": 10, "retries": {"mode": "standard", "total_max_attempts": 3}}


class S3Reader(Reader):
    """Reads a prefix. A partition is an object; its position is the version: time and ETag."""

    def __init__(self, source: S3Source, connection: SourceConnection) -> None:
        """Make a client from a connection of Airflow's type `aws`; nothing is asked yet."""
        super().__init__(source)
        self._spec = source
        self._connection = connection.name
        extra = dict(connection.extra)
        config = Config(s3={"addressing_style": "path"}, **{**SETTINGS, **extra.get("config_kwargs", {})})
        self._client = boto3.client(
            "s3",
            endpoint_url=extra.get("endpoint_url"),
            aws_access_key_id=connection.login or None,
            aws_secret_access_key=connection.password.get_secret_value() or None,
            aws_session_token=extra.get("aws_session_token"),
            region_name=extra.get("region_name", "us-east-1"),
            config=config,
        )

    def positions(self) -> dict[str, str]:
        """Return the version of each object whose key fits prefix and pattern."""
        with self._translated():
            return dict(self._objects())

    def _objects(self) -> Iterator[tuple[str, str]]:
        pages = self._client.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._spec.bucket, Prefix=self._spec.prefix):
            for entry in page.get("Contents", ()):
                rest = entry["Key"].removeprefix(self._spec.prefix)
                if not entry["Key"].endswith("/") and fnmatch.fnmatchcase(rest, self._spec.pattern):
                    yield entry["Key"], f"{entry['LastModified'].isoformat()} {entry['ETag']}"

    def next_range(self, partition: str, start: str, newest: str) -> Range | None:
        """Return the newest version of an object: versions that it replaced cannot be read any more."""
        return Range(partition, start, newest)

    def range_of(self, partition: str, start: str, end: str) -> Range:
        """Return the version of the object whose key is the partition, as it is now."""
        found = self.positions()
        if partition not in found:
            raise ConfigurationError(
                f"the partition of this source is the key of an object; s3://{self._spec.bucket} has no {partition!r} "
                f"that begins with {self._spec.prefix!r} and fits {self._spec.pattern!r}"
            )
        return Range(partition, "", found[partition])

    def read(self, part: Range, file: BinaryIO) -> Reading:
        """Copy an object as it is. A version that was replaced or removed meanwhile lands as no file."""
        etag = part.end.split(" ")[-1]
        try:
            with self._translated():
                answer = self._client.get_object(Bucket=self._spec.bucket, Key=part.partition, IfMatch=etag)
                shutil.copyfileobj(answer["Body"], file, CHUNK_BYTES)
        except _ReplacedError:
            return Reading(0, notes=(f"{part.partition!r} was replaced or removed before it was read",))
        return Reading(None)

    def lag(self, done: Mapping[str, str], newest: Mapping[str, str]) -> int:
        """Return how many objects are new."""
        return sum(done.get(key) != version for key, version in newest.items())

    def describe(self, positions: Mapping[str, str]) -> str:
        """Return the number of objects, and the time of the newest."""
        if not positions:
            return "no objects"
        return f"{len(positions):,} objects, the newest of {max(positions.values()).split(' ')[0]}"

    def file_name(self, part: Range) -> str:
        """Return a digest of the object's version, and the object's own name."""
        name = PurePosixPath(part.partition).name
        stem, dot, ending = name.partition(".")
        digest = sha256(json.dumps([part.partition, part.end]).encode()).hexdigest()[:10]
        return f"{digest}.{slug(stem)}{dot}{'.'.join(map(slug, ending.split('.')))}"

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Translate boto3's exceptions into the platform's; the text names the connection."""
        where = f"the bucket {self._spec.bucket!r} (connection {self._connection!r})"
        try:
            yield
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if error.operation_name == "GetObject" and code in REPLACED:
                raise _ReplacedError from error
            if code in REFUSED:
                raise ConfigurationError(f"{where} may not be read: {error}") from error
            if code in MISSING:
                raise ConfigurationError(f"{where} does not exist: {error}") from error
            raise SourceAwayError(f"{where}: {error}") from error
        except (BotoCoreError, HTTPError) as error:
            raise SourceAwayError(f"{where} cannot be reached: {error}") from error


class _ReplacedError(Exception):
    """The version of an object is not there any more."""
