# ruff: noqa: S608 – every name goes through identifier(), every value is bound or quoted
"""The SQL of a load: typed rows go by binary COPY into a temporary table, and from there where they belong.

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
REJECTED = "pg_temp.rejected"  # line, column_name, value, reason of everything wrong with the others
REASONS = 100  # so many are in a report; all of a loaded file are in uploads.rejected_rows
BAD_SCHEMA = pa.schema(
    [("line", pa.int64()), ("column_name", pa.string()), ("value", pa.string()), ("reason", pa.string())]
)


@dataclass(frozen=True)
class Counts:
    """What became of a file's rows: read = loaded + rejected + already there."""

    read: int
    loaded: int
    rejected: int

    @property
    def present(self) -> int:
        """Rows that an earlier file brought already, with the same clocks and values."""
        return self.read - self.loaded - self.rejected


class FileRejectedError(ContractError):
    """Too many rows of a file are bad: how many, and the first reasons."""

    def __init__(self, problem: str, counts: Counts, reasons: list[Reason]) -> None:
        """Say what is wrong with the file as a whole."""
        super().__init__(problem)
        self.counts = counts
        self.reasons = reasons


class _Feed:
    """Hands the good rows on and writes the bad values aside; keeps an error that would get lost in the C stream."""

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
    """Copy a file's rows and bad values into the temporary tables; return the number of rows read.

    Raises:
        ContractError: the file breaks the contract.
    """
    with tempfile.TemporaryFile() as spool:
        with pa.ipc.new_stream(spool, BAD_SCHEMA) as bad:
            feed = _Feed(batches, bad)
            reader = pa.RecordBatchReader.from_batches(arrow_schema(table, purpose), feed)
            cursor.adbc_ingest("incoming", reader, mode="create", temporary=True)
        if feed.error:
            raise feed.error
        spool.seek(0)
        cursor.adbc_ingest("rejected", pa.ipc.open_stream(spool), mode="create", temporary=True)
    return feed.rows_read


def timestamps(table: Table) -> tuple[str, str]:
    """Return the SQL of event time and known time of an incoming row; now() is the moment of the claim."""
    event = identifier(table.event_time) if table.event_time else "now()"
    known = {"event_time": event, "load": "now()"}.get(table.known_at)
    return event, known or identifier(table.known_at)


def _key_text(table: Table, prefix: str = "") -> str:
    """Return the SQL of a row's key as people read it."""
    return f"left(concat_ws(', ', {key_list(table, prefix)}), 200)"


def _key_headers(table: Table) -> str:
    return ", ".join(table.header(key) for key in table.keys)


def reject_duplicates(cursor: Any, table: Table) -> None:
    """Reject each row whose key and clocks stand on an earlier line of the file."""
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
    """Insert the incoming rows' features and labels; return how many rows were new.

    A row whose key and clocks an earlier file brought is already there if its values are the same, else it is wrong.
    """
    loaded = _insert(cursor, table, "features", feature_columns(table), sha256)
    if loaded < rows(cursor, f"SELECT count(*) FROM {INCOMING}")[0][0]:
        _set_aside_known(cursor, table, sha256)
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
    """Return the SQL of: the row `i` has the key and the clocks of the row `alias`."""
    columns = (*(identifier(key) for key in table.keys), "event_timestamp", "created_timestamp")
    return " AND ".join(f"{alias}.{column} = i.{column}" for column in columns)


def _set_aside_known(cursor: Any, table: Table, sha256: str) -> None:
    """Take the rows that an earlier file brought out of the incoming ones; wrong are those that contradict it."""
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
    """Return the number of rows with anything wrong."""
    rejected: int = rows(cursor, f"SELECT count(DISTINCT line) FROM {REJECTED}")[0][0]
    return rejected


def first_reasons(cursor: Any) -> list[Reason]:
    """Return the first `REASONS` things that are wrong, by line."""
    columns = "line, column_name, value, reason"
    found = rows(cursor, f"SELECT {columns} FROM {REJECTED} ORDER BY line, column_name LIMIT {REASONS}")
    return [Reason(line=line, column=column, value=value, reason=reason) for line, column, value, reason in found]


def _keep_rejected(cursor: Any, table: Table, purpose: Purpose, sha256: str) -> None:
    cursor.execute(
        "INSERT INTO uploads.rejected_rows (dataset, purpose, sha256, line, column_name, value, reason)"
        f" SELECT $1::text, $2::text, $3::text, line, column_name, value, reason FROM {REJECTED}",
        (table.name, purpose, sha256),
    )


def too_many(table: Table, counts: Counts) -> str | None:
    """Return why the whole file is rejected for its bad rows, or None if the spec bears them."""
    bad = f"{counts.rejected:,} of {counts.read:,} rows are bad"
    if counts.rejected and table.on_bad_row == "reject_file":
        return f"{bad}, and datasets/{table.name}.yaml says on_bad_row: reject_file"
    if counts.rejected > table.max_bad_rows * counts.read:
        return f"{bad}; datasets/{table.name}.yaml allows a share of {table.max_bad_rows:g} (max_bad_rows)"
    return None


def load(
    cursor: Any, table: Table, purpose: Purpose, sha256: str, batches: Iterator[Batch]
) -> tuple[Counts, list[Reason]]:
    """Bring a file's rows into its tables, and what is wrong with the others aside.

    Returns:
        What became of the rows, and the first things that are wrong.

    Raises:
        ContractError: the file breaks the contract; the caller rolls back.
    """
    read = stage(cursor, table, purpose, batches)
    reject_duplicates(cursor, table)
    loaded = insert(cursor, table, sha256)
    counts, reasons = Counts(read, loaded, count_rejected(cursor)), first_reasons(cursor)
    if problem := too_many(table, counts):
        raise FileRejectedError(problem, counts, reasons)
    _keep_rejected(cursor, table, purpose, sha256)
    return counts, reasons
