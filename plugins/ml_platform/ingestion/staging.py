# ruff: noqa: S608 – names go through identifier(); values are bound or quoted
"""The SQL of a load: binary COPY brings typed rows into a temporary table, and SQL moves them to the final tables.

All of it runs in the caller's transaction.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from ml_platform.exceptions import ContractError
from ml_platform.ingestion import ledger
from ml_platform.ingestion.label_values import reject_third_values
from ml_platform.ingestion.ledger import CONFLICT, Claim, Moments
from ml_platform.ingestion.upload_report import Reason
from ml_platform.parsing.batches import BadValue, Batch, arrow_schema
from ml_platform.specs.parts import Purpose
from ml_platform.specs.spec import Dataset, Table
from ml_platform.storage.database import identifier, literal, rows
from ml_platform.storage.locks import lock
from ml_platform.storage.object_store import ObjectVersion
from ml_platform.storage.tables import feature_columns, key_list

INCOMING = "pg_temp.incoming"  # the good rows
TIMED = "pg_temp.timed"  # the same with their timestamps
KNOWN_KEYS = "pg_temp.known_keys"
PURPOSE: Purpose = "train"  # only these files are loaded
REJECTED = "pg_temp.rejected"  # line, column_name, value and reason of each bad value of the others
MAX_REASONS = 100  # in one report; uploads.rejected_rows has all of them for a loaded file
BAD_SCHEMA = pa.schema(
    [("line", pa.int64()), ("column_name", pa.string()), ("value", pa.string()), ("reason", pa.string())]
)


@dataclass(frozen=True)
class Counts:
    """The rows of a file: read = loaded + rejected + present; and of its keys those that earlier files brought.

    Attributes:
        keys_known: keys of good rows that have rows from earlier files.
        keys_changed: those of them for which a row was loaded.
    """

    read: int
    loaded: int
    rejected: int
    keys_known: int = 0
    keys_changed: int = 0

    @property
    def present(self) -> int:
        """Rows that an earlier file brought already: with the same values, and the same timestamps if it has any."""
        return self.read - self.loaded - self.rejected

    @property
    def keys_unchanged(self) -> int:
        """Known keys for which no row was loaded."""
        return self.keys_known - self.keys_changed


class FileRejectedError(ContractError):
    """A file has too many bad rows; the error has their number and the first reasons."""

    def __init__(self, problem: str, counts: Counts, reasons: list[Reason]) -> None:
        """Keep the problem of the whole file, the numbers of rows and the first reasons."""
        super().__init__(problem)
        self.counts = counts
        self.reasons = reasons


class _GoodRows:
    """Yields the good rows and writes the bad values to a file; keeps an error that the C stream would lose."""

    def __init__(self, batches: Iterator[Batch], bad: Any) -> None:
        self.rows_read = 0
        self.error: ContractError | None = None
        self._batches = batches
        self._bad = bad

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        try:
            for batch in self._batches:
                self.rows_read += batch.rows_read
                if batch.bad:
                    self._bad.write_batch(_bad_batch(batch.bad))
                yield batch.rows
        except ContractError as error:
            self.error = error


def _bad_batch(bad: tuple[BadValue, ...]) -> pa.RecordBatch:
    entries = zip(*((b.line, b.column, b.value, b.reason) for b in bad), strict=True)
    return pa.RecordBatch.from_arrays([pa.array(list(e)) for e in entries], schema=BAD_SCHEMA)


def stage(cursor: Any, table: Table, purpose: Purpose, batches: Iterator[Batch]) -> int:
    """Copy the good rows and the bad values of a file into the temporary tables; return the number of rows read.

    Raises:
        ContractError: the file breaks the contract.
    """
    with tempfile.TemporaryFile() as bad_file:
        with pa.ipc.new_stream(bad_file, BAD_SCHEMA) as bad:
            good_rows = _GoodRows(batches, bad)
            reader = pa.RecordBatchReader.from_batches(arrow_schema(table, purpose), good_rows)
            cursor.adbc_ingest("incoming", reader, mode="create", temporary=True)
        if good_rows.error:
            raise good_rows.error
        bad_file.seek(0)
        cursor.adbc_ingest("rejected", pa.ipc.open_stream(bad_file), mode="create", temporary=True)
    return good_rows.rows_read


def load_lock(table: Table) -> str:
    """Return the name of the lock that a load of the table holds."""
    return f"load {table.name}"


def _compares_values(table: Table) -> bool:
    """Return whether a time of the rows is that of their upload, so that only their values tell what is new."""
    return table.event_time is None or table.known_at == "load"


def _moments(cursor: Any, table: Table, version: ObjectVersion, earlier: Moments | None) -> Moments:
    """Return the times of the upload, once no other load can change what it is compared with.

    Where values are compared, one file at a time is. A withdrawal waits for all loads, and they for it.
    """
    lock(cursor, load_lock(table), shared=not _compares_values(table))
    return earlier or ledger.new_moments(cursor, table.name, version.last_modified)


def add_timestamps(cursor: Any, table: Table, moments: Moments) -> None:
    """Create `TIMED`: the incoming rows with event time and known time."""
    claimed, uploaded = (
        f"{literal(moment.isoformat())}::timestamptz" for moment in (moments.claimed_at, moments.uploaded_at)
    )
    event = identifier(table.event_time) if table.event_time else uploaded
    known = {"event_time": event, "load": claimed}.get(table.known_at) or identifier(table.known_at)
    cursor.execute(
        f"CREATE TEMP VIEW timed AS SELECT *, {event} AS event_timestamp, {known} AS created_timestamp FROM {INCOMING}"
    )


def _key_text(table: Table, prefix: str = "") -> str:
    """Return the SQL of a row's key as a text for people."""
    return f"left(concat_ws(', ', {key_list(table, prefix)}), 200)"


