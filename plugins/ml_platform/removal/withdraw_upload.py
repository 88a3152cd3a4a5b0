# ruff: noqa: S608 – names go through identifier(); values are bound
"""Take an upload back: the rows that it brought go, from features, labels and the online store."""

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ml_platform.exceptions import ConfigurationError
from ml_platform.feature_store import online_rows
from ml_platform.ingestion import labels_alone, loading, upload_order
from ml_platform.specs.spec import Dataset, Table
from ml_platform.storage.database import fetch, identifier, rows, transaction
from ml_platform.storage.locks import lock
from ml_platform.storage.tables import ensure_tables, key_list

log = logging.getLogger(__name__)

SHORT = 12  # digits of an upload's id; it is the beginning of the SHA-256 of its bytes
ENTITIES = "pg_temp.entities"
NEVER = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True)
class Withdrawal:
    """An upload that was taken back.

    Attributes:
        dataset: name of the data set or feature table.
        sha256: of the upload's bytes.
        key: of its object in the bucket `train`.
        rows: number of rows that were removed.
        entities: number of entities that had such rows.
        reopened: keys of files that have rows which were already there, or came with the same time but other values.
            If that was because of this upload, they are missing now, and come if the same file is dropped again.
        versions: of models, trained with this upload; they stay as they are. See `version_texts`.
    """

    dataset: str
    sha256: str
    key: str
    rows: int
    entities: int
    reopened: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()


@dataclass(frozen=True)
class ListedUpload:
    """An upload of a table, as people look at it.

    Attributes:
        sha256: of its bytes.
        key: of its object in the bucket `train`.
        claimed_at: when it was loaded.
        rows_loaded: rows that it brought, without those of erased entities.
        rows_rejected: bad rows.
        versions: of models, trained with it; see `version_texts`.
        withdrawn: who took it back, when and why; "" if it stands.
    """

    sha256: str
    key: str
    claimed_at: datetime
    rows_loaded: int
    rows_rejected: int
    versions: tuple[str, ...]
    withdrawn: str


def uploads_of(name: str) -> list[ListedUpload]:
    """Return the loaded uploads of a data set or feature table, also those taken back, in the order of their loads."""
    found = fetch(
        "SELECT sha256, object_key, claimed_at, rows_loaded - rows_erased, rows_rejected, '' FROM uploads.ledger"
        " WHERE dataset = $1 AND purpose = 'train'"
        " UNION ALL SELECT sha256, object_key, claimed_at, rows_removed, (report->>'rows_rejected')::bigint,"
        " withdrawn_by || ', ' || to_char(withdrawn_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC: ' || reason"
        " FROM uploads.withdrawals WHERE dataset = $1 ORDER BY claimed_at, sha256",
        name,
    )
    trained = {sha256: version_texts(name, versions) for sha256, versions in versions_by_upload(name).items()}
    return [
        ListedUpload(sha256, key, moment, loaded, rejected or 0, trained.get(sha256, ()), withdrawn)
        for sha256, key, moment, loaded, rejected, withdrawn in found
    ]


def versions_by_upload(name: str) -> dict[str, list[tuple[str, int]]]:
    """Return the models, with the versions, that were trained with each upload of a table, by its SHA-256."""
    found = fetch(
        "SELECT DISTINCT s.upload_sha256, d.model, d.version FROM uploads.training_sets s"
        " JOIN models.decisions d ON (d.model, d.training_set_sha256) = (s.dataset, s.training_set_sha256)"
        " WHERE s.upload_of = $1 ORDER BY d.model, d.version",
        name,
    )
    versions: dict[str, list[tuple[str, int]]] = {}
    for sha256, model, version in found:
        versions.setdefault(sha256, []).append((model, version))
    return versions


def version_texts(name: str, versions: Iterable[tuple[str, int]]) -> tuple[str, ...]:
    """Return `<number>` for a version of the data set's own model, `<model> <number>` for one that joins the table."""
    return tuple(str(version) if model == name else f"{model} {version}" for model, version in versions)


