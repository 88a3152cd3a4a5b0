# ruff: noqa: S608 – only constants are combined
"""The files of a data set: those that wait in its inboxes, and what became of all others."""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Literal, NamedTuple

from ml_platform.ingestion.dropping import Kind, kind_of
from ml_platform.ingestion.report_files import reason_texts
from ml_platform.ingestion.upload_report import complete
from ml_platform.scoring.result_keys import card_key
from ml_platform.specs.parts import Purpose
from ml_platform.specs.spec import LABEL_BUCKET, LABEL_FOLDER, Dataset, Table
from ml_platform.storage import object_store
from ml_platform.storage.database import fetch, rows, transaction
from ml_platform.storage.object_store import ObjectVersion

State = Literal[
    "waiting", "loading", "scoring", "failed",
    "loaded", "scored", "duplicate", "rejected", "withdrawn", "removed",
]  # fmt: skip
IN_INBOX: frozenset[State] = frozenset({"waiting", "loading", "scoring", "failed"})


@dataclass(frozen=True)
class File:
    """A file that was dropped. All times are in UTC.

    Attributes:
        dataset: the data set or feature table that it belongs to.
        kind: train, test, label (labels alone), or answer (labels of rows that people were asked about).
        state: waiting, loading or scoring while it is in the inbox; failed if its last attempt did; then loaded,
            scored, duplicate (its bytes were loaded before), rejected, or withdrawn (it was loaded and taken back);
            removed if a person took it out of the inbox.
        bucket: of all its keys but `result_key` and `card_key`, which are in the bucket `result`.
        key: under which it was dropped.
        uploaded_at: when; None if that is not known.
        bytes: its size.
        etag: of its object, with its quotes.
        settled_at: when the state was recorded; None while the file is in the inbox.
        sha256: of its bytes; None while the file is in the inbox.
        rows_read: good and bad rows; 0 while the file is in the inbox, as the three below.
        rows_loaded: new rows in the tables; 0 for a scored file.
        rows_rejected: bad rows.
        rows_present: rows that were there already.
        reasons: why rows, or the whole file, were rejected; a sentence each, the first ones of many.
        warnings: what is unusual in a valid file, a sentence each.
        archived_key: where the file is now; None while it is in the inbox.
        report_key: of its report for programs; beside that of a rejected file is one for people, which ends in .txt.
        rejected_key: of its bad rows, to be fixed and dropped again.
        result_key: of its predictions.
        card_key: of the facts beside them.
        attempts: how often it was tried; 0 if it has not been tried yet, or is settled.
        next_attempt: when it is tried again after a failure; None if only another spec can help.
        problem: why the last attempt failed.
        withdrawn: who took it back, when and why.
    """

    dataset: str
    kind: Kind
    state: State
    bucket: str
    key: str
    uploaded_at: datetime | None = None
    bytes: int = 0
    etag: str = ""
    settled_at: datetime | None = None
    sha256: str | None = None
    rows_read: int = 0
    rows_loaded: int = 0
    rows_rejected: int = 0
    rows_present: int = 0
    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    archived_key: str | None = None
    report_key: str | None = None
    rejected_key: str | None = None
    result_key: str | None = None
    card_key: str | None = None
    attempts: int = 0
    next_attempt: datetime | None = None
    problem: str | None = None
    withdrawn: str | None = None

    @property
    def is_settled(self) -> bool:
        """Whether its state is final: it has left the inbox."""
        return self.state not in IN_INBOX


class Page(NamedTuple):
    """Some files of a list, the newest first, and how many there are in all."""

    files: list[File]
    total: int


def files(
    table: Table,
    *,
    kinds: Collection[Kind] = (),
    states: Collection[State] = (),
    limit: int = 100,
    offset: int = 0,
) -> Page:
    """Return the files of a data set or feature table: first those in the inbox, then the settled ones, newest first.

    Args:
        table: the spec.
        kinds: only these; all if empty.
        states: only these; all if empty.
        limit: number of files to return, at most.
        offset: number of files to leave out at the beginning.

    Raises:
        ServiceError: Postgres or the object store is not available.
    """
    inbox = waiting(table) if not states or IN_INBOX & set(states) else []
    chosen = [one for one in inbox if (not kinds or one.kind in kinds) and (not states or one.state in states)]
    first = chosen[offset : offset + limit]
    conditions = (table.name, ",".join(kinds), ",".join(states))
    with transaction() as cursor:
        (total,) = rows(cursor, f"SELECT count(*) FROM ({_SETTLED}) f WHERE {_CHOSEN}", *conditions)[0]
        settled = rows(
            cursor,
            f"SELECT {_COLUMNS} FROM ({_SETTLED}) f WHERE {_CHOSEN} ORDER BY arrival_id DESC LIMIT $4 OFFSET $5",
            *(*conditions, limit - len(first), max(0, offset - len(chosen))),
        )
    return Page([*first, *map(_settled, settled)], len(chosen) + total)


def find(table: Table, bucket: str, key: str, etag: str | None = None) -> File | None:
    """Return the newest file that was dropped under a key.

    Args:
        table: the spec.
        bucket: of the inbox.
        key: under which it was dropped.
        etag: of its object, with quotes: only this content. A file that was removed from the inbox before it was read
            has the state `removed`. Without it, None is returned for such a file.

    Raises:
        ServiceError: Postgres or the object store is not available.
    """
    # The order matters: a file is recorded as settled before it leaves the inbox.
    # It is listed, not read, because the HTTP service may not read an inbox.
    version = next((one for one in object_store.list_objects(bucket, key) if one.key == key), None)
    found = _settled_as(table.name, "f.bucket = $2 AND object_key = $3 AND ($4::text IS NULL OR f.etag = $4)",
                        bucket, key, etag)  # fmt: skip
    if version and (etag is None or version.etag == etag):
        if found and (found[0].etag, found[0].uploaded_at) == (version.etag, _whole_second(version.last_modified)):
            return found[0]
        return next(iter(_in_inbox(table, [version])))
    if found or etag is None:
        return found[0] if found else None
    return File(table.name, kind_of(bucket, key), "removed", bucket, key, etag=etag)


