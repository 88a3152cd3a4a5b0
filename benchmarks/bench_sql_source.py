# ruff: noqa: TID253, S608 – a program of its own, which no module imports; SQL of constants
"""Compare ways to read 200,000 rows of 20 columns from Postgres into a file of JSON lines, as a source does.

`make bench args=sql_source` runs it, with the servers up. All ways read the same table in one run: values in Python
from a server-side cursor (as from other databases), Arrow batches from ADBC, and rows that Postgres writes as JSON.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import sqlalchemy as sa
from adbc_driver_postgresql import dbapi
from pydantic import SecretStr

from ml_platform.settings import settings
from ml_platform.sources.connection import SourceConnection
from ml_platform.sources.reader import Range
from ml_platform.sources.row_files import write_lines
from ml_platform.sources.sql import SqlReader
from ml_platform.sources.sql_rows import in_order, line_maker
from ml_platform.specs.sources import SqlSource

TABLE = "features.bench_sql_source"  # a schema in which the role may create tables
ROWS_AT_ONCE = 2_000
BATCH_BYTES = 4_000_000
COLUMNS = """i AS id, i % 97 AS a1, (i * 7) % 1000 AS a2, i * 1000003 AS a3, nullif(i % 5, 0) AS a4,
    random() AS f1, random() * 1e6 AS f2, random()::real AS f3,
    (random() * 1e5)::numeric(12,2) AS n1, (random() * 1e5)::numeric(18,6) AS n2,
    md5(i::text) AS t1, 'category ' || i % 12 AS t2, repeat('x', (i % 30)::int) AS t3, 'z_Blue Collar' AS t4,
    i % 2 = 0 AS b1, i % 3 = 0 AS b2,
    now() + i * interval '1 second 17 us' AS at1, (now() + i * interval '1 minute')::timestamp AS at2,
    date '2020-01-01' + (i % 1000)::int AS d1, md5(i::text)::uuid AS u1"""


@dataclass(frozen=True)
class Way:
    """A way to read the table; it returns the number of rows."""

    name: str
    read: Callable[[], int]


def make_table(uri: str, rows: int) -> sa.Engine:
    """Fill the table and return an engine."""
    engine = sa.create_engine(sa.make_url(uri).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        connection.exec_driver_sql(
            f"CREATE TABLE {TABLE} AS SELECT {COLUMNS.replace('%', '%%')} FROM generate_series(1, {rows}::bigint) i"
        )
        connection.exec_driver_sql(f"CREATE INDEX ON {TABLE} (id)")
        connection.exec_driver_sql(f"ANALYZE {TABLE}")
    return engine


def statement(rows: int) -> str:
    """Return the SELECT of all rows in the order of the watermark."""
    return f"SELECT * FROM {TABLE} WHERE id > 0 AND id <= {rows} ORDER BY id"


def write(lines: Iterator[tuple[int, bytes]]) -> int:
    """Write lines as a source does: in order and compressed."""
    with tempfile.TemporaryFile() as file:
        return write_lines(in_order(lines), file)


def values_in_python(engine: sa.Engine, rows: int) -> Iterator[tuple[int, bytes]]:
    """Yield lines of values that psycopg made."""
    with engine.connect() as connection:
        options = {"stream_results": True, "yield_per": ROWS_AT_ONCE}
        result = connection.execution_options(**options).exec_driver_sql(statement(rows))
        line = line_maker(list(result.keys()))
        for row in result:
            yield row[0], line(f"table {TABLE}, id {row[0]}", row)


def arrow_batches(uri: str, rows: int) -> Iterator[tuple[int, bytes]]:
    """Yield lines of Arrow batches that ADBC made."""
    with dbapi.connect(uri) as connection, connection.cursor() as cursor:
        cursor.adbc_statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": str(BATCH_BYTES)})
        cursor.execute(statement(rows))
        batches = cursor.fetch_record_batch()
        line = line_maker(batches.schema.names)
        for batch in batches:
            for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                yield row[0], line(f"table {TABLE}, id {row[0]}", row)


def the_source(uri: str, rows: int) -> int:
    """Read with the source's own reader, for which Postgres writes JSON."""
    url = sa.make_url(uri)
    connection = SourceConnection(
        *("bench", "postgres", url.host or "", url.port, url.username or ""),
        schema=url.database or "",
        password=SecretStr(str(url.password or "")),
    )
    spec = SqlSource(kind="sql", connection="bench", table=TABLE, watermark="id")
    with SqlReader(spec, connection) as reader, tempfile.TemporaryFile() as file:
        return reader.read(Range("", "", str(rows)), file).rows or 0


def seconds(way: Way, rows: int) -> float:
    """Return how long a way takes."""
    start = time.perf_counter()
    assert way.read() == rows  # noqa: S101 – else it measured something else
    return time.perf_counter() - start


def main() -> None:
    """Print one line per way, and the ratios."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3, help="of each way in turn; the fastest counts")
    options = parser.parse_args()
    uri, rows = settings().platform_database_uri.get_secret_value(), options.rows
    engine = make_table(uri, rows)
    ways = [
        Way("values in Python", lambda: write(values_in_python(engine, rows))),
        Way("Arrow from ADBC", lambda: write(arrow_batches(uri, rows))),
        Way("JSON from Postgres", lambda: the_source(uri, rows)),
    ]
    try:
        rounds = [[seconds(way, rows) for way in ways] for _ in range(options.rounds)]
    finally:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"DROP TABLE {TABLE}")
        engine.dispose()
    fastest = (min(times) for times in zip(*rounds, strict=True))
    results = dict(zip((way.name for way in ways), fastest, strict=True))
    for name, taken in results.items():
        sys.stdout.write(f"{name:<20} {taken:8.2f} s  {rows / taken:10,.0f} rows/s\n")
    base = results["values in Python"]
    for name in list(results)[1:]:
        sys.stdout.write(f"{name}: {base / results[name]:.2f} times as fast as values in Python\n")


if __name__ == "__main__":
    main()
