"""Each document of a collection is loaded once, and again when it has changed; on FerretDB, Postgres and S3."""

import gzip
import io
import json
import os
import random
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from bson import Binary, Int64, ObjectId
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymongo.collection import Collection

from ml_platform.exceptions import ConfigurationError, SourceAwayError
from ml_platform.sources import mongodb as reader_module
from ml_platform.sources.connection import SourceConnection
from ml_platform.sources.mongodb import MongoReader
from ml_platform.sources.pull import pull, read_again
from ml_platform.sources.ranges import Feed
from ml_platform.sources.status import status_of
from ml_platform.specs.sources import MongoSource
from ml_platform.storage.database import fetch
from tests.ml_platform.ingestion.upload_cases import rows_in
from tests.ml_platform.sources.source_cases import accounted, feed_of, kill_pulls, load_all, no_login, pull_and_load
from tests.mongodb import Server

pytestmark = pytest.mark.servers

KILLS = int(os.environ.get("KILLS", "3"))
GOOD = {
    "LABEL": 0,
    "COST": 0.0,
    "COUNT": 3,
    "RATIO": 0.5,
    "PRICE": "$67,349",
    "KIND": "z_Blue Collar",
    "FLAG": True,
    "NOTE": "any text",
}
START = datetime(2026, 1, 1, tzinfo=UTC)
Claims = Collection[dict[str, Any]]


def good(number: int, **values: Any) -> dict[str, Any]:
    return {"_id": number, "ID": number} | GOOD | values


@pytest.fixture
def claims(mongodb_server: Server) -> Iterator[Claims]:
    """A new collection, empty so far."""
    with mongodb_server.client(tz_aware=True) as client:
        collection = client["shop"][f"claims_{uuid4().hex[:8]}"]
        yield collection
        collection.drop()


@pytest.fixture
def shop(mongodb_server: Server) -> SourceConnection:
    return mongodb_server.connection()


def source(claims: Claims, **options: Any) -> dict[str, Any]:
    return {"kind": "mongodb", "connection": "shop", "collection": claims.name, "settle": "1s", **options}


def reader(claims: Claims, shop: SourceConnection, **options: Any) -> MongoReader:
    return MongoReader(MongoSource.model_validate(source(claims, **options)), shop)


def lines_of(found: MongoReader, done: dict[str, str] | None = None) -> dict[str, list[list[dict[str, Any]]]]:
    """Return the lines of each range that follows `done`, by partition."""
    lines: dict[str, list[list[dict[str, Any]]]] = {}
    for partition, newest in found.positions().items():
        position = (done or {}).get(partition, "")
        while part := found.next_range(partition, position, newest):
            files = [io.BytesIO(), io.BytesIO()]
            readings = [found.read(part, file) for file in files]
            assert files[0].getvalue() == files[1].getvalue()
            rows = [json.loads(line) for line in gzip.decompress(files[0].getvalue()).splitlines()]
            assert readings[0].rows == len(rows)
            lines.setdefault(partition, []).append(rows)
            position = part.end
    return lines


def test_new_documents_are_loaded_once(servers, claims: Claims, shop: SourceConnection) -> None:
    feed = feed_of(source(claims, max_rows=4))
    claims.insert_many([good(i) for i in range(10)])
    assert [report["rows_loaded"] for report in pull_and_load(feed, shop)] == [4, 4, 2]
    assert pull_and_load(feed, shop) == []
    claims.insert_many([good(i) for i in range(10, 13)])
    (report,) = pull_and_load(feed, shop)
    assert report["rows_loaded"] == 3
    assert report["key"].startswith(f"train_{feed.table.name}.mongodb-")
    assert rows_in("features", feed.table) == 13
    status = status_of(feed)
    assert status is not None
    assert (status.position, status.newest, status.lag) == ("_id-number: 12", "_id-number: 12", 0)


