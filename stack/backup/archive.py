"""A bucket as one tar file, and back: each object with its key, its content type and its metadata, streamed.

A key can be any text that S3 allows (`../x`, `/etc/passwd`, a kilobyte of signs), so it is never the name of a file:
members have numbers, and key and metadata are in a header of the tar format that other programs skip. `tar -t` shows
the keys to people in a harmless form.
"""

import json
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, BinaryIO, NamedTuple
from urllib.parse import quote

import boto3
import botocore.config
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import BotoCoreError, ClientError
from pydantic import SecretStr
from urllib3.exceptions import HTTPError

from stack.config import Config
from stack.errors import BackupError

HEADER = "ML_PLATFORM.object"
PROPERTIES = ("ContentType", "CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "Metadata")
NOT_FOUND = ("404", "NoSuchKey")


class Contents(NamedTuple):
    """The number of a bucket's objects, and their size."""

    objects: int
    bytes: int


def connect(config: Config) -> Any:
    """Return an S3 client of the administrator: no other identity reads and writes every bucket."""
    return connect_as(config, config.s3_admin_access_key, config.s3_admin_secret_key)


def connect_as(config: Config, access_key: str, secret_key: SecretStr) -> Any:
    """Return an S3 client of an identity."""
    return boto3.client(
        "s3",
        endpoint_url=config.s3_url,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key.get_secret_value(),
        region_name="us-east-1",
        config=botocore.config.Config(
            s3={"addressing_style": "path"},
            proxies={},
            retries={"mode": "standard", "total_max_attempts": 3},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )


def contents(s3: Any, bucket: str) -> Contents:
    """Count a bucket's objects and their bytes."""
    with _errors_named(bucket):
        sizes = [entry["Size"] for entry in list_objects(s3, bucket)]
    return Contents(len(sizes), sum(sizes))


def pack(s3: Any, bucket: str, file: BinaryIO) -> Contents:
    """Write a bucket's objects, as they are now, to a tar file.

    Raises:
        BackupError: an object could not be read completely; it is named.
    """
    objects = size = 0
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar, _errors_named(bucket):
        for entry in list_objects(s3, bucket):
            with _errors_named(bucket, entry["Key"]):
                answer = _get(s3, bucket, entry["Key"])
                if answer is None:
                    continue
                with closing(answer["Body"]) as body:
                    tar.addfile(_member(objects + 1, entry["Key"], answer), body)
            objects, size = objects + 1, size + answer["ContentLength"]
            tar.members.clear()  # type: ignore[attr-defined]  # else all stay in memory; not in typeshed
    return Contents(objects, size)


def unpack(s3: Any, bucket: str, file: BinaryIO) -> None:
    """Put all objects of a tar file into a bucket.

    Raises:
        BackupError: an object could not be written; it is named.
    """
    sequential = TransferConfig(use_threads=False)  # only one part of an object in memory
    with tarfile.open(fileobj=file, mode="r:") as tar:
        while (member := tar.next()) is not None:
            properties = json.loads(member.pax_headers[HEADER])
            key = properties.pop("Key")
            with _errors_named(bucket, key):
                s3.upload_fileobj(tar.extractfile(member), bucket, key, ExtraArgs=properties, Config=sequential)
            tar.members.clear()  # type: ignore[attr-defined]  # as above


def list_objects(s3: Any, bucket: str) -> Iterator[dict[str, Any]]:
    """Yield S3's entry of each object: key, size and more."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        yield from page.get("Contents", [])


def _get(s3: Any, bucket: str, key: str) -> Any:
    """Return S3's answer; None if the object was removed after it was listed."""
    try:
        return s3.get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] in NOT_FOUND:
            return None
        raise


def _member(number: int, key: str, answer: dict[str, Any]) -> tarfile.TarInfo:
    member = tarfile.TarInfo(f"{number:08}-{quote(key, safe='')[:200]}")
    member.size, member.mode, member.mtime = answer["ContentLength"], 0o600, int(answer["LastModified"].timestamp())
    properties = {name: answer[name] for name in PROPERTIES if answer.get(name)}
    member.pax_headers = {HEADER: json.dumps({"Key": key, **properties})}
    return member


@contextmanager
def _errors_named(bucket: str, key: str = "") -> Iterator[None]:
    """Raise every error as a BackupError that names the object."""
    try:
        yield
    except (BotoCoreError, ClientError, HTTPError, OSError) as error:
        raise BackupError(f"s3://{bucket}/{key}: {error}") from error
