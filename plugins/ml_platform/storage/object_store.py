"""Object storage: all calls of S3. Only `replace` and `rewrite` overwrite, and only a listed version is deleted."""

import hashlib
import io
import logging
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import dropwhile
from typing import Any, BinaryIO

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from ml_platform.exceptions import ServiceError, UploadChangedError
from ml_platform.settings import settings

log = logging.getLogger(__name__)

CHUNK_BYTES = 2**20
SINGLE_COPY_BYTES = 2**30  # larger objects are copied in parts
CHANGED = {"404", "NoSuchKey", "NotFound", "412", "PreconditionFailed"}
EXISTS = {"409", "412", "PreconditionFailed", "ConditionalRequestConflict"}


@dataclass(frozen=True)
class ObjectVersion:
    """One version of an object, from a listing or a HEAD request; `size` in bytes, `etag` with its quotes."""

    bucket: str
    key: str
    etag: str
    last_modified: datetime
    size: int


@dataclass(frozen=True)
class LocalCopy:
    """A local copy of an object: an open file, the SHA-256 of its bytes in hex, and their number."""

    file: BinaryIO
    sha256: str
    size: int


@lru_cache(maxsize=2)
def client(endpoint: str = "") -> Any:
    """Return this process's S3 client; path-style addresses work with every server."""
    config = Config(
        signature_version="s3v4",
        s3={"addressing_style": "path"},
        connect_timeout=5,
        read_timeout=30,
        retries={"mode": "standard", "total_max_attempts": 3},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return boto3.client(
        "s3",
        endpoint_url=endpoint or settings().s3_endpoint_url,
        aws_access_key_id=settings().s3_access_key,
        aws_secret_access_key=settings().s3_secret_key.get_secret_value(),
        region_name="us-east-1",
        config=config,
    )


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def translated(bucket: str, key: str) -> Iterator[None]:
    """Translate boto3's exceptions into the platform's."""
    try:
        yield
    except ClientError as error:
        if _code(error) in CHANGED:
            raise UploadChangedError(f"s3://{bucket}/{key} was replaced or removed") from error
        raise ServiceError(f"s3://{bucket}/{key}: {error}") from error
    except (BotoCoreError, HTTPError) as error:
        raise ServiceError(f"s3://{bucket}/{key}: {error}") from error


def list_objects(bucket: str, prefix: str = "") -> list[ObjectVersion]:
    """Return the objects whose key starts with a prefix, sorted by key."""
    with translated(bucket, prefix):
        pages = list(client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix))
    entries = [entry for page in pages for entry in page.get("Contents", [])]
    return [ObjectVersion(bucket, e["Key"], e["ETag"], e["LastModified"], e["Size"]) for e in entries]


def head(bucket: str, key: str) -> ObjectVersion | None:
    """Return the current version of an object, or None if there is none."""
    try:
        with translated(bucket, key):
            answer = client().head_object(Bucket=bucket, Key=key)
    except UploadChangedError:
        return None
    return ObjectVersion(bucket, key, answer["ETag"], answer["LastModified"], answer["ContentLength"])


def is_current(version: ObjectVersion) -> bool:
    """Return whether this is still the current version of the object."""
    now = head(version.bucket, version.key)
    return now is not None and (now.etag, now.last_modified) == (version.etag, version.last_modified)


@contextmanager
def local_copy(version: ObjectVersion) -> Iterator[LocalCopy]:
    """Copy an object to a temporary file in one consistent read, and hash it; memory stays bounded.

    Raises:
        UploadChangedError: the object was replaced or removed before the end of the read.
        ServiceError: the server failed, or sent fewer or more bytes than it announced.
    """
    with tempfile.TemporaryFile(prefix="upload-") as file:
        digest, size = hashlib.sha256(), 0
        with translated(version.bucket, version.key):
            answer = client().get_object(Bucket=version.bucket, Key=version.key, IfMatch=version.etag)
            for chunk in answer["Body"].iter_chunks(CHUNK_BYTES):
                digest.update(chunk)
                size += file.write(chunk)
        if not is_current(version):
            raise UploadChangedError(f"s3://{version.bucket}/{version.key} was replaced or removed while it was read")
        if size != answer["ContentLength"]:
            raise ServiceError(
                f"s3://{version.bucket}/{version.key}: got {size:,} of {answer['ContentLength']:,} bytes"
            )
        file.seek(0)
        yield LocalCopy(file, digest.hexdigest(), size)


def chunks(version: ObjectVersion) -> Iterator[bytes]:
    """Yield the bytes of a version in pieces of `CHUNK_BYTES` at most.

    Raises:
        UploadChangedError: the object was replaced or removed.
        ServiceError: the server failed.
    """
    with translated(version.bucket, version.key):
        answer = client().get_object(Bucket=version.bucket, Key=version.key, IfMatch=version.etag)
        with closing(answer["Body"]) as body:
            yield from body.iter_chunks(CHUNK_BYTES)


