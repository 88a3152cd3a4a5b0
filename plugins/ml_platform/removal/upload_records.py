# ruff: noqa: S608 – only constants are combined
"""What the tables and reports say about archived uploads: read, and rid of some lines."""

import io
import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from ml_platform.ingestion import report_files
from ml_platform.ingestion.upload_report import UploadReport, complete
from ml_platform.storage import object_store
from ml_platform.storage.database import fetch


@dataclass(frozen=True)
class Arrival:
    """A file that was settled.

    Attributes:
        purpose: of the upload.
        bucket: also the bucket of its archived files.
        sha256: of the bytes that arrived.
        archived_key: where the file is now, unless a person moved it.
        rejected_key: of its rejected rows.
        delimiter: between its cells, if it is CSV.
        encoding: of its text.
    """

    purpose: str
    bucket: str
    sha256: str
    archived_key: str
    rejected_key: str | None
    delimiter: str | None
    encoding: str | None


def arrivals(name: str) -> list[Arrival]:
    """Return the arrivals of a table, one per archived file, in their order."""
    found = fetch(
        "SELECT purpose, bucket, sha256, report->>'archived_key', min(report->>'rejected_key'),"
        " min(report->>'delimiter'), min(report->>'encoding') FROM uploads.arrivals"
        " WHERE dataset = $1 GROUP BY 1, 2, 3, 4 ORDER BY min(arrival_id)",
        name,
    )
    return [Arrival(*row) for row in found]


def forget_lines(cursor: Any, name: str, arrival: Arrival, lines: Collection[int]) -> None:
    """Remove the bad values and the reasons of some lines of a file, and its warnings, from all tables.

    A warning counts values of all rows, and names some of them.
    """
    file, listed = (name, arrival.purpose, arrival.sha256), ",".join(map(str, sorted(lines)))
    of_file = "dataset = $1 AND {}sha256 = $3".format
    at_line = "line = ANY(string_to_array($4, ',')::bigint[])"
    cursor.execute(
        f"DELETE FROM uploads.rejected_rows WHERE {of_file('purpose = $2 AND ')} AND {at_line}", (*file, listed)
    )
    kept = (
        "jsonb_set(report, '{reasons}', (SELECT coalesce(jsonb_agg(r ORDER BY n), '[]')"
        " FROM jsonb_array_elements(report->'reasons') WITH ORDINALITY reasons(r, n)"
        " WHERE r->>'line' IS NULL OR NOT (r->>'line')::bigint = ANY(string_to_array($4, ',')::bigint[])))"
        """ || '{"warnings": []}'"""
    )
    for table, purpose in (("ledger", "purpose = $2"), ("arrivals", "purpose = $2"), ("withdrawals", "$2 = 'train'")):
        cursor.execute(
            f"UPDATE uploads.{table} SET report = {kept} WHERE {of_file(purpose + ' AND ')} AND report ? 'reasons'",
            (*file, listed),
        )


def record_rewriting(cursor: Any, name: str, arrival: Arrival, *, before: str, after: str) -> None:
    """Record the bytes that held an erased entity, which are refused from now on, and those that replace them."""
    for sha256, is_current in ((before, "false"), (after, "true")):
        cursor.execute(
            "INSERT INTO uploads.rewritten_files (dataset, purpose, sha256, original_sha256, is_current)"
            f" VALUES ($1, $2, $3, $4, {is_current})"
            " ON CONFLICT (dataset, purpose, sha256) DO UPDATE SET is_current = excluded.is_current",
            (name, arrival.purpose, sha256, arrival.sha256),
        )


def rewrite_reports(name: str, arrival: Arrival) -> None:
    """Write the report files beside an archived upload again, as the tables have the report now."""
    recorded = fetch(
        "SELECT report::text FROM uploads.arrivals WHERE dataset = $1 AND bucket = $2 AND report->>'archived_key' = $3"
        " ORDER BY arrival_id LIMIT 1",
        *(name, arrival.bucket, arrival.archived_key),
    )
    report: UploadReport = complete(json.loads(recorded[0][0]))
    text_key = report["report_key"].removesuffix(".json") + ".txt"
    for key, content in ((report["report_key"], report_files.report_json), (text_key, report_files.report_text)):
        version = object_store.head(arrival.bucket, key)
        if version and object_store.get(arrival.bucket, key) != (data := content(report)):
            object_store.rewrite(version, io.BytesIO(data))