def _key_headers(table: Table) -> str:
    return ", ".join(table.header(key) for key in table.keys)


def reject_duplicates(cursor: Any, table: Table) -> None:
    """Reject each row that has the key and the timestamps of an earlier line of the file."""
    keys = key_list(table)
    at = "' at ' || to_char(event AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')" if table.event_time else "''"
    cursor.execute(
        f"INSERT INTO {REJECTED} SELECT line, $1::text, key, 'key ' || key || {at} || ' is already on line ' || first"
        f" FROM (SELECT line, {_key_text(table)} AS key, event_timestamp AS event, first_value(line)"
        f" OVER (PARTITION BY {keys}, event_timestamp, created_timestamp ORDER BY line) AS first FROM {TIMED}) ranked"
        " WHERE line <> first",
        (_key_headers(table),),
    )
    cursor.execute(f"DELETE FROM {INCOMING} i USING {REJECTED} w WHERE w.line = i.line")


def insert(cursor: Any, table: Table, sha256: str, *, later: bool = False) -> int:
    """Insert the features and labels of the incoming rows; return how many rows were new.

    A row with the key and timestamps of a row from an earlier file is present if its values are the same. If they
    differ, it is rejected. If a time of the row is that of its upload, it is present if it equals the version of its
    entity at that time, or the next one.

    Args:
        cursor: of the transaction of the load.
        table: the spec.
        sha256: of the upload.
        later: whether there can be versions from later uploads.
    """
    if _compares_values(table):
        _remove_unchanged(cursor, table, later=later)
    loaded = _insert(cursor, table, "features", feature_columns(table), sha256)
    if loaded < rows(cursor, f"SELECT count(*) FROM {INCOMING}")[0][0]:
        _remove_present(cursor, table, sha256)
    if table.label_columns:
        _insert(cursor, table, "labels", table.label_columns, sha256)
    return loaded


def _insert(cursor: Any, table: Table, schema: str, columns: tuple[str, ...], sha256: str) -> int:
    target = f"{key_list(table)}, event_timestamp, created_timestamp"
    names = "".join(f", {identifier(name)}" for name in columns)
    added: int = rows(
        cursor,
        f"WITH added AS (INSERT INTO {schema}.{identifier(table.name)} ({target}, upload_sha256, line{names})"
        f" SELECT {target}, $1::text, line{names} FROM {TIMED} ORDER BY {target}"
        f" ON CONFLICT ({target}) DO NOTHING RETURNING 1)"
        " SELECT count(*) FROM added",
        sha256,
    )[0][0]
    return added


def _same_row(table: Table, alias: str, other: str = "i") -> str:
    """Return the SQL condition that two rows have the same key and timestamps."""
    columns = (*(identifier(key) for key in table.keys), "event_timestamp", "created_timestamp")
    return " AND ".join(f"{alias}.{column} = {other}.{column}" for column in columns)


