# ruff: noqa: S608 – names go through identifier(); values are bound or quoted
"""The rows of a file in temporary tables: binary COPY brings the good ones there, typed, and the bad values.

All of it runs in the transaction of the load.
"""

import tempfile
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from ml_platform.exceptions import ContractError
from ml_platform.ingestion.upload_order import Moments
from ml_platform.ingestion.upload_report import Reason
from ml_platform.parsing.batches import BadValue, Batch, arrow_schema
from ml_platform.specs.parts import Purpose
from ml_platform.specs.spec import EVENT_TIME, KNOWN_AT_UPLOAD, LOAD, Table
from ml_platform.storage.database import identifier, literal, rows
from ml_platform.storage.tables import key_list

INCOMING = "pg_temp.incoming"  # the good rows
TIMED = "pg_temp.timed"  # the same with their timestamps
KNOWN_KEYS = "pg_temp.known_keys"  # of the good rows, those that earlier files brought
PRESENT = "pg_temp.present"  # of the good rows, those with the key and timestamps of a row that an earlier file brought
LABELS = "pg_temp.incoming_labels"  # of the good rows, the labels, where these come on their own
REJECTED = "pg_temp.rejected"  # line, column_name, value and reason of each bad value of the others
MAX_REASONS = 100  # in one report; uploads.rejected_rows has all of them for a loaded file
BAD_SCHEMA = pa.schema(
    [("line", pa.int64()), ("column_name", pa.string()), ("value", pa.string()), ("reason", pa.string())]
)


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


def add_timestamps(cursor: Any, table: Table, moments: Moments) -> None:
    """Create `TIMED`: the incoming rows with event time and known time."""
    claimed, uploaded = (
        f"{literal(moment.isoformat())}::timestamptz" for moment in (moments.claimed_at, moments.uploaded_at)
    )
    event = identifier(table.event_time) if table.event_time else uploaded
    moment = {EVENT_TIME: event, LOAD: claimed, KNOWN_AT_UPLOAD: uploaded}.get(table.known_at)
    known = moment or identifier(table.known_at)
    cursor.execute(
        f"CREATE TEMP VIEW timed AS SELECT *, {event} AS event_timestamp, {known} AS created_timestamp FROM {INCOMING}"
    )


def key_text(table: Table, prefix: str = "") -> str:
    """Return the SQL of a row's key as a text for people."""
    return f"left(concat_ws(', ', {key_list(table, prefix)}), 200)"


def key_headers(table: Table) -> str:
    """Return the names of the key columns in files, as one text."""
    return ", ".join(table.header(key) for key in table.keys)


def reject_duplicates(cursor: Any, table: Table) -> None:
    """Reject each row that has the key and the timestamps of an earlier line of the file."""
    keys = key_list(table)
    at = "' at ' || to_char(event AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')" if table.event_time else "''"
    cursor.execute(
        f"INSERT INTO {REJECTED} SELECT line, $1::text, key, 'key ' || key || {at} || ' is already on line ' || first"
        f" FROM (SELECT line, {key_text(table)} AS key, event_timestamp AS event, first_value(line)"
        f" OVER (PARTITION BY {keys}, event_timestamp, created_timestamp ORDER BY line) AS first FROM {TIMED}) ranked"
        " WHERE line <> first",
        (key_headers(table),),
    )
    cursor.execute(f"DELETE FROM {INCOMING} i USING {REJECTED} w WHERE w.line = i.line")


def count_rejected(cursor: Any) -> int:
    """Return the number of rows with at least one bad value."""
    rejected: int = rows(cursor, f"SELECT count(DISTINCT line) FROM {REJECTED}")[0][0]
    return rejected


def first_reasons(cursor: Any) -> list[Reason]:
    """Return the first `MAX_REASONS` bad values, ordered by line."""
    columns = "line, column_name, value, reason"
    entries = rows(cursor, f"SELECT {columns} FROM {REJECTED} ORDER BY line, column_name LIMIT {MAX_REASONS}")
    return [Reason(line=line, column=column, value=value, reason=reason) for line, column, value, reason in entries]


def record_rejected(cursor: Any, table: Table, purpose: Purpose, sha256: str) -> None:
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


def clear(cursor: Any) -> None:
    """Remove what a load left in the session, so that the same transaction can load another file."""
    cursor.execute("DROP VIEW IF EXISTS pg_temp.timed")
    cursor.execute(f"DROP TABLE IF EXISTS {INCOMING}, {REJECTED}, {KNOWN_KEYS}, {PRESENT}, {LABELS}")
