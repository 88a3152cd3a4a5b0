"""What can be downloaded of an upload: the file, its report, its rejected rows, its result. Only what is recorded."""

from datetime import datetime
from typing import Literal, get_args

from ml_platform.ingestion import ledger
from ml_platform.ingestion.upload_report import UploadReport
from ml_platform.scoring import result_keys
from ml_platform.storage import object_store
from ml_platform.storage.database import transaction
from ml_platform.storage.object_store import ObjectVersion

Part = Literal["file", "report", "reasons", "rejected", "result", "card"]
PARTS: tuple[Part, ...] = get_args(Part)


def stored(part: Part, bucket: str, key: str, etag: str, uploaded_at: datetime) -> ObjectVersion | None:
    """Return the object that holds a part of a settled upload; None if there is no such upload, part or object.

    Args:
        part: file, report (for programs), reasons (the report on a rejected file, for people), rejected (its bad
            rows), result (its predictions), or card (the facts beside them).
        bucket: in which the file was dropped.
        key: under which it was dropped.
        etag: of its object, with quotes.
        uploaded_at: when it was dropped.

    Raises:
        ServiceError: Postgres or the object store is not available.
    """
    with transaction() as cursor:
        report = ledger.recorded_report(cursor, ObjectVersion(bucket, key, etag, uploaded_at, 0))
    place = _place(part, report) if report else None
    return object_store.head(*place) if place else None


def _place(part: Part, report: UploadReport) -> tuple[str, str] | None:
    result = report["result_key"]
    if part in ("result", "card"):
        if result is None:
            return None
        return result_keys.BUCKET, result if part == "result" else result_keys.card_key(result)
    keys: dict[Part, str | None] = {
        "file": report["archived_key"],
        "report": report["report_key"],
        "reasons": f"{report['report_key'].removesuffix('.json')}.txt" if report["outcome"] == "rejected" else None,
        "rejected": report["rejected_key"],
    }
    found = keys[part]
    return (report["bucket"], found) if found else None