def test_a_changed_document_comes_again_and_gives_a_newer_row(servers, claims: Claims, shop: SourceConnection) -> None:
    feed = feed_of(source(claims, updated_at="meta.changed"))
    claims.insert_many([good(i, meta={"changed": START + timedelta(seconds=i)}) for i in range(5)])
    assert sum(report["rows_loaded"] for report in pull_and_load(feed, shop)) == 5  # the second pass: already there
    claims.update_one({"_id": 2}, {"$set": {"COUNT": 9, "meta": {"changed": START + timedelta(hours=1)}}})
    (report,) = pull_and_load(feed, shop)
    assert (report["rows_read"], report["rows_loaded"]) == (1, 1)
    versions = fetch(f'SELECT "COUNT" FROM features."{feed.table.name}" WHERE "ID" = 2 ORDER BY created_timestamp')
    assert versions == [(3,), (9,)]


def test_with_an_event_time_the_time_of_the_change_is_the_availability_time(servers, claims: Claims, shop) -> None:
    paths = {name: name for name in GOOD} | {"ID": "_id", "AT": "at", "CHANGED": "meta.changed"}
    feed = feed_of(
        source(claims, updated_at="meta.changed", fields=paths),
        columns={"AT": "timestamp", "CHANGED": "timestamp"},
        event_time="AT",
        known_at="CHANGED",
    )
    claims.insert_one(good(1, at=START, meta={"changed": START}))
    pull_and_load(feed, shop)
    claims.update_one({"_id": 1}, {"$set": {"COUNT": 9, "meta": {"changed": START + timedelta(hours=1)}}})
    pull_and_load(feed, shop)
    columns = '"COUNT", event_timestamp, created_timestamp'
    versions = fetch(f'SELECT {columns} FROM features."{feed.table.name}" ORDER BY created_timestamp')
    assert versions == [(3, START, START), (9, START, START + timedelta(hours=1))]


def test_a_document_that_is_stored_late_comes_by_its_change(servers, claims: Claims, shop: SourceConnection) -> None:
    feed = feed_of(source(claims, updated_at="at"))
    claims.insert_one(good(7, at=START))
    pull_and_load(feed, shop)
    claims.insert_one(good(3, at=START + timedelta(minutes=1)))  # its _id is smaller
    assert [report["rows_loaded"] for report in pull_and_load(feed, shop)] == [1]


def test_a_document_that_is_no_row_comes_back_with_its_place(servers, claims: Claims, shop: SourceConnection) -> None:
    feed = feed_of(source(claims, fields={"ID": "_id", "KIND": "customer.kind", "NOTE": "note", "LABEL": "LABEL"}))
    claims.insert_many(
        [
            {"_id": 1, "customer": {"kind": "z_Student"}, "note": None, "LABEL": 1},
            {"_id": 2, "customer": [{"kind": "a"}], "LABEL": 1},
            {"_id": 3, "customer": {"kind": {"deep": 1}}, "LABEL": 0},
            {"_id": 4, "note": Binary(b"ab"), "LABEL": 0},
            {"_id": 5, "LABEL": 0},
        ]
    )
    (report,) = pull_and_load(_lenient(feed), shop)
    assert (report["rows_loaded"], report["rows_rejected"]) == (2, 3)
    assert [(reason["column"], reason["value"], reason["reason"]) for reason in report["reasons"]] == [
        ("KIND", '["…"]', f"not a single value (collection {claims.name}, _id 2)"),
        ("KIND", '{"deep": "1"}', f"not a single value (collection {claims.name}, _id 3)"),
        ("NOTE", '{"Binary": "2 bytes"}', f"not a single value (collection {claims.name}, _id 4)"),
    ]
    found = rows_in("features", feed.table, '"ID", "KIND", "NOTE"')
    assert found == [(1, "Student", None), (5, None, None)]


def _lenient(feed: Feed) -> Feed:
    table = feed.table.model_copy(update={"max_bad_rows": 1.0})
    return Feed(table, feed.purpose, feed.source)


