"""Attempts to take a file of an inbox: a file whose attempt failed waits before the next one, longer each time.

An attempt is recorded before it begins. So it also counts if its process is killed.
"""

import math
from datetime import datetime

from ml_platform.storage.database import fetch, transaction
from ml_platform.storage.object_store import ObjectVersion

FIRST_PAUSE = 5  # seconds after the first attempt; then twice as long each time
LONGEST_PAUSE = 300  # seconds
UNTIL_THE_SPEC_CHANGES = math.inf


def begin(version: ObjectVersion, spec_sha256: str) -> None:
    """Record that an attempt begins, and when the next one may follow if this one does not end well."""
    pause = f"least({FIRST_PAUSE} * 2 ^ least(a.attempts, 20), {LONGEST_PAUSE}) * interval '1 second'"
    same = "(a.etag, a.last_modified, a.spec_sha256) = (excluded.etag, excluded.last_modified, excluded.spec_sha256)"
    with transaction() as cursor:
        cursor.execute(
            "INSERT INTO uploads.attempts AS a"  # noqa: S608 – only constants are combined
            " (bucket, object_key, etag, last_modified, spec_sha256, attempts, next_attempt)"
            f" VALUES ($1, $2, $3, $4::text::timestamptz, $5, 1, now() + interval '{FIRST_PAUSE} seconds')"
            " ON CONFLICT (bucket, object_key) DO UPDATE SET etag = excluded.etag,"
            " last_modified = excluded.last_modified, spec_sha256 = excluded.spec_sha256,"
            f" attempts = CASE WHEN {same} THEN a.attempts + 1 ELSE 1 END,"
            f" next_attempt = CASE WHEN {same} THEN now() + {pause} ELSE excluded.next_attempt END, problem = NULL",
            (version.bucket, version.key, version.etag, version.last_modified.isoformat(), spec_sha256),
        )


def end(version: ObjectVersion) -> None:
    """Forget the attempts of a file that was taken."""
    with transaction() as cursor:
        cursor.execute(
            "DELETE FROM uploads.attempts WHERE bucket = $1 AND object_key = $2", (version.bucket, version.key)
        )


def record_problem(version: ObjectVersion, problem: str) -> None:
    """Record why an attempt failed, for people who wait for the file."""
    with transaction() as cursor:
        cursor.execute(
            "UPDATE uploads.attempts SET problem = $3 WHERE bucket = $1 AND object_key = $2",
            (version.bucket, version.key, problem),
        )


def wait_for_another_spec(version: ObjectVersion) -> None:
    """Let a file wait until its spec changes: another attempt with the same spec cannot help."""
    with transaction() as cursor:
        cursor.execute(
            "UPDATE uploads.attempts SET next_attempt = NULL WHERE bucket = $1 AND object_key = $2",
            (version.bucket, version.key),
        )


def pauses(bucket: str, spec_sha256: str) -> dict[tuple[str, str, datetime], float]:
    """Return for how many seconds files wait for their next attempt, by key, ETag and time of the upload.

    Args:
        bucket: of the files.
        spec_sha256: the hash of the current spec; attempts with another one do not count.
    """
    found = fetch(
        "SELECT object_key, etag, last_modified, extract(epoch FROM next_attempt - clock_timestamp())::float8"
        " FROM uploads.attempts"
        " WHERE bucket = $1 AND spec_sha256 = $2 AND coalesce(next_attempt > clock_timestamp(), true)",
        bucket,
        spec_sha256,
    )
    return {
        (key, etag, moment): UNTIL_THE_SPEC_CHANGES if seconds is None else seconds
        for key, etag, moment, seconds in found
    }
