"""Rows of a database are read by a watermark, each once and without loss; on real servers."""

import io
import math
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from ml_platform.exceptions import ConfigurationError
from ml_platform.sources import landing, sql_rows
from ml_platform.sources.pull import pull, read_again
from ml_platform.sources.reader import Range
from ml_platform.sources.status import status_of
from ml_platform.storage.database import fetch
from tests.ml_platform.ingestion.upload_cases import rows_in
from tests.ml_platform.sources.source_cases import feed_of, load_all, pull_and_load
from tests.ml_platform.sources.sql_cases import CLAIMS, claim, content, insert, ranges_of, reader_of, rows_of, source
from tests.ml_platform.sources.sql_servers import Foreign

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]

TIMED = {"event_time": "AT", "columns": {"AT": "timestamp"}}


def test_each_row_is_loaded_once(foreign: Foreign, no_rest: list[float]) -> None:
    feed = feed_of(source(max_rows=3), **TIMED)
    assert pull_and_load(feed, foreign.connection) == []
    insert(foreign, map(claim, range(1, 8)))
    reports = pull_and_load(feed, foreign.connection)
    assert [report["rows_loaded"] for report in reports] == [3, 3, 1]
    assert pull_and_load(feed, foreign.connection) == []
    insert(foreign, [claim(8)])
    assert [report["rows_loaded"] for report in pull_and_load(feed, foreign.connection)] == [1]
    assert sorted(rows_in("features", feed.table, '"ID"')) == [(number,) for number in range(1, 9)]
    assert reports[1]["key"] == f"train_{feed.table.name}.{feed.source.short_name}.3-6.jsonl.gz"
    status = status_of(feed)
    assert status is not None
    assert (status.position, status.newest, status.lag) == ("claim_id 8", "claim_id 8", 0)
    assert max(no_rest) > 5  # the default of settle is 10 seconds


def test_rows_that_were_there_at_the_start_can_be_left(warehouse: Foreign, no_rest: list[float]) -> None:
    feed = feed_of(source(start="now"))
    insert(warehouse, [claim(1)])
    assert pull_and_load(feed, warehouse.connection) == []
    insert(warehouse, [claim(2)])
    assert [report["rows_loaded"] for report in pull_and_load(feed, warehouse.connection)] == [1]