def withdraw(table: Table, upload: str, *, reason: str, by: str, request: str | None = None) -> Withdrawal:
    """Remove the rows that an upload brought, and record who took it back and why. The same bytes may come again.

    All of it is one transaction. The archived file stays, and so do models and frozen training sets.

    Args:
        table: the spec.
        upload: the beginning of the SHA-256 of the upload's bytes, as `uploads_of` returns it.
        reason: is recorded.
        by: the person.
        request: identifies the request; the same one again returns the recorded result.

    Raises:
        ConfigurationError: there is no such upload, or more than one, or no reason; or the spec was changed and is
            incompatible with rows already loaded.
        ServiceError, psycopg.Error: Postgres is not available; nothing has changed, or the same call completes it.
    """
    if not reason.strip():
        raise ConfigurationError(f"{table.name}: a withdrawal needs a reason")
    if done := _recorded(table.name, request):
        return done
    ensure_tables(table)
    with transaction() as cursor:
        lock(cursor, online_rows.online_lock(table))
        lock(cursor, loading.load_lock(table))
        sha256, key, claimed_at, uploaded_at, report = _find(cursor, table, upload)
        entities = _remember_entities(cursor, table, sha256)
        removed = _remove_rows(cursor, table, sha256)
        # a label that came alone may have been compared with one that was uploaded later
        since = NEVER if isinstance(table, Dataset) and labels_alone.can_come(table) else uploaded_at
        reopened = tuple(sorted(key for _, key in upload_order.reopen(cursor, table, since)))
        cursor.execute(
            "INSERT INTO uploads.withdrawals (dataset, sha256, object_key, claimed_at, rows_removed, entities,"
            " reopened, report, withdrawn_by, reason, request) VALUES ($1, $2, $3, $4::text::timestamptz, $5, $6,"
            " string_to_array($7, E'\\n'), $8::text::jsonb, $9, $10, $11)",
            (table.name, sha256, key, claimed_at.isoformat(), removed, entities, "\n".join(reopened), report, by,
             reason, request),
        )  # fmt: skip
        # The last step: if it fails, nothing is committed; if the commit fails, the next materialize puts it right.
        online_rows.write_again(cursor, table, ENTITIES, sha256)
    versions = version_texts(table.name, versions_by_upload(table.name).get(sha256, ()))
    done = Withdrawal(table.name, sha256, key, removed, entities, reopened, versions)
    log.info(
        "%s: %r was taken back by %s: %s rows of %s entities", table.name, key, by, f"{removed:,}", f"{entities:,}"
    )
    for sentence in what_to_do(done):
        log.info("%s", sentence)
    return done


def what_to_do(done: Withdrawal) -> list[str]:
    """Return what a person should do after a withdrawal, a sentence each."""
    sentences = []
    if done.reopened:
        files = ", ".join(done.reopened)
        sentences.append(f"Drop these files again, some rows of which may have come with it: {files}")
    if done.versions:
        versions = ", ".join(done.versions)
        sentences.append(f"Versions trained with it stay as they are: {versions}. Train again to replace the champion.")
    return sentences


def _recorded(name: str, request: str | None) -> Withdrawal | None:
    found = fetch(
        "SELECT sha256, object_key, rows_removed, entities, array_to_string(reopened, E'\\n') FROM uploads.withdrawals"
        " WHERE dataset = $1 AND request = $2",
        name,
        request,
    )
    if not found:
        return None
    sha256, key, removed, entities, reopened = found[0]
    versions = version_texts(name, versions_by_upload(name).get(sha256, ()))
    return Withdrawal(name, sha256, key, removed, entities, tuple(reopened.splitlines()), versions)


def _find(cursor: Any, table: Table, upload: str) -> tuple[Any, ...]:
    """Return SHA-256, key, times of claim and upload, and report (JSON text) of an upload."""
    hint = f"./ml-platform uploads list {table.name}"
    if not re.fullmatch("[0-9a-f]{4,64}", upload):
        raise ConfigurationError(f"{upload!r} is no id of an upload: 4 to 64 of the digits 0-9 and a-f; see {hint}")
    found = rows(
        cursor,
        "SELECT sha256, object_key, claimed_at, uploaded_at, report::text FROM uploads.ledger"
        " WHERE dataset = $1 AND purpose = 'train' AND starts_with(sha256, $2) ORDER BY claimed_at",
        *(table.name, upload),
    )
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(sha256[:SHORT] for sha256, *_ in found)
        raise ConfigurationError(f"{table.name}: {len(found)} uploads begin with {upload}: {ids}")
    raise ConfigurationError(f"{table.name}: no upload that is loaded begins with {upload}; see {hint}")


def _remember_entities(cursor: Any, table: Table, sha256: str) -> int:
    name = identifier(table.name)
    cursor.execute(
        f"CREATE TEMP TABLE entities ON COMMIT DROP AS SELECT {key_list(table)} FROM features.{name} WHERE false"
    )
    brought = [f"SELECT DISTINCT {key_list(table)} FROM {one} WHERE upload_sha256 = $1" for one in _tables(table)]
    cursor.execute(f"INSERT INTO {ENTITIES} {' UNION '.join(brought)}", (sha256,))
    count: int = rows(cursor, f"SELECT count(*) FROM {ENTITIES}")[0][0]
    return count


def _tables(table: Table) -> list[str]:
    """Return the tables that hold what an upload brought. A row of it may be in one of them or in both."""
    schemas = ["features", *(["labels"] if table.label_columns else [])]
    return [f"{schema}.{identifier(table.name)}" for schema in schemas]


def _remove_rows(cursor: Any, table: Table, sha256: str) -> int:
    """Remove the rows of an upload, its bad values and its entry in the ledger; return the number of rows."""
    tables = {f"gone_{i}": name for i, name in enumerate(_tables(table))}
    gone = (
        f"{alias} AS (DELETE FROM {name} WHERE upload_sha256 = $1 RETURNING line)" for alias, name in tables.items()
    )
    lines = " UNION ".join(f"SELECT line FROM {alias}" for alias in tables)
    removed: int = rows(cursor, f"WITH {', '.join(gone)} SELECT count(*) FROM ({lines}) lines", sha256)[0][0]
    for entry in ("rejected_rows", "ledger"):
        cursor.execute(
            f"DELETE FROM uploads.{entry} WHERE dataset = $1 AND purpose = 'train' AND sha256 = $2",
            (table.name, sha256),
        )
    return removed