# FerretDB 1.24 stores no NaN, no infinity, no Decimal128, and no negative zero
TEXTS = st.text(st.characters(exclude_categories=("Cs",)))
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False).filter(bool)
MOMENTS = st.integers(-62_135_596_800_000, 253_402_300_799_999).map(
    lambda milliseconds: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
)
OBJECT_IDS = st.binary(min_size=12, max_size=12).map(ObjectId)
UUIDS = st.uuids().map(Binary.from_uuid)
EXPECTED: dict[type, Callable[[Any], Any]] = {
    ObjectId: str,
    Binary: lambda value: str(value.as_uuid()),
    datetime: lambda value: value.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
}


def expected(value: Any) -> Any:
    return EXPECTED.get(type(value), lambda same: same)(value)


def stored(values: list[Any]) -> list[Any]:
    return [Int64(value) if type(value) is int else value for value in values]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(TEXTS | NUMBERS | MOMENTS | OBJECT_IDS | UUIDS | st.booleans() | st.none(), min_size=1))
def test_values_of_all_types_are_read_as_they_were_stored(claims: Claims, shop, values: list[Any]) -> None:
    claims.drop()
    claims.insert_many([{"_id": i, "v": value} for i, value in enumerate(stored(values))])
    with reader(claims, shop) as found:
        (lines,) = lines_of(found)["_id-number"]
    assert [line["v"] for line in lines] == [expected(value) for value in values]
    assert [type(line["v"]) for line in lines] == [type(expected(value)) for value in values]


def _in_sqlite(value: Any) -> Any:
    """Return what FerretDB's unique index on `_id` compares: dates are numbers there, and bytes are texts."""
    if isinstance(value, datetime):
        return (value - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    return b64encode(value).decode() if isinstance(value, bytes) else expected(value)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.lists(TEXTS | NUMBERS | MOMENTS | OBJECT_IDS | UUIDS, min_size=1),
    most=st.integers(1, 4),
    field=st.sampled_from(["_id", "at", "meta.at"]),
)
def test_a_watermark_may_have_several_types(claims: Claims, shop, values: list[Any], most: int, field: str) -> None:
    claims.drop()
    if field == "_id":
        values = list({_in_sqlite(value): value for value in values}.values())
    documents = [
        {"_id": value} if field == "_id" else {"_id": i, "at": value, "meta": {"at": value}}
        for i, value in enumerate(stored(values))
    ]
    claims.insert_many(documents)
    with reader(claims, shop, watermark=field, max_rows=most, fields={"X": field}) as found:
        ranges = lines_of(found)
        assert found.lag({}, found.positions()) == len(values)
    lines = [line["X"] for parts in ranges.values() for part in parts for line in part]
    assert sorted(map(repr, lines)) == sorted(repr(expected(value)) for value in values)
    for parts in ranges.values():
        assert all(len(part) >= most for part in parts[:-1])
        ends = [part[-1]["X"] for part in parts]
        assert len(set(map(repr, ends))) == len(ends)  # documents with one value are in one range


def test_documents_without_an_order_are_counted(servers, claims: Claims, shop) -> None:
    feed = feed_of(source(claims, watermark="at"))
    claims.insert_many([good(1), good(2)])
    with pytest.raises(ConfigurationError, match=r"no document has a number.* in 'at'.*watermark"):
        pull(feed, shop, by="a test")
    claims.insert_many([good(3, at=START), good(4, at=[START, START - timedelta(days=1)]), good(5, at=True)])
    (report,) = pull_and_load(feed, shop)
    assert (report["rows_read"], report["rows_loaded"]) == (1, 1)
    status = status_of(feed)
    assert status is not None
    assert status.newest.endswith("Z; documents without an order in at, which are not read: 4")
    assert status.lag == 0


def test_a_watermark_in_a_list_is_rejected_or_named(servers, claims: Claims, shop) -> None:
    feed = _lenient(feed_of(source(claims, watermark="meta.at")))
    late = START + timedelta(days=1)
    claims.insert_many([good(1, meta={"at": late}), good(2, meta=[{"at": START}])])
    (report,) = pull_and_load(feed, shop)
    assert (report["rows_loaded"], report["rows_rejected"]) == (1, 1)
    reason = f"meta.at goes through a list, so it has no order (collection {claims.name}, _id 2)"
    assert report["reasons"][0]["reason"] == reason
    # MongoDB sorts such a document by its greatest value, FerretDB as if it had none: so the newest is asked for here
    with (
        reader(claims, shop, watermark="meta.at") as found,
        pytest.raises(ConfigurationError, match=r"'meta\.at' goes through a list.*_id 3"),
    ):
        found._order_of({"_id": 3, "meta": [{"at": late}]}, "meta.at")


