"""What became of a dropped file, as plain JSON that travels between tasks and stands in tables and reports."""

import re
from datetime import UTC
from typing import Any, Literal, cast

from typing_extensions import TypedDict  # pydantic, by which Airflow passes it on, takes no other on Python 3.11

from ml_platform.specs.parts import Purpose
from ml_platform.specs.spec import Table
from ml_platform.storage.object_store import ObjectVersion

Result = Literal["loaded", "duplicate", "rejected", "scored", "gone"]
ENDING = re.compile(r"\.[A-Za-z0-9]{1,8}(\.gz)?$")


class Reason(TypedDict):
    """Why a row, or with no line the whole file, was rejected."""

    line: int | None
    column: str
    value: str
    reason: str


class UploadReport(TypedDict):
    """What became of one arrival of a file; plain JSON, so that it can travel between tasks.

    `result_key` lies in the bucket `result`, the other keys in `bucket`; `gone` is an object that was removed before it
    was read. Times are ISO 8601.
    `format` is what the file was recognised as, for people ("" if it was not read); `delimiter` and `encoding` are what
    it takes to read it again. `rows_read` is always `rows_loaded` + `rows_rejected` + `rows_present` for a loaded file.
    """

    dataset: str
    format: str
    delimiter: str | None
    encoding: str | None
    purpose: Purpose
    bucket: str
    key: str
    etag: str
    last_modified: str
    bytes: int
    sha256: str
    outcome: Result
    rows_read: int
    rows_loaded: int
    rows_rejected: int
    rows_present: int
    archived_key: str
    report_key: str
    rejected_key: str | None
    result_key: str | None
    reasons: list[Reason]


def ending(key: str) -> str:
    """Return how a file's name ends, such as .csv or .csv.gz; "" if it has no ending of a few plain characters."""
    found = ENDING.search(key)
    return found[0] if found else ""


def timed_stem(version: ObjectVersion) -> str:
    """Return the name of a file without its ending, safe whatever it was, and the time of its arrival."""
    stem = re.sub(r"[^A-Za-z0-9_-]+", "_", version.key.removesuffix(ending(version.key)))[:100]
    return f"{stem}.{version.last_modified.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def archived_key(version: ObjectVersion, sha256: str, result: Result) -> str:
    """Return where a file is archived: by name, time of arrival and content; safe whatever the name was."""
    folder = "rejected" if result == "rejected" else "processed"
    return f"{folder}/{timed_stem(version)}.{sha256[:8]}{ending(version.key)}"


def new_report(
    dataset: Table, purpose: Purpose, version: ObjectVersion, sha256: str, result: Result, **fields: Any
) -> UploadReport:
    """Return the report on an arrival; `fields` are those of `UploadReport` that are not zero or empty."""
    archived = archived_key(version, sha256, result)
    stem = archived.removesuffix(ending(version.key))
    aside = fields.get("rows_rejected") and result != "rejected"
    report = UploadReport(
        dataset=dataset.name,
        format="",
        delimiter=dataset.delimiter,
        encoding=dataset.encoding,
        purpose=purpose,
        bucket=version.bucket,
        key=version.key,
        etag=version.etag,
        last_modified=version.last_modified.isoformat(),
        bytes=version.size,
        sha256=sha256,
        outcome=result,
        rows_read=0,
        rows_loaded=0,
        rows_rejected=0,
        rows_present=0,
        archived_key=archived,
        report_key=f"{stem}.report.json",
        rejected_key=f"{stem}.rejected.csv" if aside else None,
        result_key=None,
        reasons=[],
    )
    return cast(UploadReport, {**report, **fields})
