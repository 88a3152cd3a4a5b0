# ruff: noqa: S608 – only constants are combined
"""The SQL of the ledger: which bytes were loaded, which uploads arrived, which rows were rejected and why."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ml_platform.ingestion.upload_order import Moments
from ml_platform.ingestion.upload_report import UploadReport, complete
from ml_platform.parsing.batches import BadValue
from ml_platform.storage.database import fetch, rows
from ml_platform.storage.object_store import ObjectVersion

_SAME_ARRIVAL = "bucket = $1 AND object_key = $2 AND etag = $3 AND last_modified = $4::text::timestamptz"


@dataclass(frozen=True)
class Claim:
    """The right to load some bytes.

    Attributes:
        sha256: of the bytes.
        earlier: the times of their first load, if they are loaded again.
    """

    sha256: str
    earlier: Moments | None = None


def claim(cursor: Any, report: UploadReport) -> Claim | None:
    """Enter the file's bytes into the ledger; return None if they are there already.

    If another transaction is claiming the same bytes, this waits until that one ends. Bytes of an entry that a
    withdrawal has reopened are claimed again. An archived file that was rewritten counts as the file of its entry.
    """
    claimed = rows(
        cursor,
        "INSERT INTO uploads.ledger (dataset, purpose, sha256, object_key, etag, bytes)"
        " SELECT $1, $2, $3, $4, $5, $6::bigint WHERE NOT EXISTS (SELECT FROM uploads.rewritten_files r"
        " JOIN uploads.ledger l ON (l.dataset, l.purpose, l.sha256) = (r.dataset, r.purpose, r.original_sha256)"
        " WHERE (r.dataset, r.purpose, r.sha256) = ($1, $2, $3) AND l.sha256 <> r.sha256 AND NOT l.is_reopened)"
        " ON CONFLICT (dataset, purpose, sha256) DO UPDATE"
        " SET object_key = excluded.object_key, etag = excluded.etag, announced_in = NULL WHERE ledger.is_reopened"
        " RETURNING is_reopened, claimed_at, uploaded_at",
        *(report["dataset"], report["purpose"], report["sha256"]),
        *(report["key"], report["etag"], report["bytes"]),
    )
    if not claimed:
        return None
    is_reopened, claimed_at, uploaded_at = claimed[0]
    return Claim(report["sha256"], Moments(claimed_at, uploaded_at) if is_reopened else None)


def arrival_of(cursor: Any, dataset: str, sha256: str) -> UploadReport:
    """Return the report on the latest arrival of a loaded file."""
    found = rows(
        cursor,
        "SELECT report::text FROM uploads.arrivals WHERE dataset = $1 AND sha256 = $2 AND purpose = 'train'"
        " AND outcome = 'loaded' ORDER BY arrival_id DESC LIMIT 1",
        *(dataset, sha256),
    )
    return complete(json.loads(found[0][0]))


def first_claim(cursor: Any, report: UploadReport) -> str:
    """Return a sentence that says from which key, and when, the same bytes were loaded first."""
    key, claimed_at = rows(
        cursor,
        "SELECT object_key, claimed_at FROM uploads.ledger WHERE dataset = $1 AND purpose = $2 AND sha256 IN"
        " (SELECT $3 UNION SELECT original_sha256 FROM uploads.rewritten_files"
        " WHERE (dataset, purpose, sha256) = ($1, $2, $3)) ORDER BY claimed_at LIMIT 1",
        *(report["dataset"], report["purpose"], report["sha256"]),
    )[0]
    return f"the same bytes were loaded from {key!r} at {claimed_at:%Y-%m-%d %H:%M:%S} UTC"


def holds_erased_rows(dataset: str, purpose: str, sha256: str) -> bool:
    """Return whether these are the bytes of a file that was rewritten, because they hold rows of an erased entity."""
    return bool(
        fetch(
            "SELECT FROM uploads.rewritten_files WHERE (dataset, purpose, sha256) = ($1, $2, $3) AND NOT is_current",
            *(dataset, purpose, sha256),
        )
    )


def record_counts(cursor: Any, report: UploadReport) -> None:
    """Write the numbers of rows, and the report, into the claimed entry; rows that it had loaded before count too."""
    cursor.execute(
        "UPDATE uploads.ledger SET rows_read = $1, rows_rejected = $3, report = $4::text::jsonb, is_reopened = false,"
        " rows_loaded = $2 + CASE WHEN is_reopened THEN rows_loaded ELSE 0 END, loads = loads + is_reopened::integer"
        " WHERE dataset = $5 AND purpose = $6 AND sha256 = $7",
        (
            *(report["rows_read"], report["rows_loaded"], report["rows_rejected"], json.dumps(report)),
            *(report["dataset"], report["purpose"], report["sha256"]),
        ),
    )


def _identity(report: UploadReport) -> tuple[str, str, str, str]:
    return report["bucket"], report["key"], report["etag"], report["last_modified"]


def _first_report(reports: list[tuple[Any, ...]]) -> UploadReport | None:
    return complete(json.loads(reports[0][0])) if reports else None


def record_arrival(cursor: Any, report: UploadReport) -> UploadReport:
    """Record an arrival and return its recorded report; if it was recorded before, the earlier report is kept."""
    cursor.execute(
        "INSERT INTO uploads.arrivals"
        " (bucket, object_key, etag, last_modified, dataset, purpose, sha256, outcome, report)"
        " VALUES ($1, $2, $3, $4::text::timestamptz, $5, $6, $7, $8, $9::text::jsonb) ON CONFLICT DO NOTHING",
        (
            *_identity(report),
            *(report["dataset"], report["purpose"], report["sha256"], report["outcome"], json.dumps(report)),
        ),
    )
    statement = f"SELECT report::text FROM uploads.arrivals WHERE {_SAME_ARRIVAL}"
    return _first_report(rows(cursor, statement, *_identity(report))) or report


def recorded_report(cursor: Any, version: ObjectVersion) -> UploadReport | None:
    """Return the report on this arrival; None if it was not processed before."""
    statement = f"SELECT report::text FROM uploads.arrivals WHERE {_SAME_ARRIVAL}"
    return _first_report(
        rows(cursor, statement, version.bucket, version.key, version.etag, version.last_modified.isoformat())
    )


def latest_report(cursor: Any, dataset: str, bucket: str, key: str) -> UploadReport | None:
    """Return the report on the latest arrival under a key, with any content; None if there was none."""
    statement = (
        "SELECT report::text FROM uploads.arrivals WHERE dataset = $1 AND bucket = $2 AND object_key = $3"
        " ORDER BY arrival_id DESC LIMIT 1"
    )
    return _first_report(rows(cursor, statement, dataset, bucket, key))


def rejected_reports(cursor: Any, dataset: str, purpose: str, since: datetime) -> list[UploadReport]:
    """Return the reports on the files that were rejected since then, in their order."""
    found = rows(
        cursor,
        "SELECT report::text FROM uploads.arrivals WHERE dataset = $1 AND purpose = $2 AND outcome = 'rejected'"
        " AND arrived_at >= $3::text::timestamptz ORDER BY arrival_id",
        *(dataset, purpose, since.isoformat()),
    )
    return [complete(json.loads(report)) for (report,) in found]


def announce(cursor: Any, dataset: str, run_id: str) -> int:
    """Mark the loaded files that no run has announced as those of this run; return the number of their new rows."""
    cursor.execute(
        "UPDATE uploads.ledger SET announced_in = $2 WHERE dataset = $1 AND purpose = 'train' AND announced_in IS NULL",
        (dataset, run_id),
    )
    counted: int = rows(
        cursor,
        "SELECT coalesce(sum(rows_loaded), 0)::bigint FROM uploads.ledger"
        " WHERE dataset = $1 AND purpose = 'train' AND announced_in = $2",
        *(dataset, run_id),
    )[0][0]
    return counted


def announced_arrivals(cursor: Any, dataset: str, run_id: str, limit: int) -> list[tuple[str, str, str, datetime]]:
    """Return bucket, key, ETag and time of the loaded files that a run has announced, the newest first."""
    return rows(
        cursor,
        "SELECT a.bucket, a.object_key, a.etag, a.last_modified FROM uploads.arrivals a"
        " JOIN uploads.ledger l USING (dataset, purpose, sha256)"
        " WHERE dataset = $1 AND purpose = 'train' AND a.outcome = 'loaded' AND l.announced_in = $2"
        " ORDER BY a.last_modified DESC LIMIT $3",
        *(dataset, run_id, limit),
    )


def mark_archived(cursor: Any, report: UploadReport) -> None:
    """Record the key to which the file of an arrival was moved."""
    statement = f"UPDATE uploads.arrivals SET archived_key = $5 WHERE {_SAME_ARRIVAL}"
    cursor.execute(statement, (*_identity(report), report["archived_key"]))


def record_rejected(cursor: Any, report: UploadReport, bad: Iterable[BadValue]) -> None:
    """Record the bad values of a file that is not loaded into tables; they replace those recorded for it before."""
    file = (report["dataset"], report["purpose"], report["sha256"])
    cursor.execute("DELETE FROM uploads.rejected_rows WHERE dataset = $1 AND purpose = $2 AND sha256 = $3", file)
    entries = [(*file, entry.line, entry.column, entry.value, entry.reason) for entry in bad]
    if entries:
        cursor.executemany(
            "INSERT INTO uploads.rejected_rows (dataset, purpose, sha256, line, column_name, value, reason)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7)",
            entries,
        )


def rejected_lines(cursor: Any, report: UploadReport) -> Iterable[tuple[int, str]]:
    """Yield line and reason of each bad value of a file, ordered by line."""
    cursor.execute(
        "SELECT line, CASE WHEN column_name = '' THEN reason ELSE column_name || ': ' || reason END"
        " FROM uploads.rejected_rows WHERE dataset = $1 AND purpose = $2 AND sha256 = $3 ORDER BY line, column_name",
        (report["dataset"], report["purpose"], report["sha256"]),
    )
    return iter(cursor.fetchone, None)
