"""Entries in the log of predictions that are older than their retention, removed in small transactions."""

from datetime import datetime

from ml_platform.storage.database import fetch

COUNT = "SELECT count(*) FROM predictions.log WHERE model = $1 AND requested_at < $2::text::timestamptz"
REMOVE = """
WITH removed AS (DELETE FROM predictions.log WHERE ctid IN (SELECT ctid FROM predictions.log
    WHERE model = $1 AND requested_at < $2::text::timestamptz LIMIT $3::int) RETURNING 1)
SELECT count(*) FROM removed"""


def count_before(model: str, moment: datetime) -> int:
    """Return the number of entries of a model that were requested before a moment."""
    number: int = fetch(COUNT, model, moment.isoformat())[0][0]
    return number


def remove_before(model: str, moment: datetime, most: int) -> int:
    """Remove at most so many of them, in one transaction; return how many.

    Raises:
        ServiceError: Postgres is not available; run it again.
    """
    number: int = fetch(REMOVE, model, moment.isoformat(), most)[0][0]
    return number
