# ruff: noqa: S608 – names go through identifier(); values are bound or quoted
"""Erase entities everywhere: tables, online store, prediction log, archived uploads, results and training files."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from ml_platform.exceptions import ConfigurationError
from ml_platform.feature_store import online_rows
from ml_platform.ingestion import loading
from ml_platform.removal import stored_files, training_files
from ml_platform.removal.entities import Entities, find_entities
from ml_platform.removal.stored_files import SearchedFiles
from ml_platform.removal.training_files import TrainingFiles
from ml_platform.removal.withdraw_upload import versions_by_upload
from ml_platform.specs.spec import Dataset, Table
from ml_platform.storage.database import identifier, literal, rows, transaction
from ml_platform.storage.locks import lock
from ml_platform.storage.tables import existing_columns, key_list
from ml_platform.training.build_training_set import freeze_lock

log = logging.getLogger(__name__)

ENTITIES = "pg_temp.erased_entities"


@dataclass(frozen=True)
class Erasure:
    """What is, or was, erased.

    Attributes:
        entities: their keys and table.
        table_rows: number of rows by table in Postgres, without tables that have none.
        files: in the buckets `train`, `test` and `result`.
        training: frozen training sets and predictions on the hold-out.
        versions: of the model, trained with them; they stay as they are.
    """

    entities: Entities
    table_rows: dict[str, int]
    files: SearchedFiles
    training: TrainingFiles
    versions: tuple[int, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing was found. The online store is not looked at: it holds what `features` holds."""
        return not (self.table_rows or self.files.found or self.training.training_sets or self.training.runs)


def plan(table: Table, keys: Sequence[str]) -> Erasure:
    """Search everything for some entities; nothing is changed.

    Args:
        table: the spec.
        keys: as `entities.find_entities` takes them.

    Raises:
        ConfigurationError: a key is not one of this table, or a file that waits in an inbox holds one of the entities.
        UploadChangedError, ServiceError: a file changed during the search, or a server failed; run it again.
    """
    entities = find_entities(table, keys)
    _refuse_waiting_files(entities)
    files = stored_files.search(stored_files.settled_files(table), entities)
    training = training_files.search(table, entities) if isinstance(table, Dataset) else TrainingFiles()
    with transaction() as cursor:
        _put_keys(cursor, entities)
        counts = {
            source.partition(" ")[0]: rows(cursor, f"SELECT count(*) FROM {source}, {ENTITIES} e WHERE {same}")[0][0]
            for source, same in _sources(cursor, table)
        }
        by_upload = _versions_of_uploads(cursor, table)
    versions = tuple(sorted({*training.versions, *by_upload}))
    return Erasure(entities, {name: n for name, n in counts.items() if n}, files, training, versions)


def _refuse_waiting_files(entities: Entities) -> None:
    """Refuse to begin while a file waits that would bring an entity back.

    A file leaves the inbox after its rows are committed. So if none waits, every load is either done, and what it
    brought is found, or begins later with a file that was dropped later.
    """
    waiting = stored_files.search(stored_files.waiting_files(entities.table), entities)
    if names := [str(found.file) for found in waiting.found]:
        raise ConfigurationError(
            f"{entities.table.name}: these files in the inbox hold an entity to erase: {', '.join(names)}; wait until "
            "they are loaded or scored, or remove them, and run it again"
        )


def _put_keys(cursor: Any, entities: Entities) -> None:
    reader = pa.RecordBatchReader.from_batches(entities.batch().schema, [entities.batch()])
    cursor.execute(f"DROP TABLE IF EXISTS {ENTITIES}")
    cursor.adbc_ingest("erased_entities", reader, mode="create", temporary=True)


def _sources(cursor: Any, table: Table) -> list[tuple[str, str]]:
    """Return tables, each with an alias, and the condition that one of its rows `x` is about the entity `e`."""
    name = identifier(table.name)
    same = " AND ".join(f"x.{identifier(key)} = e.{identifier(key)}" for key in table.keys)
    found = [
        (f"{schema}.{name} x", same)
        for schema in ("features", "labels")
        if existing_columns(cursor, schema, table.name)
    ]
    as_json = ", ".join(f"{literal(key)}, e.{identifier(key)}" for key in table.keys)
    is_of_entity = f"x.entity_key = jsonb_build_object({as_json})"
    logged = f"x.model = {literal(table.name)} AND {is_of_entity}"
    asked = f"x.dataset = {literal(table.name)} AND {is_of_entity}"
    headers = literal(", ".join(table.header(key) for key in table.keys))
    rejected = (
        f"x.dataset = {literal(table.name)} AND x.column_name = {headers}"
        f" AND x.value = left(concat_ws(', ', {key_list(table, 'e.')}), 200)"
    )
    return [
        *found,
        *((f"predictions.{table} x", logged) for table in ("log", "shadow")),
        ("uploads.rejected_rows x", rejected),
        ("labelling.asked x", asked),  # the answers go with it
    ]


