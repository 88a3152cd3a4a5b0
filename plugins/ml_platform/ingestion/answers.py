# ruff: noqa: S608 – names go through identifier(); values are bound or quoted
"""The load of an answer file: labels of rows that a person was asked about, with their features as they were scored.

A label is known from the upload of its file on. Its event time is that of the row or, without one, when the row was
scored. From there the point-in-time join finds the features, which are written as of the same time. All of it runs in
the transaction of the load.
"""

from collections.abc import Iterator
from typing import Any

from ml_platform.ingestion import loading, staging, upload_order
from ml_platform.ingestion.label_values import reject_third_values
from ml_platform.ingestion.ledger import Claim
from ml_platform.ingestion.loading import Counts, Load
from ml_platform.ingestion.staging import INCOMING, REJECTED
from ml_platform.ingestion.upload_order import Moments
from ml_platform.parsing.batches import Batch
from ml_platform.specs.answer_files import ASK_ID, LABELLED_BY, AnswerFiles
from ml_platform.specs.spec import Dataset
from ml_platform.storage.database import identifier, literal, rows
from ml_platform.storage.object_store import ObjectVersion
from ml_platform.storage.tables import feature_columns, key_list


def load(
    cursor: Any, dataset: Dataset, table: AnswerFiles, version: ObjectVersion, claim: Claim, batches: Iterator[Batch]
) -> Load:
    """Load the answered rows of a file, and record the bad values.

    Args:
        cursor: of the transaction that claimed its bytes.
        dataset: the spec.
        table: the spec of its answer files.
        version: the object with the file.
        claim: the right to load it.
        batches: its rows.

    Raises:
        ContractError: the file breaks the contract; the caller rolls back.
        ConfigurationError: the label column cannot hold the positive value.
    """
    read = staging.stage(cursor, table, loading.PURPOSE, batches)
    if table.label.names_positive_only:
        reject_third_values(cursor, table, INCOMING, REJECTED)
    blank = _remove(cursor, f"{identifier(table.label.column)} IS NULL")
    moments = loading.moments_of(cursor, table, version, claim.earlier)
    staging.add_timestamps(cursor, table, moments)
    staging.reject_duplicates(cursor, table)
    _reject(cursor, f"NOT EXISTS (SELECT {_asked(dataset)})", ASK_ID, "no row with this id was asked about")
    _reject(cursor, f"{LABELLED_BY} IS NULL", LABELLED_BY, "missing; say who gave the label")
    _remove(cursor, f"line IN ({_unchanged(dataset, moments)})")
    since = rows(cursor, f"SELECT count(*), min(a.event_time) FROM {_source(dataset)}")[0]
    _insert(cursor, dataset, claim.sha256, moments)
    counts = Counts(read - blank, since[0], staging.count_rejected(cursor))
    reasons = staging.first_reasons(cursor)
    staging.record_rejected(cursor, table, loading.PURPOSE, claim.sha256)
    return Load(counts, reasons, moments, _overtaken_by(cursor, dataset, *since), _blank_warning(blank, read))


def _blank_warning(blank: int, read: int) -> str:
    if not blank:
        return ""
    return f"{blank:,} of {read:,} rows have no label yet; fill them in, and drop the file again"


def _asked(dataset: Dataset) -> str:
    return f"FROM labelling.asked a WHERE a.dataset = {literal(dataset.name)} AND a.ask_id = i.{ASK_ID}"


def _source(dataset: Dataset) -> str:
    """Return the SQL of the incoming rows `i`, each with what was asked, `a`, and the row as it was scored, `r`."""
    of_row = f"jsonb_populate_record(NULL::features.{identifier(dataset.name)}, a.scored_values) r"
    return f"{INCOMING} i CROSS JOIN LATERAL (SELECT a.* {_asked(dataset)}) a CROSS JOIN LATERAL {of_row}"


def _remove(cursor: Any, condition: str) -> int:
    """Remove the incoming rows with a condition; return their number."""
    removed = f"WITH removed AS (DELETE FROM {INCOMING} i WHERE {condition} RETURNING 1) SELECT count(*) FROM removed"
    count: int = rows(cursor, removed)[0][0]
    return count


def _reject(cursor: Any, condition: str, column: str, reason: str) -> None:
    cursor.execute(
        f"INSERT INTO {REJECTED} SELECT line, $1::text, coalesce(left(i.{identifier(column)}, 200), ''), $2::text"
        f" FROM {INCOMING} i WHERE {condition}",
        (column, reason),
    )
    cursor.execute(f"DELETE FROM {INCOMING} i USING {REJECTED} w WHERE w.line = i.line")


def _moment(moments: Moments) -> str:
    return f"{literal(moments.uploaded_at.isoformat())}::timestamptz"


def _unchanged(dataset: Dataset, moments: Moments) -> str:
    """Return the SQL of the lines whose label is the one that is known already."""
    label = identifier(dataset.label.column)
    same = " AND ".join(f"l.{identifier(key)} = r.{identifier(key)}" for key in dataset.keys)
    newest = (
        f"SELECT l.{label} AS known FROM labels.{identifier(dataset.name)} l WHERE {same}"
        f" AND l.event_timestamp = a.event_time AND l.created_timestamp <= {_moment(moments)}"
        " ORDER BY l.created_timestamp DESC LIMIT 1"
    )
    return f"SELECT i.line FROM {_source(dataset)} CROSS JOIN LATERAL ({newest}) n WHERE n.known = i.{label}"


def _insert(cursor: Any, dataset: Dataset, sha256: str, moments: Moments) -> None:
    name, label = identifier(dataset.name), identifier(dataset.label.column)
    key = f"{key_list(dataset)}, event_timestamp, created_timestamp"
    columns = "".join(f", {identifier(column)}" for column in feature_columns(dataset))
    values = "".join(f", r.{identifier(column)}" for column in feature_columns(dataset))
    row = f"{key_list(dataset, 'r.')}, a.event_time"
    cursor.execute(
        f"INSERT INTO features.{name} ({key}, upload_sha256, line{columns})"
        f" SELECT {row}, a.event_time, $1::text, i.line{values} FROM {_source(dataset)} ON CONFLICT ({key}) DO NOTHING",
        (sha256,),
    )
    cursor.execute(
        f"INSERT INTO labels.{name} ({key}, upload_sha256, line, {label})"
        f" SELECT {row}, {_moment(moments)}, $1::text, i.line, i.{label} FROM {_source(dataset)}"
        f" ON CONFLICT ({key}) DO NOTHING",
        (sha256,),
    )
    cursor.execute(
        f"INSERT INTO labelling.answers (dataset, upload_sha256, line, ask_id, labelled_by)"
        f" SELECT $1::text, $2::text, line, {ASK_ID}, {LABELLED_BY} FROM {INCOMING} ON CONFLICT DO NOTHING",
        (dataset.name, sha256),
    )


def _overtaken_by(cursor: Any, dataset: Dataset, loaded: int, since: Any) -> list[tuple[str, str]]:
    """Return the files, uploaded after rows were scored, whose rows may have been compared with earlier versions."""
    if not loaded or dataset.event_time:
        return []
    reopened = upload_order.reopen(cursor, dataset, since)
    return [(sha256, key) for sha256, key in reopened if not key.startswith(dataset.answer_prefix)]
