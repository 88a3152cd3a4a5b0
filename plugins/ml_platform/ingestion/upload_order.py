# ruff: noqa: S608 – only constants are combined
"""The order of uploads: the times of each, and the files that have to be compared again when an earlier one changes.

Where the files of a table have no time, that of the upload decides which version of an entity is the newest.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ml_platform.ingestion.upload_report import UploadReport
from ml_platform.specs.label_files import LabelFiles
from ml_platform.specs.spec import Dataset, Table
from ml_platform.storage.database import rows

CONFLICT = "came with the same time but other values"  # in the reason of a row, as a file brought it before


@dataclass(frozen=True)
class Moments:
    """The times of an upload. If it is loaded a second time, because it was reopened, they are those of the first.

    Attributes:
        claimed_at: when it was loaded; the known time of rows with `known_at: load`.
        uploaded_at: when the file came into the bucket; the event time of rows that have none.
    """

    claimed_at: datetime
    uploaded_at: datetime


def new_moments(cursor: Any, dataset: str, last_modified: datetime) -> Moments:
    """Return the times of a new upload.

    Object stores may count in whole seconds. Of uploads in the same moment, each is a microsecond later than the last.
    """
    found = rows(
        cursor,
        "SELECT clock_timestamp(), CASE WHEN bool_or(uploaded_at = moment)"
        " THEN max(uploaded_at) + interval '1 microsecond' ELSE moment END"
        " FROM (SELECT $2::text::timestamptz AS moment) m LEFT JOIN uploads.ledger ON dataset = $1"
        " AND purpose = 'train' AND uploaded_at >= moment AND uploaded_at < moment + interval '1 second'"
        " GROUP BY moment",
        *(dataset, last_modified.isoformat()),
    )
    return Moments(*found[0])


def record_moments(cursor: Any, report: UploadReport, moments: Moments) -> None:
    """Write the times of the upload into the claimed entry."""
    cursor.execute(
        "UPDATE uploads.ledger SET claimed_at = $1::text::timestamptz, uploaded_at = $2::text::timestamptz"
        " WHERE dataset = $3 AND purpose = $4 AND sha256 = $5",
        (
            *(moments.claimed_at.isoformat(), moments.uploaded_at.isoformat()),
            *(report["dataset"], report["purpose"], report["sha256"]),
        ),
    )


def has_later_uploads(cursor: Any, dataset: str, moments: Moments) -> bool:
    """Return whether a file that was uploaded later is loaded already."""
    return bool(
        rows(
            cursor,
            "SELECT FROM uploads.ledger WHERE dataset = $1 AND purpose = 'train'"
            " AND uploaded_at > $2::text::timestamptz LIMIT 1",
            *(dataset, moments.uploaded_at.isoformat()),
        )
    )


def reopen(cursor: Any, table: Table, since: datetime) -> list[tuple[str, str]]:
    """Let the same bytes come again of all files that another file may have kept rows out of.

    These have rows that were already there, or that came with the same time but other values. With late labels it can
    be any file.

    Args:
        cursor: of the transaction that changes the rows of the other file.
        table: the spec.
        since: when the other file was uploaded. Without an event time, and of label files, it can only concern files
            uploaded later.

    Returns:
        SHA-256 and key of each, in the order of the uploads.
    """
    in_any_order = table.event_time and not isinstance(table, LabelFiles)
    # of a row of which the label was new, the features may have been there
    may_be_half = isinstance(table, Dataset) and table.label.late
    return rows(
        cursor,
        "WITH reopened AS (UPDATE uploads.ledger l SET is_reopened = true WHERE dataset = $1 AND purpose = 'train'"
        f" AND {'true' if in_any_order else 'uploaded_at > $2::text::timestamptz'}"
        f" AND ({may_be_half} OR rows_read > rows_loaded + rows_rejected OR EXISTS (SELECT FROM uploads.rejected_rows r"
        " WHERE (r.dataset, r.purpose, r.sha256) = (l.dataset, l.purpose, l.sha256) AND r.reason LIKE $3))"
        " RETURNING sha256, object_key, uploaded_at)"
        " SELECT sha256, object_key FROM reopened ORDER BY uploaded_at, sha256",
        *(table.name, since.isoformat(), f"%{CONFLICT}%"),
    )
