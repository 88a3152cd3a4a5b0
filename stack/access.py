"""Buckets, and the rights of each user in them: `minio/buckets` and `minio/policies/*.json`, for every S3 server.

The policies are in the language of AWS IAM, and use only the part of it that every server here enforces.
"""

from collections import defaultdict
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from stack.config import ROOT
from stack.errors import ConfigError

FOLDER = ROOT / "minio"
ARN = "arn:aws:s3:::"
BUCKET_ACTIONS = {"s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"}
OBJECT_ACTIONS = {
    "s3:GetObject",
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:AbortMultipartUpload",
    "s3:ListMultipartUploadParts",
    "s3:GetObjectTagging",
    "s3:PutObjectTagging",
    "s3:DeleteObjectTagging",
}
DENIED = ["admin:*"]  # else MinIO's users can change their own password and create access keys


class Statement(BaseModel):
    """One statement of a policy."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sid: str = Field(default="", alias="Sid")
    effect: Literal["Allow", "Deny"] = Field(alias="Effect")
    actions: list[str] = Field(alias="Action")
    resources: list[str] = Field(default=[], alias="Resource")


class Policy(BaseModel):
    """A policy file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal["2012-10-17"] = Field(alias="Version")
    statements: list[Statement] = Field(alias="Statement")


def buckets(folder: Path = FOLDER) -> list[str]:
    """Return the names of all buckets."""
    return (folder / "buckets").read_text().split()


def buckets_of(policy: str) -> list[str]:
    """Return the names of the buckets in which a policy allows anything, sorted."""
    return sorted({scope.partition("/")[0] for scope in rights(policy)})


def rights(policy: str, folder: Path = FOLDER) -> dict[str, set[str]]:
    """Return the actions that a policy allows, by bucket, or by a folder of a bucket, such as `mlflow/training_sets`.

    Raises:
        ConfigError: the policy has a part that not every server enforces, or names an unknown bucket.
    """
    file = folder / "policies" / f"{policy}.json"
    known, allowed = buckets(folder), defaultdict(set)
    for statement in _read(file).statements:
        if statement.effect == "Deny":
            _check(file, "a Deny of", statement.actions, DENIED)
            continue
        for resource in statement.resources:
            scope = resource.removeprefix(ARN).removesuffix("/*")
            _check(file, "the resource", [resource], _resources(known, scope.partition("/")[2]))
            possible = OBJECT_ACTIONS if resource.endswith("/*") else BUCKET_ACTIONS
            _check(file, f"on {resource} the action", statement.actions, possible)
            allowed[scope].update(statement.actions)
    return dict(allowed)


def _resources(known: list[str], folder: str) -> list[str]:
    """Return the resources of each bucket: itself, its objects and, if the folder is a plain name, those in it."""
    ends = ["", "/*", *([f"/{folder}/*"] if folder.isidentifier() else [])]
    return [f"{ARN}{name}{end}" for name in known for end in ends]


def _read(file: Path) -> Policy:
    try:
        return Policy.model_validate_json(file.read_text())
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ConfigError(f"{file} is not a policy that can be read here ({problems}).") from None


def _check(file: Path, part: str, values: list[str], possible: set[str] | list[str]) -> None:
    for value in values:
        if value not in possible:
            raise ConfigError(f"{file}: {part} {value!r} is not possible; possible are {', '.join(sorted(possible))}.")
