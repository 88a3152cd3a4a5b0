"""Files in the buckets that are older than their retention: uploads that were taken, and results."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from ml_platform.ingestion.upload_order import CONFLICT
from ml_platform.scoring.result_keys import BUCKET
from ml_platform.specs.spec import LABEL_BUCKET, Dataset, Table
from ml_platform.storage import object_store
from ml_platform.storage.database import fetch
from ml_platform.storage.object_store import ObjectVersion

BUCKETS = ("train", "test", LABEL_BUCKET)
# A training file that may be loaded again: a withdrawal of another file reopens it, as `upload_order.reopen` does.
SETTLED = """
SELECT a.bucket, a.archived_key, a.report->>'report_key', a.report->>'rejected_key'
FROM uploads.arrivals a LEFT JOIN uploads.ledger l
    ON a.purpose = 'train' AND (l.dataset, l.purpose, l.sha256) = (a.dataset, a.purpose, a.sha256)
WHERE a.dataset = $1 AND (a.outcome = 'rejected') = $2 AND a.archived_key IS NOT NULL
AND a.arrived_at < $3::text::timestamptz AND (l.sha256 IS NULL OR NOT coalesce($4 OR l.is_reopened
    OR l.rows_read > l.rows_loaded + l.rows_rejected OR EXISTS (SELECT FROM uploads.rejected_rows r
    WHERE (r.dataset, r.purpose, r.sha256) = (l.dataset, l.purpose, l.sha256) AND r.reason LIKE $5), true))
ORDER BY a.arrival_id"""


class OldFile(NamedTuple):
    """A file that can be removed, and the keys of the files about it, which are removed before."""

    version: ObjectVersion
    beside: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return bucket and key."""
        return f"{self.version.bucket}/{self.version.key}"


def settled_before(table: Table, moment: datetime, *, rejected: bool) -> Iterator[OldFile]:
    """Yield the files of a table that were loaded, scored or rejected before a moment and that nothing needs.

    Raises:
        ServiceError: a server failed; run it again.
    """
    is_late = isinstance(table, Dataset) and bool(table.label.late)
    found = fetch(SETTLED, table.name, rejected, moment.isoformat(), is_late, f"%{CONFLICT}%")
    folder = "rejected/" if rejected else "processed/"
    listed = (file for bucket in BUCKETS for file in object_store.list_objects(bucket, folder))
    there = {(file.bucket, file.key): file for file in listed}
    for bucket, key, report, rejected_rows in found:
        if version := there.get((bucket, key)):
            text = f"{report.removesuffix('.json')}.txt" if report else None
            yield OldFile(version, tuple(filter(None, (report, text, rejected_rows))))


def results_before(dataset: Dataset, moment: datetime) -> Iterator[OldFile]:
    """Yield the results and cards of a data set that were written before a moment.

    Raises:
        ServiceError: the object store failed; run it again.
    """
    for version in object_store.list_objects(BUCKET, f"{dataset.name}/"):
        if version.last_modified < moment:
            yield OldFile(version)


def remove(file: OldFile) -> None:
    """Remove a file and those about it; idempotent. The file is last: after a kill, the next run finds it again.

    Raises:
        ServiceError: the object store failed; run it again.
    """
    for key in file.beside:
        if version := object_store.head(file.version.bucket, key):
            object_store.remove(version)
    object_store.remove(file.version)