def _versions_of_uploads(cursor: Any, table: Table) -> set[int]:
    """Return the versions of the own model that were trained with uploads which brought rows of the entities."""
    uploads = [
        upload
        for source, same in _sources(cursor, table)
        if source.startswith(("features.", "labels."))
        for upload in rows(cursor, f"SELECT DISTINCT x.upload_sha256 FROM {source}, {ENTITIES} e WHERE {same}")
    ]
    by_upload = versions_by_upload(table.name)
    return {version for (sha256,) in uploads for model, version in by_upload.get(sha256, ()) if model == table.name}


def erase(planned: Erasure, *, reason: str, by: str) -> Erasure:
    """Erase what `plan` found, and what came since; idempotent.

    The tables and the online store come first, in one transaction, then the files one by one, each replaced at once.
    After a kill, a new plan finds what is left.

    Returns:
        What was erased.

    Raises:
        ConfigurationError: there is no reason, or a file that waits in an inbox holds one of the entities.
        UploadChangedError, ServiceError, MlflowException, psycopg.Error: a file changed since the search, or a server
            failed; run it again.
    """
    entities, table = planned.entities, planned.entities.table
    if not reason.strip():
        raise ConfigurationError(f"{table.name}: an erasure needs a reason")
    _refuse_waiting_files(entities)
    erasure_id, removed = _erase_rows(planned, reason=reason, by=by)
    newer = stored_files.search(stored_files.settled_files(table), entities, planned.files.seen)
    found = (*planned.files.found, *newer.found)
    for file in found:
        stored_files.erase_rows(file, table.name)
    training = training_files.search(table, entities) if isinstance(table, Dataset) else TrainingFiles()
    for training_set in training.training_sets:
        training_files.erase_from_training_set(training_set, entities)
    for run in training.runs:
        training_files.erase_from_run(run, entities)
    versions = tuple(sorted({*planned.versions, *training.versions}))
    _finish(erasure_id, len(found) + len(training.training_sets) + len(training.runs), versions)
    log.info("%s: %d entities were erased by %s: %s", table.name, len(entities.keys), by, reason)
    unreadable = (*planned.files.unreadable, *newer.unreadable)
    files = replace(newer, found=found, unreadable=unreadable)
    return Erasure(entities, removed, files, training, versions)


def _erase_rows(planned: Erasure, *, reason: str, by: str) -> tuple[int, dict[str, int]]:
    """Remove the rows of the entities from the tables and the online store, and record it; return id and counts."""
    entities, table = planned.entities, planned.entities.table
    with transaction() as cursor:
        if isinstance(table, Dataset):
            lock(cursor, freeze_lock(table))
        lock(cursor, online_rows.online_lock(table))
        lock(cursor, loading.load_lock(table))
        _put_keys(cursor, entities)
        _count_erased(cursor, table)
        removed = {source.partition(" ")[0]: _delete(cursor, source, same) for source, same in _sources(cursor, table)}
        erasure_id: int = rows(
            cursor,
            "INSERT INTO uploads.erasures (dataset, entities, rows_removed, files, versions, erased_by, reason)"
            " VALUES ($1, $2, $3, $4, string_to_array($5, ',')::integer[], $6, $7) RETURNING erasure_id",
            *(table.name, len(entities.keys), sum(removed.values()), 0),
            *(",".join(map(str, planned.versions)), by, reason),
        )[0][0]
        # The last step: if it fails, nothing is committed.
        online_rows.remove_entities(table, entities.keys)
    return erasure_id, {name: n for name, n in removed.items() if n}


def _count_erased(cursor: Any, table: Table) -> None:
    """Count in the ledger how many rows of each upload are about the entities, before they are removed."""
    brought = [
        f"SELECT x.upload_sha256, x.line FROM {source}, {ENTITIES} e WHERE {same}"
        for source, same in _sources(cursor, table)
        if source.startswith(("features.", "labels."))
    ]
    if brought:
        cursor.execute(
            f"UPDATE uploads.ledger l SET rows_erased = rows_erased + n FROM (SELECT upload_sha256, count(*) AS n"
            f" FROM ({' UNION '.join(brought)}) lines GROUP BY 1) counts"
            " WHERE l.dataset = $1 AND l.purpose = 'train' AND l.sha256 = counts.upload_sha256",
            (table.name,),
        )


def _delete(cursor: Any, source: str, same: str) -> int:
    """Remove the rows of the entities from one table."""
    gone = f"DELETE FROM {source} USING {ENTITIES} e WHERE {same}"
    return int(rows(cursor, f"WITH gone AS ({gone} RETURNING 1) SELECT count(*) FROM gone")[0][0])


def _finish(erasure_id: int, files: int, versions: Sequence[int]) -> None:
    with transaction() as cursor:
        cursor.execute(
            "UPDATE uploads.erasures SET finished_at = now(), files = $2,"
            " versions = string_to_array($3, ',')::integer[] WHERE erasure_id = $1",
            (erasure_id, files, ",".join(map(str, versions))),
        )
