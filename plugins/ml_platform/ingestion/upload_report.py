"""The report on an uploaded file: plain JSON, passed between tasks and stored in tables and report files."""

import re
from collections.abc import Mapping
from datetime import UTC
from typing import Any, Literal, cast

from typing_extensions import TypedDict  # Airflow uses pydantic, which needs this one on Python 3.11

from ml_platform.specs.parts import Purpose
from ml_platform.specs.spec import LABEL_FOLDER, Table
from ml_platform.storage.object_store import ObjectVersion

Outcome = Literal["loaded", "duplicate", "rejected", "scored", "gone"]
ENDING = re.compile(r"\.[A-Za-z0-9]{1,8}(\.gz)?$")


class Reason(TypedDict):
    """Why a row was rejected, or, with neither column nor value, the whole file.

    The reason for a whole file is a complete sentence; `line` is the line that it names, if it names one.
    """

    line: int | None
    column: str
    value: str
    reason: str


class UploadReport(TypedDict):
    """The report on one arrival of a file; plain JSON, so that tasks can pass it on.

    `result_key` is in the bucket `result`, the other keys are in `bucket`. The outcome `gone` means that the object was
    removed before it was read. Times are ISO 8601.
    `format` names the recognised format, for people ("" if the file was not read). `delimiter` and `encoding` are
    needed to read the file again. For a loaded file, `rows_read` = `rows_loaded` + `rows_rejected` + `rows_present`,
    and `keys_known` (keys that earlier files brought) = `keys_unchanged` + `keys_changed`.
    `warnings` are sentences about a valid file; nothing was rejected because of them.
    For a rejected file, `allowed` says for each column what is allowed, and `template` is the place of a file to start
    from, as bucket/key.
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
    outcome: Outcome
    rows_read: int
    rows_loaded: int
    rows_rejected: int
    rows_present: int
    keys_known: int
    keys_unchanged: int
    keys_changed: int
    archived_key: str
    report_key: str
    rejected_key: str | None
    result_key: str | None
    reasons: list[Reason]
    warnings: list[str]
    allowed: list[str]
    template: str | None


LATER_FIELDS = {
    "keys_known": 0, "keys_unchanged": 0, "keys_changed": 0, "warnings": [], "allowed": [], "template": None,
}  # fmt: skip


def complete(report: Mapping[str, Any]) -> UploadReport:
    """Return a report that may come from an earlier version, with the fields that it did not have yet."""
    return cast(UploadReport, LATER_FIELDS | dict(report))


def ending(key: str) -> str:
    """Return the ending of a file's name, such as .csv or .csv.gz; "" if it is not one of a few plain characters."""
    match = ENDING.search(key)
    return match[0] if match else ""


def timed_stem(version: ObjectVersion) -> str:
    """Return a file's name, made safe and without its ending, followed by the time of its arrival."""
    name = version.key.removeprefix(LABEL_FOLDER).removesuffix(ending(version.key))
    stem = re.sub(r"[^A-Za-z0-9_-]+", "_", name)[:100]
    return f"{stem}.{version.last_modified.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def archived_key(version: ObjectVersion, sha256: str, outcome: Outcome) -> str:
    """Return the key to archive a file at: made of its safe name, time of arrival and content hash."""
    folder = "rejected" if outcome == "rejected" else "processed"
    if version.key.startswith(LABEL_FOLDER):
        folder += f"/{LABEL_FOLDER.rstrip('/')}"
    return f"{folder}/{timed_stem(version)}.{sha256[:8]}{ending(version.key)}"


def new_report(
    dataset: Table, purpose: Purpose, version: ObjectVersion, sha256: str, outcome: Outcome, **fields: Any
) -> UploadReport:
    """Return the report on an arrival; `fields` are those of `UploadReport` that are not zero or empty."""
    archived = archived_key(version, sha256, outcome)
    stem = archived.removesuffix(ending(version.key))
    has_rejected_rows = fields.get("rows_rejected") and outcome != "rejected"
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
        outcome=outcome,
        rows_read=0,
        rows_loaded=0,
        rows_rejected=0,
        rows_present=0,
        keys_known=0,
        keys_unchanged=0,
        keys_changed=0,
        archived_key=archived,
        report_key=f"{stem}.report.json",
        rejected_key=f"{stem}.rejected.csv" if has_rejected_rows else None,
        result_key=None,
        reasons=[],
        warnings=[],
        allowed=[],
        template=None,
    )
    return cast(UploadReport, {**report, **fields})
