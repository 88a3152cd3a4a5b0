"""What the platform itself recorded about a version, in Postgres: no user of MLflow can change it.

The step that registers a version records its tags, among them the digest of its files. The gate records its decision,
and each change of the alias is recorded before it is made. A load compares MLflow with these records.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlflow.entities.model_registry import ModelVersion

from ml_platform.exceptions import RegistryError
from ml_platform.registry import version_tags
from ml_platform.storage import database


@dataclass(frozen=True)
class VersionRecord:
    """The record of a version.

    Attributes:
        tags: as they were written when it was registered, `model_sha256` among them, but none about a promotion.
        decision: of the gate: promoted, kept or refused; None if it has not decided about it.
        was_live: whether the platform ever made it the champion, or was about to.
    """

    tags: Mapping[str, str]
    decision: str | None
    was_live: bool


def record(cursor: Any, version: ModelVersion, by: str) -> None:
    """Record a version with the tags that it has, but for those about a promotion, in the caller's transaction.

    Args:
        cursor: of the transaction.
        version: as the caller has just registered, or checked, it.
        by: the step, or the user.
    """
    tags = version_tags.without_promotion(version.tags)
    database.rows(
        cursor,
        "INSERT INTO models.versions (model, version, run_id, model_sha256, tags, recorded_by)"
        " VALUES ($1, $2::int, $3, $4, $5::text::jsonb, $6) ON CONFLICT (model, version, run_id)"
        " DO UPDATE SET model_sha256 = excluded.model_sha256, tags = excluded.tags, recorded_by = excluded.recorded_by,"
        " recorded_at = now() RETURNING version",
        *_key(version),
        *(tags.pop("model_sha256"), json.dumps(tags), by),
    )


def read(version: ModelVersion) -> VersionRecord | None:
    """Return the record of a version; None if the platform did not make it.

    The key includes the run: a model that was deleted in MLflow counts its versions from 1 again.
    """
    rows = database.fetch(
        "SELECT tags::text, decision, was_live FROM models.trusted WHERE model = $1 AND version = $2 AND run_id = $3",
        *_key(version),
    )
    # Records from before the promotion tags were left out still have them.
    return VersionRecord(version_tags.without_promotion(json.loads(rows[0][0])), *rows[0][1:]) if rows else None


def get(version: ModelVersion) -> VersionRecord:
    """Return the record of a version.

    Raises:
        RegistryError: there is none.
        ServiceError: Postgres is not available.
    """
    recorded = read(version)
    if recorded is None:
        raise RegistryError(
            "no training of this platform has recorded it. If another platform promoted it, accept it: "
            f"./ml-platform models accept {version.name} {version.version} --reason ..."
        )
    return recorded


def check(version: ModelVersion) -> VersionRecord:
    """Compare a version's tags with its record, and return the record.

    Raises:
        RegistryError: there is no record, or a tag differs from it.
        ServiceError: Postgres is not available.
    """
    recorded = get(version)
    for tag, text in recorded.tags.items():
        if (actual := version.tags.get(tag, "")) != text:
            raise RegistryError(f"the tag {tag!r} is {actual!r}, but {text!r} was recorded when it was registered")
    return recorded


def check_live(version: ModelVersion) -> None:
    """Compare a version's tags with its record, and check that the platform ever made it live.

    Raises:
        RegistryError: see `check`; or the alias was moved to it in MLflow only.
        ServiceError: Postgres is not available.
    """
    recorded = check(version)
    if not recorded.was_live:
        decision = "decided nothing about it" if recorded.decision is None else f"decided: {recorded.decision}"
        raise RegistryError(
            f"the platform never made it live; the gate {decision}. To make it live, do not move the alias in "
            f"MLflow: ./ml-platform models rollback {version.name} --to {version.version} --reason ..."
        )


def last_live(name: str) -> int | None:
    """Return the number of the version that the platform made live last; None if there is none."""
    rows = database.fetch(
        "SELECT version FROM models.trusted WHERE model = $1 AND last_movement IS NOT NULL"
        " ORDER BY last_movement DESC LIMIT 1",
        name,
    )
    return int(rows[0][0]) if rows else None


def _key(version: ModelVersion) -> tuple[str, int, str]:
    return version.name, int(version.version), version.run_id or ""
