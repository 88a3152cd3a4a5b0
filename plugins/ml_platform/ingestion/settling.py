"""The end of an upload: its file leaves the inbox, with its report and its rejected rows beside it; idempotent."""

import logging
import tempfile
from datetime import datetime

from ml_platform.ingestion import ledger, report_files
from ml_platform.ingestion.upload_report import UploadReport
from ml_platform.storage import object_store
from ml_platform.storage.database import transaction
from ml_platform.storage.object_store import ObjectVersion

log = logging.getLogger(__name__)


def settle(report: UploadReport, *, is_numbered: bool = False) -> UploadReport:
    """Move the file of an arrival out of the inbox, with its report and its rejected rows beside it.

    Args:
        report: as `load` or `score` returned it.
        is_numbered: whether the rejected rows get their number in the file, because they have no key.

    Returns:
        The same report.

    Raises:
        ServiceError: a server failed; run it again.
    """
    if report["outcome"] == "gone":
        return report
    version = version_of(report)
    if report["rejected_key"]:
        _put_rejected_rows(report, version, report["rejected_key"], is_numbered=is_numbered)
    object_store.put_new(version.bucket, report["report_key"], report_files.report_json(report), "application/json")
    if report["outcome"] == "rejected":
        key = report["report_key"].removesuffix(".json") + ".txt"
        object_store.put_new(version.bucket, key, report_files.report_text(report), "text/plain; charset=utf-8")
    if not object_store.move(version, report["archived_key"]):
        log.warning("%r was replaced after it was read; the newer one stays in the inbox", version.key)
        return report
    with transaction() as cursor:
        ledger.mark_archived(cursor, report)
    return report


def version_of(report: UploadReport) -> ObjectVersion:
    """Return the version of the object that a report is about."""
    modified = datetime.fromisoformat(report["last_modified"])
    return ObjectVersion(report["bucket"], report["key"], report["etag"], modified, report["bytes"])


def _put_rejected_rows(report: UploadReport, version: ObjectVersion, key: str, *, is_numbered: bool) -> None:
    source = version if object_store.is_current(version) else object_store.head(version.bucket, report["archived_key"])
    if source is None or object_store.head(version.bucket, key):
        return
    with object_store.local_copy(source) as copy, transaction() as cursor, tempfile.TemporaryFile() as out:
        rejected = ledger.rejected_lines(cursor, report)
        report_files.write_rejected(
            copy.file, report["delimiter"], report["encoding"], rejected, out, is_numbered=is_numbered
        )
        out.seek(0)
        object_store.put_new(version.bucket, key, out, "text/csv; charset=utf-8")
