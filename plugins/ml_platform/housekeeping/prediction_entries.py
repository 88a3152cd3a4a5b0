"""Entries in the logs of predictions that are older than their retention, removed in small transactions."""

from datetime import datetime

from ml_platform.storage.database import fetch

TABLES = ("predictions.log", "predictions.shadow")
OLD = "WHERE model = $1 AND requested_at < $2::text::timestamptz"


def count_before(model: str, moment: datetime) -> int:
    """Return the number of entries of a model that were requested before a moment."""
    return sum(fetch(f"SELECT count(*) FROM {table} {OLD}", model, moment.isoformat())[0][0] for table in TABLES)  # noqa: S608


def remove_before(model: str, moment: datetime, most: int) -> int:
    """Remove at most so many of them from each table, in small transactions; return how many.

    Raises:
        ServiceError: Postgres is not available; run it again.
    """
    return sum(_remove(table, model, moment, most) for table in TABLES)


def _remove(table: str, model: str, moment: datetime, most: int) -> int:
    number: int = fetch(
        f"WITH removed AS (DELETE FROM {table} WHERE ctid IN (SELECT ctid FROM {table} {OLD} LIMIT $3::int)"  # noqa: S608
        " RETURNING 1) SELECT count(*) FROM removed",
        *(model, moment.isoformat(), most),
    )[0][0]
    return number