def test_rows_with_the_same_watermark_stay_together(foreign: Foreign) -> None:
    insert(foreign, [claim(number // 5, ID=number) for number in range(15)])
    with reader_of(foreign, max_rows=2) as reader:
        parts = list(ranges_of(reader))
        assert parts == [Range("", "", "0"), Range("", "0", "1"), Range("", "1", "2")]
        assert [[row["ID"] for row in rows_of(content(reader, part))] for part in parts] == [
            list(range(first, first + 5)) for first in (0, 5, 10)
        ]
        assert reader.lag({"": "0"}, {"": "2"}) == 10


def test_the_bytes_do_not_depend_on_the_order_in_the_table(foreign: Foreign, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql_rows, "LINES_IN_MEMORY", 50)
    rows = [claim(number // 200, ID=number, NOTE=f"note {number % 7}") for number in range(400)]
    found = set()
    for _ in range(2):
        random.shuffle(rows)
        with foreign.owner.begin() as connection:
            connection.execute(sa.delete(CLAIMS))
        insert(foreign, rows)
        with reader_of(foreign) as reader:
            found.add(content(reader, Range("", "", "1")))
    assert len(found) == 1
    assert [row["claim_id"] for row in rows_of(found.pop())] == [0] * 200 + [1] * 200


def test_removed_rows_are_nothing_new(foreign: Foreign) -> None:
    insert(foreign, map(claim, range(1, 6)))
    with foreign.owner.begin() as connection:
        connection.execute(sa.delete(CLAIMS).where(CLAIMS.c.claim_id > 3))
    with reader_of(foreign) as reader:
        assert reader.positions() == {"": "3"}
        assert reader.next_range("", "5", "3") is None
        assert reader.lag({"": "5"}, {"": "3"}) == 0
        assert reader.read(Range("", "5", "6"), new_file()).rows == 0
    with foreign.owner.begin() as connection:
        connection.execute(sa.delete(CLAIMS))
    with reader_of(foreign) as reader:
        assert reader.positions() == {}
        assert reader.describe({}) == "no rows"
        assert reader.read(Range("", "", "5"), new_file()).rows == 0


def new_file() -> io.BytesIO:
    return io.BytesIO()


def test_rows_without_a_watermark_are_not_read_and_counted(foreign: Foreign) -> None:
    insert(foreign, [claim(1), claim(2, claim_id=None), claim(3, claim_id=None)])
    with reader_of(foreign) as reader:
        reading = reader.read(Range("", "", "1"), new_file())
    assert reading.rows == 1
    assert reading.notes == ("rows without a value in claim_id, which are not read: 2",)


def test_a_query_is_read_as_it_is(foreign: Foreign) -> None:
    insert(foreign, [claim(1), claim(2, KIND="50% :off")])
    query = "SELECT claim_id AS number, 'a:b 100%' AS note FROM claims WHERE claim_id > 1 -- a comment"
    with reader_of(foreign, query=query, watermark="number") as reader:
        (part,) = ranges_of(reader)
        assert rows_of(content(reader, part)) == [{"_position": "query, number 2", "number": 2, "note": "a:b 100%"}]


def test_names_are_names(warehouse: Foreign) -> None:
    warehouse.run('CREATE SCHEMA "Odd"', """CREATE TABLE "Odd"."a ""b; c" AS SELECT 1 AS "source", 2 AS "d %%s:x" """)
    with reader_of(warehouse, table='Odd.a "b; c', watermark="d %s:x") as reader:
        (part,) = ranges_of(reader)
        assert [(row["source"], row["d %s:x"]) for row in rows_of(content(reader, part))] == [(1, 2)]


WATERMARKS = {
    "warehouse": {
        "smallint": ["-1", "0", "7"],
        "bigint": ["1", "9007199254740993", "9223372036854775807"],
        "numeric": ["-1.5", "0.1", "12345678901234567890.123456789"],
        "numeric(6,2)": ["1.50", "15.00", "150.00"],
        "date": ["2025-12-31", "2026-01-01"],
        "timestamp": ["2026-01-01T00:00:00", "2026-01-01T00:00:00.000001"],
        "timestamptz": ["2026-01-01T00:00:00+00:00", "2026-01-01T00:00:00.000001+00:00"],
        'text COLLATE "C"': ["2026-01-01", "B", "a'; DROP TABLE t; --"],
        "xid8": ["9", "10", "18446744073709551615"],
    },
    "maria": {
        "bigint unsigned": ["1", "9007199254740993", "18446744073709551615"],
        "decimal(30,9)": ["-1.500000000", "12345678901234567890.123456789"],
        "date": ["2025-12-31", "2026-01-01"],
        "datetime(6)": ["2026-01-01T00:00:00", "2026-01-01T00:00:00.000001"],
        "timestamp(6)": ["2026-01-01T00:00:00", "2026-01-01T00:00:00.000001"],
        "varchar(50)": ["2026-01-01", "a'; DROP TABLE t; --", "b"],
    },
    "lite": {
        "integer": ["-1", "9223372036854775807"],
        "datetime": ["2026-01-01 00:00:00", "a'; DROP TABLE t; --"],
    },
}
ALL_WATERMARKS = [(kind, declared) for kind, types in WATERMARKS.items() for declared in types]


@pytest.mark.parametrize(("kind", "declared"), ALL_WATERMARKS)
def test_watermarks_of_each_type(request: pytest.FixtureRequest, kind: str, declared: str) -> None:
    foreign, values = request.getfixturevalue(kind), WATERMARKS[kind][declared]
    foreign.run("DROP TABLE IF EXISTS t", f"CREATE TABLE t (n int, w {declared})")
    literals = [value.replace("'", "''") for value in values]
    zone = ["SET time_zone = '+00:00'"] if kind == "maria" else []
    foreign.run(*zone, *(f"INSERT INTO t VALUES ({number}, '{text}')" for number, text in enumerate(literals)))
    with reader_of(foreign, table="t", watermark="w", max_rows=1) as reader:
        parts = list(ranges_of(reader))
        assert [part.end for part in parts] == values
        assert [[row["n"] for row in rows_of(content(reader, part))] for part in parts] == [
            [number] for number in range(len(values))
        ]
        assert len({reader.file_name(part) for part in parts}) == len(parts)
        assert [reader.range_of("", part.start, part.end) for part in parts] == parts


def test_files_of_different_ranges_have_different_names(lite: Foreign) -> None:
    ends = [
        "",
        "0",
        "5",
        "15",
        "1.5",
        "-5",
        "2026-01-02T03:04:05.1",
        "2026-01-02T03:04:00.51",
        "2026-01-02T03:04:05.01",
    ]
    with reader_of(lite) as reader:
        names = {reader.file_name(Range("", start, end)) for start in ends for end in ends}
        assert reader.file_name(Range("", "5", "15")) == "5-15.jsonl.gz"
    assert len(names) == len(ends) ** 2


NO_WATERMARKS = [
    *(("warehouse", t, v) for t, v in [("float8", "1.5"), ("json", "{}"), ("bytea", "a"), ("boolean", "true")]),
    *(("warehouse", t, v) for t, v in [("time", "01:02"), ("interval", "1 day"), ("numeric", "NaN")]),
    *(("warehouse", t, v) for t, v in [("uuid", "00000000-0000-0000-0000-000000000001"), ("int[]", "{1}")]),
    *(("warehouse", t, v) for t, v in [("timestamptz", "infinity"), ("text", "x" * 201)]),
    *(("maria", t, v) for t, v in [("double", "1.5"), ("blob", "a"), ("time", "01:02")]),
    *(("lite", t, v) for t, v in [("real", "1.5")]),
]


@pytest.mark.parametrize(("kind", "declared", "value"), NO_WATERMARKS)
def test_other_types_are_refused_in_plain_words(request, kind: str, declared: str, value: str) -> None:
    foreign = request.getfixturevalue(kind)
    foreign.run(f"CREATE TABLE t (w {declared})", f"INSERT INTO t VALUES ('{value}')")
    try:
        with reader_of(foreign, table="t", watermark="w") as reader, pytest.raises(ConfigurationError) as caught:
            reader.positions()
    finally:
        foreign.run("DROP TABLE t")
    assert "table t (connection 'warehouse')" in str(caught.value)
    if value != "infinity":  # which the driver refuses itself
        assert "the column 'w' cannot be a watermark" in str(caught.value)
        assert "allowed are whole numbers, decimal numbers, dates, timestamps" in str(caught.value)


def test_watermarks_of_several_types_are_refused(lite: Foreign) -> None:
    insert(lite, [claim(1), claim(2, claim_id="text")])
    with reader_of(lite) as reader, pytest.raises(ConfigurationError, match="not of the type of the others"):
        reader.positions()


TYPES = {
    "bool": ("true", True),
    "int8": ("9223372036854775807", 9223372036854775807),
    "numeric": ("12345678901234567890.1234567890", Decimal("12345678901234567890.1234567890")),
    "float8": ("0.1", Decimal("0.1")),
    "float4": ("16777216", 16777216),
    "float8 NOT NULL": ("'NaN'", "NaN"),
    "date": ("'2026-01-02'", "2026-01-02"),
    "time": ("'03:04:05.000006'", "03:04:05.000006"),
    "timestamp": ("'2026-01-02 03:04:05.000006'", "2026-01-02T03:04:05.000006"),
    "timestamptz": ("'2026-01-02 03:04:05+02'", "2026-01-02T01:04:05+00:00"),
    "timestamptz NOT NULL": ("'infinity'", "infinity"),
    "interval": ("'1 month 2 days'", "1 mon 2 days"),
    "text": ("E'a \"b\" \\\\ \\n ä漢'", 'a "b" \\ \n ä漢'),
    "uuid": ("'00000000-0000-0000-0000-000000000001'", "00000000-0000-0000-0000-000000000001"),
    "json": ("E'{\"a\":\\n 1.50}'", {"a": Decimal("1.50")}),
    "jsonb": ("'[1, null]'", [1, None]),
    "int[]": ("'{1,NULL}'", [1, None]),
    "bytea": ("'\\x00ff'", "\\x00ff"),
    "inet": ("'10.0.0.1'", "10.0.0.1"),
    "mood": ("'sad'", "sad"),
}


def test_types_of_postgres_come_without_loss(warehouse: Foreign) -> None:
    warehouse.run("CREATE TYPE mood AS ENUM ('happy', 'sad')", "ALTER ROLE postgres SET extra_float_digits = -5")
    columns = ", ".join(f"c{number} {declared}" for number, declared in enumerate(TYPES))
    values = ", ".join(literal for literal, _ in TYPES.values())
    try:
        warehouse.run(f"CREATE TABLE t (id int, empty text, {columns})", f"INSERT INTO t VALUES (1, NULL, {values})")
        with reader_of(warehouse, table="t", watermark="id") as reader:
            (row,) = rows_of(content(reader, Range("", "", "1")))
    finally:
        warehouse.run("ALTER ROLE postgres RESET extra_float_digits")
    expected = {f"c{number}": value for number, (_, value) in enumerate(TYPES.values())}
    assert row == {"_position": "table t, id 1", "id": 1, "empty": None, **expected}


def test_types_of_mariadb_come_without_loss(maria: Foreign) -> None:
    maria.run(
        "CREATE TABLE t (id int, b bigint unsigned, d decimal(30,10), f double, g float, at timestamp(6), day date,"
        " span time, blobs blob, zero datetime, e enum('a','b'))",
        "SET sql_mode = '', time_zone = '+02:00'",
        "INSERT INTO t VALUES (1, 18446744073709551615, 12345678901234567890.1234567890, 0.1, 16777217,"
        " '2026-01-02 03:04:05.000006', '2026-01-02', '-100:01:02', x'00ff', '0000-00-00', 'b')",
    )
    with reader_of(maria, table="t", watermark="id") as reader:
        (row,) = rows_of(content(reader, Range("", "", "1")))
        (note,) = reader.read(Range("", "", "1"), new_file()).notes
    assert row == {
        "_position": "table t, id 1",
        "id": 1,
        "b": 18446744073709551615,
        "d": Decimal("12345678901234567890.1234567890"),
        "f": Decimal("0.1"),
        "g": Decimal("16777200.0"),
        "at": "2026-01-02T01:04:05.000006+00:00",
        "day": "2026-01-02",
        "span": "-100:01:02",
        "blobs": "\\x00ff",
        "zero": "0000-00-00 00:00:00",
        "e": "b",
    }
    assert "six digits of g; for all digits cast FLOAT to DOUBLE" in note


def random_claim(number: int, chance: random.Random) -> dict[str, Any]:
    letters = "äÄ漢😀\"'\\,;:%{}[]<>\n\tabz09"
    return claim(
        number,
        COUNT=chance.choice([None, *range(13)]),
        RATIO=chance.choice([None, math.inf, 5e-324, 1e300, chance.random(), chance.uniform(-1e9, 1e9)]),
        PRICE=chance.choice([None, f"{chance.randrange(10**12) / 100:.2f}", "0.00"]),
        KIND=chance.choice([None, "Blue Collar", "ä漢"]),
        FLAG=chance.choice([None, True, False]),
        NOTE=f"n{''.join(chance.choices(letters, k=chance.randrange(40)))}n",
        AT=datetime.fromtimestamp(chance.randrange(10**9), UTC).replace(microsecond=chance.randrange(10**6)),
    )


def is_good(row: dict[str, Any]) -> bool:
    return (row["COUNT"] or 0) <= 10 and row["RATIO"] != math.inf


def test_every_row_is_loaded_with_its_values_or_rejected(foreign: Foreign, no_rest: list[float]) -> None:
    chance = random.Random(11)  # noqa: S311 – no secret
    rows = [random_claim(number, chance) for number in range(2_000)]
    if foreign.owner.dialect.name == "mariadb":
        rows = [row | {"RATIO": None if row["RATIO"] == math.inf else row["RATIO"]} for row in rows]  # it has none
    insert(foreign, rows)
    feed = feed_of(source(max_rows=300), **TIMED)
    reports = pull_and_load(feed, foreign.connection)
    good = [row for row in rows if is_good(row)]
    assert sum(report["rows_loaded"] for report in reports) == len(good)
    assert sum(report["rows_rejected"] for report in reports) == len(rows) - len(good) > 0
    names = ["ID", "COUNT", "RATIO", "PRICE", "KIND", "FLAG", "NOTE"]
    found = rows_in("features", feed.table, ", ".join([*(f'"{name}"' for name in names), "event_timestamp"]))
    assert sorted(found) == [
        (*(float(row[name]) if name == "PRICE" and row[name] else row[name] for name in names), row["AT"])
        for row in good
    ]
    reasons = [reason["reason"] for report in reports for reason in report["reasons"]]
    assert any("10" in reason for reason in reasons)


def test_a_transaction_that_began_earlier_is_waited_for(warehouse: Foreign, monkeypatch: pytest.MonkeyPatch) -> None:
    feed = feed_of(source(settle="10s"), **TIMED)
    insert(warehouse, map(claim, range(1, 5)))
    with warehouse.owner.connect() as earlier:
        earlier.execute(sa.insert(CLAIMS), [claim(5)])
        insert(warehouse, [claim(6)])
        monkeypatch.setattr(landing, "time", SimpleNamespace(sleep=lambda _: earlier.commit()))
        (report,) = pull_and_load(feed, warehouse.connection)
    assert report["rows_loaded"] == 6


def test_what_came_later_than_settle_is_brought_back_by_hand(warehouse: Foreign, no_rest: list[float]) -> None:
    feed = feed_of(source(), **TIMED)
    with warehouse.owner.connect() as earlier:
        earlier.execute(sa.insert(CLAIMS), [claim(5)])
        insert(warehouse, [claim(6)])
        assert [report["rows_loaded"] for report in pull_and_load(feed, warehouse.connection)] == [1]
        earlier.commit()
    assert pull_and_load(feed, warehouse.connection) == []
    (key,) = read_again(feed, warehouse.connection, ("", "4", "6"), by="ann", reason="a late commit")
    (report,) = load_all(feed)
    assert (report["key"], report["rows_loaded"], report["rows_present"]) == (key, 1, 1)


def test_numbers_of_transactions_miss_no_late_commit(warehouse: Foreign, no_rest: list[float]) -> None:
    """The recipe of docs/sources.md: rows of transactions that began before the oldest one that still runs."""
    warehouse.run("ALTER TABLE claims ADD COLUMN tx xid8 NOT NULL DEFAULT pg_current_xact_id()")
    query = "SELECT * FROM claims WHERE tx < pg_snapshot_xmin(pg_current_snapshot())"
    feed = feed_of(source(query=query, watermark="tx"), **TIMED)
    with warehouse.owner.connect() as earlier:
        earlier.execute(sa.insert(CLAIMS), [claim(5)])
        insert(warehouse, [claim(6)])
        assert pull_and_load(feed, warehouse.connection) == []
        earlier.commit()
    assert sum(report["rows_loaded"] for report in pull_and_load(feed, warehouse.connection)) == 2


def test_a_range_that_is_none_is_refused(foreign: Foreign) -> None:
    with reader_of(foreign) as reader, pytest.raises(ConfigurationError, match="has no rows"):
        reader.range_of("", "", "")
    insert(foreign, [claim(1)])
    with reader_of(foreign) as reader:
        assert reader.range_of("", "", "") == Range("", "", "1")
        with pytest.raises(ConfigurationError, match="has one partition, with an empty name"):
            reader.range_of("0", "", "")
        with pytest.raises(ConfigurationError, match="'x' is no position: the column 'claim_id' holds a number, such"):
            reader.range_of("", "x", "")


def test_the_session_only_reads(foreign: Foreign) -> None:
    insert(foreign, [claim(1)])
    root = {"login": "root", "password": SecretStr("")} if foreign.connection.kind == "mysql" else {}
    with reader_of(foreign, foreign.connected_as(**root)) as reader:
        assert reader.positions() == {"": "1"}
        with reader._engine.connect() as connection, pytest.raises(sa.exc.DBAPIError, match=r"(?i)read.?only"):
            connection.execute(sa.delete(CLAIMS))


def test_a_look_may_come_from_another_thread(foreign: Foreign) -> None:
    insert(foreign, [claim(1)])
    with reader_of(foreign) as reader:
        assert reader.positions() == {"": "1"}
        with ThreadPoolExecutor(1) as thread:
            assert thread.submit(reader.positions).result() == {"": "1"}


def test_a_pull_says_what_it_left(warehouse: Foreign, no_rest: list[float]) -> None:
    feed = feed_of(source())
    insert(warehouse, [claim(1), claim(2, claim_id=None)])
    pull(feed, warehouse.connection, by="a test")
    notes = fetch("SELECT unnest(notes) FROM sources.ranges WHERE dataset = $1", feed.table.name)
    assert notes == [("rows without a value in claim_id, which are not read: 1",)]
