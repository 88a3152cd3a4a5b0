# ruff: noqa: TID253 – a program of its own, which no module imports
"""Compare two ways to load 100,000 rows like the sample's into Postgres: row inserts, and binary COPY as ingest does.

`make bench` runs it, with the servers up. Both ways write a temporary table, in one run.
"""

import io
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pyarrow as pa
from psycopg2.extras import execute_batch

from ml_platform.parsing.batches import arrow_schema, read_batches
from ml_platform.settings import settings
from ml_platform.specs.catalog import dataset
from ml_platform.storage.database import identifier, transaction
from ml_platform.storage.tables import SQL_TYPES

SAMPLE = Path(__file__).resolve().parents[1] / "minio" / "samples" / "train_auto.csv"
ROWS = 100_000
AUTO = dataset("auto")
SCHEMA = arrow_schema(AUTO, "train")


def sample_file() -> bytes:
    """Return a CSV file of `ROWS` rows: those of the sample, repeated."""
    header, *lines = SAMPLE.read_bytes().splitlines(keepends=True)
    return header + b"".join((lines * (ROWS // len(lines) + 1))[:ROWS])


def batches(data: bytes) -> Iterator[pa.RecordBatch]:
    """Yield the typed rows of a file."""
    for batch in read_batches(io.BytesIO(data), AUTO, "train", "bench.csv"):
        yield batch.rows


def insert_rows(rows: list[pa.RecordBatch]) -> None:
    """Insert row by row, one hundred statements per round trip: what most pipelines do."""
    uri = settings().platform_database_uri.get_secret_value()
    columns = [f"{identifier(field.name)} {SQL_TYPES[field.type]}" for field in SCHEMA]
    statement = f"INSERT INTO bench VALUES ({', '.join(['%s'] * len(SCHEMA))})"  # noqa: S608 – only placeholders
    with closing(psycopg2.connect(uri)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMP TABLE bench ({', '.join(columns)})")
        for batch in rows:
            execute_batch(cursor, statement, list(zip(*batch.to_pydict().values(), strict=True)))


def copy_rows(rows: list[pa.RecordBatch]) -> None:
    """Copy Arrow batches with binary COPY: what ingest does."""
    with transaction() as cursor:
        cursor.adbc_ingest("bench", pa.RecordBatchReader.from_batches(SCHEMA, rows), mode="create", temporary=True)


def seconds(work: Callable[[], object]) -> float:
    """Return how long a call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Print one line per way, and their ratio."""
    data = sample_file()
    rows: list[pa.RecordBatch] = []
    results = {
        "read and type the CSV": seconds(lambda: rows.extend(batches(data))),
        "row inserts": seconds(lambda: insert_rows(rows)),
        "binary COPY": seconds(lambda: copy_rows(rows)),
    }
    for way, taken in results.items():
        sys.stdout.write(f"{way:<22} {taken:8.2f} s  {ROWS / taken:10,.0f} rows/s\n")
    sys.stdout.write(
        f"binary COPY is {results['row inserts'] / results['binary COPY']:.0f} times as fast as row inserts\n"
    )


if __name__ == "__main__":
    main()
