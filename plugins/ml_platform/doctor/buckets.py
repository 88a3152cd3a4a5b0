"""The buckets, and what each identity of a service may do in them."""

from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError

from stack import access
from stack.backup import archive
from stack.config import Config

KEY = "ml-platform-doctor"  # of an object that does not exist
NO_UPLOAD = "0" * 32
FORBIDDEN = 403


def missing_buckets(config: Config) -> Iterator[str]:
    """Yield the buckets that do not exist."""
    there = _buckets(config)
    yield from (f"the bucket {name} does not exist" for name in access.buckets() if name not in there)


def rights(config: Config) -> Iterator[str]:
    """Yield what an identity may do and should not, or should and may not. Nothing is written."""
    identities = {
        "platform": (config.s3_access_key, config.s3_secret_key),
        "mlflow": (config.mlflow_s3_access_key, config.mlflow_s3_secret_key),
        "logs": (config.logs_s3_access_key, config.logs_s3_secret_key),
        "files": (config.files_s3_access_key, config.files_s3_secret_key),
    }
    there = _buckets(config)
    for policy, login in identities.items():
        allowed = access.rights(policy)
        for scope in sorted({*there.intersection(access.buckets()), *allowed}):
            bucket, _, folder = scope.partition("/")
            if bucket in there:
                expected = allowed.get(scope, set()) | (allowed.get(bucket, set()) if folder else set())
                yield from _differences(policy, archive.connect_as(config, *login), bucket, folder, expected)


def _differences(policy: str, s3: Any, bucket: str, folder: str, expected: set[str]) -> Iterator[str]:
    where = {"Bucket": bucket, "Key": f"{folder}/{KEY}" if folder else KEY}
    calls: dict[str, Callable[[], Any]] = {
        "s3:GetObject": lambda: s3.get_object(**where),
        # an upload that does not exist: the right is checked first, and nothing is written
        "s3:PutObject": lambda: s3.upload_part(**where, UploadId=NO_UPLOAD, PartNumber=1, Body=b""),
    }
    if not folder:
        calls["s3:ListBucket"] = lambda: s3.list_objects_v2(Bucket=bucket, MaxKeys=1)
    for action, call in calls.items():
        if (may := _is_allowed(call)) != (action in expected):
            place = f"{bucket}/{folder}" if folder else bucket
            yield f"the identity {policy} {'has' if may else 'lacks'} the right {action} in {place}"


def _is_allowed(call: Callable[[], Any]) -> bool:
    try:
        call()
    except ClientError as error:
        return bool(error.response["ResponseMetadata"]["HTTPStatusCode"] != FORBIDDEN)
    return True


def _buckets(config: Config) -> set[str]:
    return {bucket["Name"] for bucket in archive.connect(config).list_buckets()["Buckets"]}
