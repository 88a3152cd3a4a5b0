"""The reports on the files that the demo has put into a bucket."""

import json

from ml_platform.ingestion.upload_report import UploadReport
from ml_platform.storage import object_store

FOLDERS = ("processed", "rejected")


def report_keys(bucket: str, prefix: str) -> set[str]:
    """Return the keys of the reports on files that have left the inbox; their archived names begin with `prefix`."""
    versions = (one for folder in FOLDERS for one in object_store.list_objects(bucket, f"{folder}/{prefix}"))
    return {one.key for one in versions if one.key.endswith(".report.json")}


def archived_prefix(object_key: str) -> str:
    """Return how the archived names of a file begin, each time it comes."""
    return f"{object_key.partition('.')[0]}."


def new_report(earlier: set[str], bucket: str, object_key: str) -> UploadReport | None:
    """Return the report on a file, once it has left the inbox; None before.

    Args:
        earlier: what `report_keys` returned before the upload.
        bucket: of the upload.
        object_key: of the upload.
    """
    new = report_keys(bucket, archived_prefix(object_key)) - earlier
    return None if not new or object_store.head(bucket, object_key) else read_report(bucket, max(new))


def read_report(bucket: str, report_key: str) -> UploadReport:
    """Return the report that is under that key."""
    report: UploadReport = json.loads(object_store.get(bucket, report_key))
    return report