def test_an_empty_collection_and_one_that_does_not_exist_yet_are_waited_for(servers, claims: Claims, shop) -> None:
    feed = feed_of(source(claims))
    for text in (f"there is no collection {claims.name} yet", "no documents"):
        assert pull_and_load(feed, shop) == []
        status = status_of(feed)
        assert status is not None
        assert (status.newest, status.problem, status.lag) == (text, None, 0)
        claims.insert_one(good(1))
        claims.delete_one({"_id": 1})
    claims.insert_one(good(2))
    assert [report["rows_loaded"] for report in pull_and_load(feed, shop)] == [1]


def test_what_is_there_at_the_start_can_be_left(servers, claims: Claims, shop) -> None:
    feed = feed_of(source(claims, start="now"))
    claims.insert_one(good(1))
    assert pull_and_load(feed, shop) == []
    claims.insert_one(good(2))
    assert [report["rows_loaded"] for report in pull_and_load(feed, shop)] == [1]
    assert rows_in("features", feed.table, '"ID"') == [(2,)]


def test_a_range_is_read_again_on_request(servers, claims: Claims, shop) -> None:
    feed = feed_of(source(claims))
    claims.insert_many([good(i) for i in range(5)])
    pull_and_load(feed, shop)
    claims.update_one({"_id": 2}, {"$set": {"COUNT": 9}})
    (key,) = read_again(feed, shop, ("_id-number", "1", "3"), by="ann", reason="a correction")
    (report,) = load_all(feed)
    assert (report["key"], report["rows_read"], report["rows_loaded"]) == (key, 2, 1)
    for named, text in ((("_id", "", ""), "there are: _id-number"), (("", "one", ""), "could not convert")):
        with pytest.raises(ConfigurationError, match=text):
            read_again(feed, shop, named, by="ann", reason="")


def test_positions_that_differ_in_signs_only_have_files_of_their_own(servers, claims: Claims, shop) -> None:
    feed = feed_of(source(claims, max_rows=1))
    claims.insert_many([good(i) | {"_id": text} for i, text in enumerate(("ab", "a b", "a.b"))])
    assert [report["rows_loaded"] for report in pull_and_load(feed, shop)] == [1, 1, 1]


@pytest.mark.parametrize("mistake", ["login", "no login", "option", "host", "login in host", "database", "name"])
def test_a_mistake_is_named_with_the_connection(servers, mongodb_server: Server, claims: Claims, mistake: str) -> None:
    claims.insert_one(good(1))
    feed = feed_of(source(claims, database="shop" if mistake != "database" else None))
    connection = {
        "login": no_login(mongodb_server.connection()),
        "no login": mongodb_server.connection(login=""),
        "option": mongodb_server.connection(extra={"colour": "blue"}),
        "host": mongodb_server.connection(host=""),
        "login in host": mongodb_server.connection(host="mongodb://ann:pw@127.0.0.1"),
        "database": mongodb_server.connection(schema=""),
        "name": mongodb_server.connection(schema="a.b"),
    }[mistake]
    if mistake == "name":
        feed = feed_of(source(claims))
    with pytest.raises(ConfigurationError, match=r"'shop'") as error:
        pull(feed, connection, by="a test")
    assert "not this one" not in str(error.value)
    status = status_of(feed)
    assert status is not None
    assert status.problem == str(error.value)


def test_a_server_that_is_away_is_waited_for(mongodb_server: Server, claims: Claims, closed_port: int) -> None:
    feed = feed_of(source(claims))
    away = mongodb_server.connection(port=closed_port, extra={"serverSelectionTimeoutMS": 200})
    reason = pull(feed, away, by="a test").away
    assert reason.startswith(f"the collection '{claims.name}' (connection 'shop') cannot be reached: ")
    assert "Topology" not in reason


