# ruff: noqa: S608 – names go through identifier(); values are bound or quoted
"""The SQL of a load: binary COPY brings typed rows into a temporary table, and SQL moves them to the final tables.

All of it runs in the caller's transaction.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from ml_platform.exceptions import ContractError
from ml_platform.ingestion.label_values import reject_third_values
from ml_platform.ingestion.upload_report import Reason
from ml_platform.parsing.batches import BadValue, Batch, arrow_schema
from ml_platform.specs.parts import Purpose
from ml_platform.specs.spec import Dataset, Table
from ml_platform.storage.database import identifier, literal, rows
from ml_platform.storage.locks import lock
from ml_platform.storage.tables import feature_columns, key_list

INCOMING = "pg_temp.incoming"  # the good rows
TIMED = "pg_temp.timed"  # the same with their timestamps
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


def _claim_moment(cursor: Any, table: Table) -> datetime:
    """Return the time of the claim, which is the event time of rows that have none.

    Such rows are compared with the current versions of their entities. So one file at a time is compared and loaded,
    and the times of the claims have the order of the loads. A withdrawal waits for all loads, and they for it.
    """
    lock(cursor, load_lock(table), shared=table.event_time is not None)
    moment: datetime = rows(cursor, "SELECT clock_timestamp()")[0][0]
    return moment


def add_timestamps(cursor: Any, table: Table, moment: datetime) -> None:
    """Create `TIMED`: the incoming rows with event time and known time."""
    claim = f"{literal(moment.isoformat())}::timestamptz"
    event = identifier(table.event_time) if table.event_time else claim
    known = {"event_time": event, "load": claim}.get(table.known_at) or identifier(table.known_at)
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


def insert(cursor: Any, table: Table, sha256: str) -> int:
    """Insert the features and labels of the incoming rows; return how many rows were new.

    A row with the key and timestamps of a row from an earlier file is present if its values are the same. If they
    differ, it is rejected. Without an event time, a row is present if it equals the current version of its entity.
    """
    if not table.event_time:
        _remove_unchanged(cursor, table)
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


def _remove_unchanged(cursor: Any, table: Table) -> None:
    """Remove the incoming rows that equal the current version of their entity, in a table without an event time."""
    name = identifier(table.name)
    keys = " AND ".join(f"f.{identifier(key)} = i.{identifier(key)}" for key in table.keys)
    labels = f" JOIN labels.{name} l ON {_same_row(table, 'l', 'f')}" if table.label_columns else ""
    known = "" if table.known_at in ("event_time", "load") else " AND f.created_timestamp = i.created_timestamp"
    cursor.execute(
        f"DELETE FROM {INCOMING} WHERE line IN (SELECT i.line FROM {TIMED} i CROSS JOIN LATERAL"
        f" (SELECT * FROM features.{name} f WHERE {keys}"
        f" ORDER BY event_timestamp DESC, created_timestamp DESC LIMIT 1) f{labels} WHERE {_same_values(table)}{known})"
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
        " 'key ' || key || ' came with the same time but other values"
        " on line ' || other || ' of an earlier file; a correction needs a later known time'"
        " FROM pg_temp.known WHERE NOT same",
        (_key_headers(table),),
    )
    cursor.execute(f"DELETE FROM {INCOMING} i USING pg_temp.known k WHERE k.line = i.line")


def _count_known_keys(cursor: Any, table: Table, sha256: str) -> int:
    """Return how many keys of the incoming rows have rows from earlier files."""
    keys = " AND ".join(f"f.{identifier(key)} = i.{identifier(key)}" for key in table.keys)
    known: int = rows(
        cursor,
        f"SELECT count(*) FROM (SELECT DISTINCT {key_list(table)} FROM {INCOMING}) i WHERE EXISTS"
        f" (SELECT FROM features.{identifier(table.name)} f WHERE {keys} AND f.upload_sha256 <> $1)",
        sha256,
    )[0][0]
    return known


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


def load(
    cursor: Any, table: Table, purpose: Purpose, sha256: str, batches: Iterator[Batch]
) -> tuple[Counts, list[Reason], datetime]:
    """Load the good rows of a file into its tables and record the bad values.

    Returns:
        The numbers of rows, the first bad values, and the time of the claim.

    Raises:
        ContractError: the file breaks the contract; the caller rolls back.
        ConfigurationError: the label column cannot hold the positive value.
    """
    read = stage(cursor, table, purpose, batches)
    if isinstance(table, Dataset) and not table.label.values:
        reject_third_values(cursor, table, INCOMING, REJECTED)
    moment = _claim_moment(cursor, table)
    add_timestamps(cursor, table, moment)
    reject_duplicates(cursor, table)
    known = _count_known_keys(cursor, table, sha256)
    loaded = insert(cursor, table, sha256)
    changed = _count_known_keys(cursor, table, sha256) if known else 0
    counts = Counts(read, loaded, count_rejected(cursor), known, changed)
    reasons = first_reasons(cursor)
    if problem := rejection_reason(table, counts):
        raise FileRejectedError(problem, counts, reasons)
    _record_rejected(cursor, table, purpose, sha256)
    return counts, reasons, moment