def with_id(table: Table, upload: str) -> list[File]:
    """Return the settled files whose SHA-256 begins with a text, the newest first."""
    return _settled_as(table.name, "starts_with(f.sha256, $2)", upload)


def waiting(table: Table) -> list[File]:
    """Return the files in the inboxes of a data set or feature table, the oldest first.

    Raises:
        ServiceError: Postgres or the object store is not available.
    """
    places = {inbox for purpose in purposes(table) for inbox in table.inboxes(purpose)}
    listed = chain.from_iterable(object_store.list_objects(*place) for place in places)
    versions = [version for version in listed if not version.key.endswith("/")]  # that is a folder
    return _in_inbox(table, sorted(versions, key=lambda version: (version.last_modified, version.key)))


def purposes(table: Table) -> tuple[Purpose, ...]:
    """Return what files of a table can be for: a feature table has no test files."""
    return ("train", "test") if isinstance(table, Dataset) else ("train",)


def _in_inbox(table: Table, versions: Iterable[ObjectVersion]) -> list[File]:
    versions = list(versions)
    if not versions:
        return []
    buckets = ",".join({version.bucket for version in versions})
    found = fetch(
        "SELECT bucket, object_key, etag, last_modified, attempts, next_attempt, problem FROM uploads.attempts"
        " WHERE bucket = ANY(string_to_array($1, ',')) AND spec_sha256 = $2",
        *(buckets, table.sha256),
    )
    tried = {tuple(row[:4]): row[4:] for row in found}
    return [
        _unsettled(table, version, tried.get((version.bucket, version.key, version.etag, version.last_modified)))
        for version in versions
    ]


def _unsettled(table: Table, version: ObjectVersion, attempt: tuple[Any, ...] | None) -> File:
    kind = kind_of(version.bucket, version.key)
    file = (version.bucket, version.key, version.last_modified.astimezone(UTC), version.size, version.etag)
    if attempt is None:
        return File(table.name, kind, "waiting", *file)
    number, next_attempt, problem = attempt
    if problem is None:
        return File(table.name, kind, "scoring" if kind == "test" else "loading", *file, attempts=number)
    return File(
        table.name, kind, "failed", *file, attempts=number, next_attempt=_utc(next_attempt), problem=problem
    )  # fmt: skip


_KIND = (
    f"CASE WHEN purpose = 'test' THEN 'test' WHEN bucket = '{LABEL_BUCKET}' THEN 'answer'"
    f" WHEN starts_with(object_key, '{LABEL_FOLDER}') THEN 'label' ELSE 'train' END"
)
_SETTLED = (
    f"SELECT a.*, {_KIND} AS kind, withdrawn, CASE WHEN withdrawn IS NULL THEN outcome ELSE 'withdrawn' END AS state"
    " FROM uploads.arrivals a LEFT JOIN LATERAL (SELECT withdrawn_by || ', ' ||"
    " to_char(withdrawn_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC: ' || reason AS withdrawn"
    " FROM uploads.withdrawals w WHERE (w.dataset, w.sha256) = (a.dataset, a.sha256) AND a.outcome = 'loaded'"
    " AND w.withdrawn_at >= a.arrived_at ORDER BY withdrawn_at LIMIT 1) w ON true WHERE a.dataset = $1"
)
_CHOSEN = "($2 = '' OR kind = ANY(string_to_array($2, ','))) AND ($3 = '' OR state = ANY(string_to_array($3, ',')))"
_COLUMNS = "kind, state, arrived_at, archived_key, withdrawn, report::text"


def _settled_as(name: str, condition: str, *values: Any) -> list[File]:
    statement = f"SELECT {_COLUMNS} FROM ({_SETTLED}) f WHERE {condition} ORDER BY arrival_id DESC LIMIT 100"
    return [_settled(row) for row in fetch(statement, name, *values)]


def _settled(row: tuple[Any, ...]) -> File:
    kind, state, settled_at, archived_key, withdrawn, text = row
    report = complete(json.loads(text))
    result_key = report["result_key"]
    return File(
        dataset=report["dataset"],
        kind=kind,
        state=state,
        bucket=report["bucket"],
        key=report["key"],
        uploaded_at=datetime.fromisoformat(report["last_modified"]).astimezone(UTC),
        bytes=report["bytes"],
        etag=report["etag"],
        settled_at=_utc(settled_at),
        sha256=report["sha256"],
        rows_read=report["rows_read"],
        rows_loaded=report["rows_loaded"],
        rows_rejected=report["rows_rejected"],
        rows_present=report["rows_present"],
        reasons=tuple(reason_texts(report)),
        warnings=tuple(report["warnings"]),
        archived_key=archived_key,
        report_key=report["report_key"],
        rejected_key=report["rejected_key"],
        result_key=result_key,
        card_key=card_key(result_key) if result_key else None,
        withdrawn=withdrawn,
    )


def _whole_second(moment: datetime) -> datetime:
    """Return the time as it is recorded: some servers list an object with a fraction of a second, and HEAD without."""
    return moment.astimezone(UTC).replace(microsecond=0)


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC)
