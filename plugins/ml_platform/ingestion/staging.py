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
from ml_platform.ingestion.upload_report import Reason
from ml_platform.parsing.batches import BadValue, Batch, arrow_schema
from ml_platform.specs.parts import Purpose
from ml_platform.specs.spec import Table
from ml_platform.storage.database import identifier, literal, rows
from ml_platform.storage.tables import feature_columns, key_list

INCOMING = "pg_temp.incoming"  # the good rows
REJECTED = "pg_temp.rejected"  # line, column_name, value and reason of each bad value of the others
MAX_REASONS = 100  # in one report; uploads.rejected_rows has all of them for a loaded file
BAD_SCHEMA = pa.schema(
    [("line", pa.int64()), ("column_name", pa.string()), ("value", pa.string()), ("reason", pa.string())]
)


@dataclass(frozen=True)
class Counts:
    """The rows of a file: read = loaded + rejected + present."""

    read: int
    loaded: int
    rejected: int

    @property
    def present(self) -> int:
        """Rows that an earlier file brought already, with the same timestamps and values."""
        return self.read - self.loaded - self.rejected


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


def timestamps(table: Table) -> tuple[str, str]:
    """Return the SQL of an incoming row's event time and known time; now() is the time of the claim."""
    event = identifier(table.event_time) if table.event_time else "now()"
    known = {"event_time": event, "load": "now()"}.get(table.known_at)
    return event, known or identifier(table.known_at)


def _key_text(table: Table, prefix: str = "") -> str:
    """Return the SQL of a row's key as a text for people."""
    return f"left(concat_ws(', ', {key_list(table, prefix)}), 200)"


def _key_headers(table: Table) -> str:
    return ", ".join(table.header(key) for key in table.keys)


def reject_duplicates(cursor: Any, table: Table) -> None:
    """Reject each row that has the key and the timestamps of an earlier line of the file."""
    keys, (event, known) = key_list(table), timestamps(table)
    at = "' at ' || to_char(event AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')" if table.event_time else "''"
    cursor.execute(
        f"INSERT INTO {REJECTED} SELECT line, $1::text, key, 'key ' || key || {at} || ' is already on line ' || first"
        f" FROM (SELECT line, {_key_text(table)} AS key, {event} AS event, first_value(line)"
        f" OVER (PARTITION BY {keys}, {event}, {known} ORDER BY line) AS first FROM {INCOMING}) ranked"
        " WHERE line <> first",
        (_key_headers(table),),
    )
    cursor.execute(f"DELETE FROM {INCOMING} i USING {REJECTED} w WHERE w.line = i.line")


def insert(cursor: Any, table: Table, sha256: str) -> int:
    """Insert the features and labels of the incoming rows; return how many rows were new.

    A row with the key and timestamps of a row from an earlier file is present if its values are the same. If they
    differ, it is rejected.
    """
    loaded = _insert(cursor, table, "features", feature_columns(table), sha256)
    if loaded < rows(cursor, f"SELECT count(*) FROM {INCOMING}")[0][0]:
        _remove_present(cursor, table, sha256)
    if table.label_columns:
        _insert(cursor, table, "labels", table.label_columns, sha256)
    return loaded


def _insert(cursor: Any, table: Table, schema: str, columns: tuple[str, ...], sha256: str) -> int:
    keys, (event, known) = key_list(table), timestamps(table)
    names = "".join(f", {identifier(name)}" for name in columns)
    added: int = rows(
        cursor,
        f"WITH added AS (INSERT INTO {schema}.{identifier(table.name)}"
        f" ({keys}, event_timestamp, created_timestamp, upload_sha256, line{names})"
        f" SELECT {keys}, {event}, {known}, $1::text, line{names} FROM {INCOMING} ORDER BY {keys}, {event}, {known}"
        f" ON CONFLICT ({keys}, event_timestamp, created_timestamp) DO NOTHING RETURNING 1)"
        " SELECT count(*) FROM added",
        sha256,
    )[0][0]
    return added


def _same_row(table: Table, alias: str) -> str:
    """Return the SQL condition that the rows `i` and `alias` have the same key and timestamps."""
    columns = (*(identifier(key) for key in table.keys), "event_timestamp", "created_timestamp")
    return " AND ".join(f"{alias}.{column} = i.{column}" for column in columns)


def _remove_present(cursor: Any, table: Table, sha256: str) -> None:
    """Remove the rows that an earlier file brought from the incoming ones; reject those with other values."""
    event, known = timestamps(table)
    same = [f"f.{identifier(c)} IS NOT DISTINCT FROM i.{identifier(c)}" for c in feature_columns(table)]
    same += [f"l.{identifier(c)} IS NOT DISTINCT FROM i.{identifier(c)}" for c in table.label_columns]
    labels = f" LEFT JOIN labels.{identifier(table.name)} l ON {_same_row(table, 'l')}" if table.label_columns else ""
    cursor.execute(
        f"CREATE TEMP TABLE known AS SELECT i.line, {_key_text(table, 'i.')} AS key, f.line AS other,"
        f" {' AND '.join(same)} AS same"
        f" FROM (SELECT *, {event} AS event_timestamp, {known} AS created_timestamp FROM {INCOMING}) i"
        f" JOIN features.{identifier(table.name)} f ON {_same_row(table, 'f')}"
        f" AND f.upload_sha256 <> {literal(sha256)}{labels}"
    )
    cursor.execute(
        f"INSERT INTO {REJECTED} SELECT line, $1::text, key,"
        " 'key ' || key || ' came with the same time but other values"
        " on line ' || other || ' of an earlier file; a correction needs a later known time'"
        " FROM pg_temp.known WHERE NOT same",
        (_key_headers(table),),
    )
    cursor.execute(f"DELETE FROM {INCOMING} i USING pg_temp.known k WHERE k.line = i.line")


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
) -> tuple[Counts, list[Reason]]:
    """Load the good rows of a file into its tables and record the bad values.

    Returns:
        The numbers of rows, and the first bad values.

    Raises:
        ContractError: the file breaks the contract; the caller rolls back.
    """
    read = stage(cursor, table, purpose, batches)
    reject_duplicates(cursor, table)
    loaded = insert(cursor, table, sha256)
    counts, reasons = Counts(read, loaded, count_rejected(cursor)), first_reasons(cursor)
    if problem := rejection_reason(table, counts):
        raise FileRejectedError(problem, counts, reasons)
    _record_rejected(cursor, table, purpose, sha256)
    return counts, reasons
