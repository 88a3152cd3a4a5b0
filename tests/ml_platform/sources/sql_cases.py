"""A table of claims in a database of others, and how a source reads it."""

import gzip
import io
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from ml_platform.sources.connection import SourceConnection
from ml_platform.sources.reader import Range
from ml_platform.sources.sql import SqlReader
from ml_platform.specs.sources import SqlSource
from tests.ml_platform.sources.sql_servers import Foreign

MOMENT = sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
AMOUNT = sa.Numeric(12, 2).with_variant(sa.Text(), "sqlite")  # SQLite has no decimals
CLAIMS = sa.Table(
    "claims",
    sa.MetaData(),
    sa.Column("claim_id", sa.BigInteger),
    sa.Column("ID", sa.BigInteger),
    sa.Column("LABEL", sa.Integer),
    sa.Column("COST", sa.Double),
    sa.Column("COUNT", sa.Integer),
    sa.Column("RATIO", sa.Double),
    sa.Column("PRICE", AMOUNT),
    sa.Column("KIND", sa.Text),
    sa.Column("FLAG", sa.Boolean),
    sa.Column("NOTE", sa.Text),
    sa.Column("AT", MOMENT),
)
DAY = datetime(2026, 1, 2, tzinfo=UTC)


def claim(number: int, **changes: Any) -> dict[str, Any]:
    """Return a row with a watermark and a key."""
    row = {
        "claim_id": number,
        "ID": number,
        "LABEL": number % 2,
        "COST": 0.0,
        "COUNT": 3,
        "RATIO": 0.5,
        "PRICE": "67349.50",
        "KIND": "Blue Collar",
        "FLAG": True,
        "NOTE": "any text",
        "AT": DAY + timedelta(seconds=number),
    }
    return row | changes


def insert(foreign: Foreign, rows: Iterable[dict[str, Any]]) -> None:
    with foreign.owner.begin() as connection:
        connection.execute(sa.insert(CLAIMS), list(rows))


def source(**options: Any) -> dict[str, Any]:
    read = {} if "query" in options else {"table": "claims"}
    return {"kind": "sql", "connection": "warehouse", "watermark": "claim_id", **read, **options}


def reader_of(foreign: Foreign, connection: SourceConnection | None = None, **options: Any) -> SqlReader:
    return SqlReader(SqlSource.model_validate(source(**options)), connection or foreign.connection)


def content(reader: SqlReader, part: Range) -> bytes:
    file = io.BytesIO()
    reading = reader.read(part, file)
    data = gzip.decompress(file.getvalue())
    assert reading.rows == data.count(b"\n")
    return file.getvalue()


def rows_of(packed: bytes) -> list[dict[str, Any]]:
    lines = gzip.decompress(packed).decode().split("\n")[:-1]
    return [json.loads(line, parse_float=Decimal) for line in lines]


def ranges_of(reader: SqlReader, start: str = "") -> Iterator[Range]:
    """Yield all ranges after a position, as a pull plans them."""
    newest = reader.positions().get("", start)
    while start != newest and (part := reader.next_range("", start, newest)):
        yield part
        start = part.end
