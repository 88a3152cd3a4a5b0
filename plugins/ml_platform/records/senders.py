"""Who dropped a file: the person of the home page, or the source that it was made from."""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from ml_platform.records.files import File
from ml_platform.specs.spec import Table
from ml_platform.storage.database import fetch

DROP = "drop a file"  # the action; its target is bucket/key
TOLERANCE = timedelta(minutes=1)  # between the times of Postgres and of the object store


def senders(table: Table, files: Iterable[File]) -> dict[File, str]:
    """Return who dropped each file, where that is known: the person, or `source (sql)`.

    The same key may be used again by another program. So the moment counts, too.

    Raises:
        ServiceError: Postgres is not available.
    """
    files = list(files)
    dropped = _drops(table.name, {target_of(one.bucket, one.key) for one in files})
    found: dict[File, str] = {}
    for one in files:
        by_person = dropped.get(target_of(one.bucket, one.key))
        if by_person and _fits(one.uploaded_at, *by_person[1:]):
            found[one] = by_person[0]
        elif table.is_made_of_rows(one.key):
            found[one] = f"source ({one.key.split('.')[1].split('-')[0]})"
    return found


def target_of(bucket: str, key: str) -> str:
    """Return the target of the action that drops a file."""
    return f"{bucket}/{key}"


def _drops(name: str, targets: set[str]) -> dict[str, tuple[Any, ...]]:
    """Return person, begin and end of the drops of a data set, by their target."""
    if not targets:
        return {}
    found = fetch(
        "SELECT target, person, began_at, coalesce(ended_at, began_at + interval '1 hour') FROM home.actions"
        " WHERE dataset = $1 AND action = $2 AND problem IS NULL"
        " AND target IN (SELECT jsonb_array_elements_text($3::text::jsonb)) ORDER BY began_at",
        *(name, DROP, json.dumps(sorted(targets))),
    )
    return {target: others for target, *others in found}  # type: ignore[misc] # a list of three


def _fits(uploaded_at: datetime | None, began: datetime, ended: datetime) -> bool:
    return uploaded_at is not None and began - TOLERANCE <= uploaded_at <= ended + TOLERANCE