def test_a_server_that_is_killed_while_it_is_read_loses_nothing(
    servers, mongodb_server: Server, claims: Claims, shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = feed_of(source(claims, max_rows=400))
    claims.insert_many([good(i) for i in range(1_000)])
    line, calls = reader_module.document_line, iter([mongodb_server.kill])

    def killing(*arguments: Any) -> bytes:
        for kill in calls:
            kill()
        return line(*arguments)

    monkeypatch.setattr(reader_module, "document_line", killing)
    with pytest.raises(SourceAwayError, match="connection 'shop'"):
        pull(feed, shop, by="a test")
    assert pull(feed, shop, by="a test").away
    mongodb_server.start()
    assert [report["rows_loaded"] for report in pull_and_load(feed, shop)] == [400, 400, 200]


def test_random_documents_are_all_accounted_for(servers, claims: Claims, shop) -> None:
    feed, chance = _lenient(feed_of(source(claims, max_rows=97))), random.Random(11)  # noqa: S311 – no secret
    documents = [_random_document(i, chance) for i in range(500)]
    claims.insert_many([document for document, _ in documents])
    reports = pull_and_load(feed, shop)
    assert sum(report["rows_read"] for report in reports) == 500
    assert sum(report["rows_loaded"] + report["rows_rejected"] for report in reports) == 500
    loaded = {row[0]: row[1:] for row in rows_in("features", feed.table, '"ID", "COUNT", "RATIO", "FLAG", "NOTE"')}
    assert loaded == {document["ID"]: row for document, row in documents if row is not None}
    assert 0 < len(loaded) < 500


def _random_document(number: int, chance: random.Random) -> tuple[dict[str, Any], tuple[Any, ...] | None]:
    """Return a document, and its row; None if it is to be rejected."""
    moment, key = START + timedelta(milliseconds=chance.getrandbits(40)), ObjectId()
    choices: dict[str, list[tuple[Any, Any]]] = {
        "COUNT": [(3, 3), (Int64(10), 10), (0.0, 0), (None, None), (11, ...), ("x", ...), ([1], ...)],
        "RATIO": [(0.1, 0.1), (1e-300, 1e-300), (7, 7.0), (True, ...), ({"a": 1}, ...)],
        "FLAG": [(True, True), (False, False), (None, None), ("yes", True), (2, ...)],
        "NOTE": [('ä, "b"', 'ä, "b"'), (key, str(key)), (moment, expected(moment)), (1.5, "1.5"), (b"ab", ...)],
    }
    weights = [3, 3, 3, 2, 1]
    picked = {name: chance.choices(some[:5], weights)[0] for name, some in choices.items()}
    if chance.random() < 0.1:
        picked["COUNT"] = chance.choice(choices["COUNT"][4:])
    row = tuple(value for _, value in picked.values())
    return good(number) | {name: value for name, (value, _) in picked.items()}, None if ... in row else row


@pytest.mark.prove  # the gate kills pulls of a topic
def test_a_killed_pull_loses_nothing_and_repeats_nothing(
    servers, claims: Claims, shop, record_property: Callable[[str, object], None]
) -> None:
    feed, rows = feed_of(source(claims, max_rows=300)), 600

    def arrive(attempt: int) -> None:
        # FerretDB reads the whole collection to sort it: what has landed is removed, as the owner of the data may do
        statement = "SELECT coalesce(sum(rows_landed), 0)::bigint FROM sources.ranges WHERE dataset = $1"
        claims.delete_many({"_id": {"$lt": fetch(statement, feed.table.name)[0][0]}})
        claims.insert_many([good(i) for i in range(attempt * rows, (attempt + 1) * rows)])

    killed = kill_pulls(feed, shop, KILLS, arrive, longest=2.5)  # a range rests for a second
    record_property("tried", killed)
    assert accounted(feed) == (rows * KILLS, 0)  # of as many documents in the files: none came twice
    assert rows_in("features", feed.table, 'count(*), count(DISTINCT "ID")') == [(rows * KILLS, rows * KILLS)]
    assert killed > KILLS / 2