def _same_values(table: Table) -> str:
    """Return the SQL condition that the row `i` has the values of the row `f` of the features and `l` of the labels."""
    same = [f"f.{identifier(c)} IS NOT DISTINCT FROM i.{identifier(c)}" for c in feature_columns(table)]
    same += [f"l.{identifier(c)} IS NOT DISTINCT FROM i.{identifier(c)}" for c in table.label_columns]
    return " AND ".join(same) or "true"


def _remove_unchanged(cursor: Any, table: Table, *, later: bool) -> None:
    """Remove the incoming rows that equal the version of their entity at their time, or with `later` the next one."""
    name = identifier(table.name)
    time = "created_timestamp" if table.event_time else "event_timestamp"  # that of the upload
    same = [f"f.{identifier(key)} = i.{identifier(key)}" for key in table.keys]
    same += ["f.event_timestamp = i.event_timestamp"] if table.event_time else []
    versions = f"SELECT * FROM features.{name} f WHERE {' AND '.join(same)} AND f.{time}"
    order = "event_timestamp {0}, created_timestamp {0} LIMIT 1"
    neighbours = f"(({versions} <= i.{time} ORDER BY {order.format('DESC')})"
    neighbours += f" UNION ALL ({versions} > i.{time} ORDER BY {order.format('ASC')}))" if later else ")"
    labels = f" JOIN labels.{name} l ON {_same_row(table, 'l', 'f')}" if table.label_columns else ""
    known = "" if table.known_at in ("event_time", "load") else " AND f.created_timestamp = i.created_timestamp"
    cursor.execute(
        f"DELETE FROM {INCOMING} WHERE line IN (SELECT i.line FROM {TIMED} i CROSS JOIN LATERAL"
        f" {neighbours} f{labels} WHERE {_same_values(table)}{known})"
    )


def _remove_present(cursor: Any, table: Table, sha256: str) -> None:
    """Remove the rows that an earlier file brought from the incoming ones; reject those with other values."""
    labels = f" LEFT JOIN labels.{identifier(table.name)} l ON {_same_row(table, 'l')}" if table.label_columns else ""
    cursor.execute(
        f"CREATE TEMP TABLE known AS SELECT i.line, {_key_text(table, 'i.')} AS key, f.line AS other,"
        f" {_same_values(table)} AS same FROM {TIMED} i JOIN features.{identifier(table.name)} f"
        f" ON {_same_row(table, 'f')} AND f.upload_sha256 <> {literal(sha256)}{labels}"
    )
    cursor.execute(
        f"INSERT INTO {REJECTED} SELECT line, $1::text, key,"
        f" 'key ' || key || ' {CONFLICT}"
        " on line ' || other || ' of an earlier file; a correction needs a later known time'"
        " FROM pg_temp.known WHERE NOT same",
        (_key_headers(table),),
    )
    cursor.execute(f"DELETE FROM {INCOMING} i USING pg_temp.known k WHERE k.line = i.line")


def _remember_known_keys(cursor: Any, table: Table, sha256: str) -> int:
    """Create `KNOWN_KEYS`, those of the incoming rows that have rows from earlier files; return their number."""
    keys = " AND ".join(f"f.{identifier(key)} = i.{identifier(key)}" for key in table.keys)
    cursor.execute(
        f"CREATE TEMP TABLE known_keys AS SELECT * FROM (SELECT DISTINCT {key_list(table)} FROM {INCOMING}) i WHERE"
        f" EXISTS (SELECT FROM features.{identifier(table.name)} f WHERE {keys}"
        f" AND f.upload_sha256 <> {literal(sha256)})"
    )
    known: int = rows(cursor, f"SELECT count(*) FROM {KNOWN_KEYS}")[0][0]
    return known


def _count_changed_keys(cursor: Any, table: Table) -> int:
    """Return how many known keys are still among the incoming rows."""
    keys = key_list(table)
    changed = f"SELECT {keys} FROM {KNOWN_KEYS} INTERSECT SELECT {keys} FROM {INCOMING}"
    count: int = rows(cursor, f"SELECT count(*) FROM ({changed}) changed")[0][0]
    return count