def get(bucket: str, key: str) -> bytes:
    """Return the bytes of a small object.

    Raises:
        UploadChangedError: there is none.
    """
    with translated(bucket, key):
        body: bytes = client().get_object(Bucket=bucket, Key=key)["Body"].read()
    return body


def put_new(bucket: str, key: str, data: bytes | BinaryIO, content_type: str = "application/octet-stream") -> bool:
    """Write an object unless the key exists; return whether it was written."""
    body = io.BytesIO(data) if isinstance(data, bytes) else data
    return _call_unless_exists(client().put_object, bucket, key, Body=body, ContentType=content_type, IfNoneMatch="*")


def replace(bucket: str, key: str, data: bytes, content_type: str) -> bool:
    """Write an object that only the platform writes, over an older one; return whether the bytes were not there yet."""
    if head(bucket, key) is not None and get(bucket, key) == data:
        return False
    with translated(bucket, key):
        client().put_object(Bucket=bucket, Key=key, Body=data, ContentType=content_type)
    return True


def rewrite(version: ObjectVersion, file: BinaryIO) -> None:
    """Write other bytes in place of a version, all at once; the replaced bytes are not kept.

    Raises:
        UploadChangedError: it is not the current version any more; nothing is written.
        ServiceError: the server failed; run it again.
    """
    where = {"Bucket": version.bucket, "Key": version.key}
    with translated(version.bucket, version.key):
        answer = client().head_object(**where, IfMatch=version.etag)
        written = client().put_object(**where, Body=file, ContentType=answer["ContentType"], IfMatch=version.etag)
        if "VersionId" in written:
            for version_id in _version_ids_until(version):
                client().delete_object(**where, VersionId=version_id)


def _call_unless_exists(call: Any, bucket: str, key: str, **arguments: Any) -> bool:
    with translated(bucket, key):
        try:
            call(Bucket=bucket, Key=key, **arguments)
        except ClientError as error:
            if _code(error) not in EXISTS or head(bucket, key) is None:
                raise
            return False
    return True


def move(version: ObjectVersion, target: str) -> bool:
    """Move a version of an object within its bucket; idempotent. A newer version is neither moved nor removed.

    Returns:
        Whether the version is at the target now. If not, it was replaced before, and the newer version stays.
    """
    if is_current(version) and head(version.bucket, target) is None:
        _copy(version, target)
    moved = head(version.bucket, target) is not None
    if moved and is_current(version):
        remove(version)
    return moved


def _copy(version: ObjectVersion, target: str) -> None:
    source = {"Bucket": version.bucket, "Key": version.key}
    if version.size < SINGLE_COPY_BYTES:
        arguments = {"CopySource": source, "CopySourceIfMatch": version.etag, "IfNoneMatch": "*"}
        _call_unless_exists(client().copy_object, version.bucket, target, **arguments)
        return
    with translated(version.bucket, version.key):
        parts = TransferConfig(multipart_threshold=SINGLE_COPY_BYTES, multipart_chunksize=SINGLE_COPY_BYTES // 4)
        client().copy(source, version.bucket, target, ExtraArgs={"CopySourceIfMatch": version.etag}, Config=parts)


def remove(version: ObjectVersion) -> None:
    """Remove a version of an object; a newer one stays. A version that is not there any more is no error."""
    where = {"Bucket": version.bucket, "Key": version.key}
    try:
        with translated(version.bucket, version.key):
            if "VersionId" not in client().head_object(**where):
                client().delete_object(**where, IfMatch=version.etag)
                return
            # MinIO ignores If-Match on DELETE, so its inbox buckets are versioned.
            for version_id in _version_ids_until(version):
                client().delete_object(**where, VersionId=version_id)
    except UploadChangedError:
        log.warning("s3://%s/%s was replaced during the move; the newer version stays", version.bucket, version.key)


def _version_ids_until(version: ObjectVersion) -> list[str]:
    """Return the ids of this and all older versions, oldest first; an older version that stayed would reappear."""
    pages = client().get_paginator("list_object_versions").paginate(Bucket=version.bucket, Prefix=version.key)
    versions = [entry for page in pages for entry in page.get("Versions", []) if entry["Key"] == version.key]

    def is_newer(entry: dict[str, Any]) -> bool:
        modified = entry["LastModified"].replace(microsecond=0)  # HEAD gives whole seconds only
        return (entry["ETag"], modified) != (version.etag, version.last_modified)

    return [entry["VersionId"] for entry in dropwhile(is_newer, versions)][::-1]