def count_rejected(cursor: Any) -> int:
    """Return the number of rows with at least one bad value."""
    rejected: int = rows(cursor, f"SELECT count(DISTINCT line) FROM {REJECTED}")[0][0]
    return rejected


def first_reasons(cursor: Any) -> list[Reason]:
    """Return the first `MAX_REASONS` bad values, ordered by line."""
    columns = "line, column_name, value, reason"
    entries = rows(cursor, f"SELECT {columns} FROM {REJECTED} ORDER BY line, column_name LIMIT {MAX_REASONS}")
    return [Reason(line=line, column=column, value=value, reason=reason) for line, column, value, reason in entries]


def _record_rejected(cursor: Any, table: Table, purpose: Purpose, sha256: str) -> None:
    """Record the bad values; they replace those of an earlier load of the same bytes."""
    cursor.execute(
        "DELETE FROM uploads.rejected_rows WHERE dataset = $1 AND purpose = $2 AND sha256 = $3",
        (table.name, purpose, sha256),
    )
    cursor.execute(
        "INSERT INTO uploads.rejected_rows (dataset, purpose, sha256, line, column_name, value, reason)"
        f" SELECT $1::text, $2::text, $3::text, line, column_name, value, reason FROM {REJECTED}",
        (table.name, purpose, sha256),
    )


def rejection_reason(table: Table, counts: Counts) -> str | None:
    """Return why the whole file is rejected, or None if the spec allows this number of bad rows."""
    bad = f"{counts.rejected:,} of {counts.read:,} rows are bad"
    if counts.rejected and table.on_bad_row == "reject_file":
        return f"{bad}, and datasets/{table.name}.yaml says on_bad_row: reject_file"
    if counts.rejected > table.max_bad_rows * counts.read:
        return f"{bad}; datasets/{table.name}.yaml allows a share of {table.max_bad_rows:g} (max_bad_rows)"
    return None


@dataclass(frozen=True)
class Load:
    """What a load did.

    Attributes:
        counts: the numbers of rows and keys.
        reasons: the first bad values.
        moments: the times of the upload.
        overtaken_by: SHA-256 and key of the files that were uploaded later and loaded before. Rows of theirs that
            were already there were compared with versions before the ones of this load.
    """

    counts: Counts
    reasons: list[Reason]
    moments: Moments
    overtaken_by: list[tuple[str, str]]


def load(cursor: Any, table: Table, version: ObjectVersion, claim: Claim, batches: Iterator[Batch]) -> Load:
    """Load the good rows of a training file into its tables and record the bad values.

    Args:
        cursor: of the transaction that claimed its bytes.
        table: the spec.
        version: the object with the file.
        claim: the right to load it.
        batches: its rows.

    Raises:
        ContractError: the file breaks the contract; the caller rolls back.
        ConfigurationError: the label column cannot hold the positive value.
    """
    read = stage(cursor, table, PURPOSE, batches)
    if isinstance(table, Dataset) and not table.label.values:
        reject_third_values(cursor, table, INCOMING, REJECTED)
    moments = _moments(cursor, table, version, claim.earlier)
    add_timestamps(cursor, table, moments)
    reject_duplicates(cursor, table)
    known = _remember_known_keys(cursor, table, claim.sha256)
    late = claim.earlier is not None or ledger.has_later_uploads(cursor, table.name, moments)
    loaded = insert(cursor, table, claim.sha256, later=late)
    changed = _count_changed_keys(cursor, table) if known else 0
    counts = Counts(read, loaded, count_rejected(cursor), known, changed)
    reasons = first_reasons(cursor)
    if problem := rejection_reason(table, counts):
        raise FileRejectedError(problem, counts, reasons)
    _record_rejected(cursor, table, PURPOSE, claim.sha256)
    is_compared_late = late and changed and not table.event_time
    overtaken_by = ledger.reopen(cursor, table, moments.uploaded_at) if is_compared_late else []
    return Load(counts, reasons, moments, overtaken_by)


def clear(cursor: Any) -> None:
    """Remove what a load left in the session, so that the same transaction can load another file."""
    cursor.execute("DROP VIEW IF EXISTS pg_temp.timed")
    cursor.execute(f"DROP TABLE IF EXISTS {INCOMING}, {REJECTED}, {KNOWN_KEYS}, pg_temp.known")
