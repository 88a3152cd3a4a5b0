"""Messages of a topic are rows, each loaded once or returned with its place; on a real broker."""

import io
import json
import os
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import fastavro
import pytest
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from ml_platform.exceptions import ConfigurationError, SourceAwayError
from ml_platform.sources import kafka as reading
from ml_platform.sources.connection import SourceConnection
from ml_platform.sources.opening import open_source
from ml_platform.sources.pull import pull, read_again
from ml_platform.sources.ranges import Feed
from ml_platform.sources.reader import Range
from ml_platform.sources.status import status_of
from ml_platform.storage import object_store
from ml_platform.storage.database import fetch
from tests.ml_platform.ingestion.upload_cases import GOOD, rows_in
from tests.ml_platform.sources.source_cases import accounted, feed_of, kill_pulls, load_all, pull_and_load
from tests.schema_registry import Registry

if TYPE_CHECKING:
    from tests.kafka import Broker

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]

KILLS = int(os.environ.get("KILLS", "3"))
Message = tuple[bytes | None, bytes | None]  # key and value
TYPES = {str: "string", int: "long", float: "double"}
TYPED = GOOD | {"ID": 1, "COUNT": 3, "RATIO": 0.5}
FIELDS = [{"name": name, "type": ["null", TYPES[type(cell)]], "default": None} for name, cell in TYPED.items()]
OLD = {"type": "record", "name": "Claim", "fields": [field for field in FIELDS if field["name"] != "NOTE"]}
NEW = {"type": "record", "name": "Claim", "fields": FIELDS}


@pytest.fixture
def kafka(kafka_broker: "Broker") -> SourceConnection:
    return SourceConnection("kafka", kind="kafka", extra=json.loads(kafka_broker.connection)["extra"])


@pytest.fixture
def with_registry(kafka: SourceConnection, any_registry: Registry) -> SourceConnection:
    return SourceConnection("kafka", extra={**kafka.extra, "schema.registry.url": any_registry.url})


@pytest.fixture
def admin(kafka_broker: "Broker") -> AdminClient:
    return AdminClient(kafka_broker.settings("kafka-admin"))


@pytest.fixture
def make_topic(admin: AdminClient) -> Callable[..., str]:
    def make(partitions: int = 1, name: str = "", **options: str) -> str:
        topic = name or f"claims-{uuid4().hex[:8]}"
        settings = {option.replace("_", "."): value for option, value in options.items()}
        admin.create_topics([NewTopic(topic, partitions, config=settings)])[topic].result(30)
        return topic

    return make


@pytest.fixture
def topic(make_topic: Callable[..., str]) -> str:
    return make_topic()


def row(number: int, **cells: Any) -> bytes:
    return json.dumps(GOOD | {"ID": number} | cells).encode()


def framed(number: int, schema: dict[str, Any], **cells: Any) -> bytes:
    """Return a row in Avro, after the id of its schema."""
    file = io.BytesIO()
    fastavro.schemaless_writer(file, fastavro.parse_schema(schema), TYPED | cells)
    return b"\0" + number.to_bytes(4) + file.getvalue()


def send(broker: "Broker", topic: str, messages: Iterable[bytes | None], partition: int = 0, **more: Any) -> None:
    producer = Producer(broker.settings("producer", acks="all"))
    for value in messages:
        producer.produce(topic, value, partition=partition, **more)
    assert producer.flush(60) == 0


def source(topic: str, **options: Any) -> dict[str, Any]:
    return {"kind": "kafka", "topic": topic, **options}


def test_the_rows_of_all_partitions_are_loaded_once(kafka_broker, kafka, make_topic) -> None:
    topic = make_topic(3)
    feed = feed_of(source(topic, max_rows=4))
    for partition in (0, 2):
        send(kafka_broker, topic, (row(partition * 100 + i) for i in range(6)), partition)
    reports = pull_and_load(feed, kafka)
    assert sorted(report["rows_loaded"] for report in reports) == [2, 2, 4, 4]
    assert pull_and_load(feed, kafka) == []
    send(kafka_broker, topic, [row(7)], 1)
    assert [report["rows_loaded"] for report in pull_and_load(feed, kafka)] == [1]
    status = status_of(feed)
    assert status is not None
    assert (status.position, status.newest, status.lag) == ("0: 6, 1: 1, 2: 6", "0: 6, 1: 1, 2: 6", 0)
    assert rows_in("features", feed.table) == 13


def test_what_is_no_row_comes_back_with_topic_partition_and_offset(kafka_broker, kafka, topic) -> None:
    feed = feed_of(source(topic))
    send(kafka_broker, topic, [row(1), b"not JSON", row(2, COUNT=99), b'{"ID": 3}', row(4)])
    (report,) = pull_and_load(feed, kafka)
    assert (report["rows_loaded"], report["rows_rejected"]) == (2, 3)
    place = f"(topic {topic}, partition 0, offset %d)"
    reasons = [reason["reason"] for reason in report["reasons"]]
    assert reasons[0] == f"not valid JSON: Expecting value at character 1 {place % 1}"
    assert reasons[1].endswith(place % 2)
    assert reasons[2] == f"the value is missing, but a value is required {place % 3}"
    assert report["rejected_key"] is not None
    rejected = object_store.get("train", report["rejected_key"]).decode()
    assert f"topic {topic}, partition 0, offset 1" in rejected
    assert "not JSON" in rejected


def test_a_key_that_is_no_text_rejects_its_row_alone(kafka_broker, kafka, topic) -> None:
    feed = feed_of(source(topic, metadata={"NOTE": "key"}))
    value = {name: cell for name, cell in GOOD.items() if name != "NOTE"}
    for number, key in enumerate((b"good", b"\xff")):
        send(kafka_broker, topic, [json.dumps(value | {"ID": number}).encode()], key=key)
    (report,) = pull_and_load(feed, kafka)
    assert (report["rows_loaded"], report["rows_rejected"]) == (1, 1)
    assert f"topic {topic}, partition 0, offset 1" in report["reasons"][0]["reason"]


def test_a_single_broken_message_is_a_rejected_row_and_holds_up_nothing(kafka_broker, kafka, topic) -> None:
    feed = feed_of(source(topic), max_bad_rows=0.0)
    send(kafka_broker, topic, [b"\xff\x00"])
    (report,) = pull_and_load(feed, kafka)
    assert (report["outcome"], report["rows_loaded"], report["rows_rejected"]) == ("loaded", 0, 1)
    assert "not valid UTF-8 at byte 1" in report["reasons"][0]["reason"]
    send(kafka_broker, topic, [row(1)])
    assert [report["rows_loaded"] for report in pull_and_load(feed, kafka)] == [1]


def test_key_header_and_time_of_a_message_are_columns(kafka_broker, kafka, topic) -> None:
    metadata = {"ID": "key", "NOTE": "header.note", "AT": "timestamp"}
    feed = feed_of(source(topic, metadata=metadata), event_time="AT", columns={"AT": "timestamp"})
    value = {name: cell for name, cell in GOOD.items() if name not in ("ID", "NOTE")}
    moment = 1_767_225_600_123  # 2026-01-01, in milliseconds
    more = {"key": b"77", "headers": [("note", b"from a header")], "timestamp": moment}
    send(kafka_broker, topic, [json.dumps(value).encode()], **more)
    send(kafka_broker, topic, [json.dumps(value | {"NOTE": "own"}).encode()], key=b"78", timestamp=moment)
    pull_and_load(feed, kafka)
    found = rows_in("features", feed.table, '"ID", "NOTE", extract(epoch FROM event_timestamp)::float8')
    assert sorted(found) == [(77, "from a header", moment / 1000), (78, "own", moment / 1000)]


@pytest.mark.parametrize(("tombstones", "rejected", "skipped"), [("ignore", 0, 2), ("reject", 2, 0)])
def test_tombstones_are_counted_or_returned(kafka_broker, kafka, topic, tombstones, rejected, skipped) -> None:
    feed = feed_of(source(topic, tombstones=tombstones))
    send(kafka_broker, topic, [None, row(1), None], key=b"1")
    (report,) = pull_and_load(feed, kafka)
    assert (report["rows_loaded"], report["rows_rejected"]) == (1, rejected)
    assert fetch("SELECT rows_skipped FROM sources.ranges WHERE dataset = $1", feed.table.name) == [(skipped,)]


def test_a_range_without_rows_is_no_file(kafka_broker, kafka, topic) -> None:
    feed = feed_of(source(topic))
    send(kafka_broker, topic, [None], key=b"1")
    assert pull(feed, kafka, by="a test").landed == 1
    assert load_all(feed) == []
    assert pull(feed, kafka, by="a test").landed == 0


def test_only_committed_transactions_are_read_and_their_markers_leave_gaps(kafka_broker, kafka, topic) -> None:
    feed = feed_of(source(topic))
    producer = Producer(kafka_broker.settings("kafka-admin") | {"transactional.id": f"test-{topic}"})
    producer.init_transactions(30)
    for number, ends in enumerate(("commit", "abort", "commit")):
        producer.begin_transaction()
        producer.produce(topic, row(number))
        producer.flush(30)
        (producer.commit_transaction if ends == "commit" else producer.abort_transaction)(30)
    producer.begin_transaction()
    producer.produce(topic, row(3))
    producer.flush(30)
    assert [report["rows_loaded"] for report in pull_and_load(feed, kafka)] == [2]
    assert pull_and_load(feed, kafka) == []
    producer.commit_transaction(30)
    assert [report["rows_loaded"] for report in pull_and_load(feed, kafka)] == [1]
    assert sorted(rows_in("features", feed.table, '"ID"')) == [(0,), (2,), (3,)]


def test_offsets_that_were_deleted_before_they_were_read_are_noted(kafka_broker, kafka, topic, admin) -> None:
    feed = feed_of(source(topic, max_rows=3))
    send(kafka_broker, topic, [row(0)])
    pull_and_load(feed, kafka)
    send(kafka_broker, topic, (row(i) for i in range(1, 8)))
    (future,) = admin.delete_records([TopicPartition(topic, 0, 5)]).values()
    future.result(30)
    assert sum(report["rows_loaded"] for report in pull_and_load(feed, kafka)) == 3
    notes = fetch("SELECT unnest(notes) FROM sources.ranges WHERE dataset = $1 ORDER BY 1", feed.table.name)
    assert notes == [
        ("1 offsets from 4 on were deleted before they were read",),
        ("3 offsets from 1 on were deleted before they were read",),
    ]


def test_a_deletion_while_a_range_is_read_is_said_and_the_next_attempt_notes_it(
    kafka_broker, kafka, topic, admin, monkeypatch
) -> None:
    feed = feed_of(source(topic))
    send(kafka_broker, topic, (row(i) for i in range(3)))
    with open_source(feed.source, kafka) as reader:
        ((partition, newest),) = reader.positions().items()
        part = Range(partition, "0", newest)
        monkeypatch.setattr(reader, "_offsets", lambda _: {partition: 0})  # as they were a moment ago
        (future,) = admin.delete_records([TopicPartition(topic, 0, 2)]).values()
        future.result(30)
        with pytest.raises(SourceAwayError, match="messages were deleted while they were read"):
            reader.read(part, io.BytesIO())
        monkeypatch.undo()
        found = reader.read(part, io.BytesIO())
    assert (found.rows, found.notes) == (1, ("2 offsets from 0 on were deleted before they were read",))


def test_a_new_topic_of_the_same_name_is_read_from_its_beginning(kafka_broker, kafka, topic, admin, make_topic) -> None:
    feed = feed_of(source(topic))
    send(kafka_broker, topic, (row(i) for i in range(3)))
    pull_and_load(feed, kafka)
    admin.delete_topics([topic])[topic].result(30)
    deadline = time.monotonic() + 30
    while topic in admin.list_topics(timeout=10).topics:
        assert time.monotonic() < deadline
    make_topic(name=topic)
    send(kafka_broker, topic, (row(i) for i in range(10, 15)))
    assert [report["rows_loaded"] for report in pull_and_load(feed, kafka)] == [5]


def test_a_range_is_read_again_on_request(kafka_broker, kafka, topic) -> None:
    feed = feed_of(source(topic))
    send(kafka_broker, topic, (row(i) for i in range(10)))
    pull_and_load(feed, kafka)
    keys = read_again(feed, kafka, ("0", "2", "5"), by="ann", reason="to look at them")
    (report,) = load_all(feed)
    assert [report["key"]] == keys
    assert (report["rows_read"], report["rows_present"]) == (3, 3)
    again = "SELECT planned_by, reason FROM sources.ranges WHERE reading = 2 AND dataset = $1"
    assert fetch(again, feed.table.name) == [("ann", "to look at them")]
    assert pull(feed, kafka, by="a test").landed == 0


@pytest.mark.parametrize(
    ("named", "problem"),
    [
        (("7", "", ""), r"has no partition '7'; there are: 0"),
        (("0", "5", "2"), r"offsets '5' to '2' cannot be read; allowed are 0 to 3"),
        (("0", "0", "9"), r"allowed are 0 to 3"),
        (("0", "first", ""), r"allowed are 0 to 3"),
    ],
)
def test_a_range_that_is_not_there_is_refused(kafka_broker, kafka, topic, named, problem) -> None:
    send(kafka_broker, topic, (row(i) for i in range(3)))
    with pytest.raises(ConfigurationError, match=problem):
        read_again(feed_of(source(topic)), kafka, named, by="ann", reason="")


def test_rows_without_a_key_are_read_again_as_they_landed(kafka_broker, kafka, topic) -> None:
    """Other bytes would be other rows: nothing tells that they were there already."""
    feed = feed_of(source(topic), entity={"name": "thing"}, columns={"ID": "integer"})
    send(kafka_broker, topic, (row(i) for i in range(10)))
    pull_and_load(feed, kafka)
    with pytest.raises(ConfigurationError, match=r"has no key.*0 to 10"):
        read_again(feed, kafka, ("0", "2", "5"), by="ann", reason="")
    read_again(feed, kafka, ("0", "0", "10"), by="ann", reason="")
    assert [report["outcome"] for report in load_all(feed)] == ["duplicate"]


def test_what_is_there_at_the_start_can_be_left(kafka_broker, kafka, topic) -> None:
    feed = feed_of(source(topic, start="now"))
    send(kafka_broker, topic, [row(1)])
    assert pull_and_load(feed, kafka) == []
    send(kafka_broker, topic, [row(2)])
    assert [report["rows_loaded"] for report in pull_and_load(feed, kafka)] == [1]


def test_a_broker_that_is_away_is_waited_for(kafka, topic, monkeypatch, closed_port) -> None:
    monkeypatch.setattr(reading, "REQUEST_SECONDS", 2.0)
    settings = {**kafka.extra, "bootstrap.servers": f"127.0.0.1:{closed_port}"}
    away = pull(feed_of(source(topic)), SourceConnection("kafka", extra=settings), by="a test").away
    assert "connection 'kafka'" in away


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"sasl.password": "not this one"}, "Authentication failed"),
        ({"sasl.username": "nobody"}, "Authentication failed"),
        ({"no.such.option": "1"}, "No such configuration property"),
    ],
)
def test_a_mistake_in_the_connection_is_named(kafka, topic, changes, problem, monkeypatch) -> None:
    monkeypatch.setattr(reading, "REQUEST_SECONDS", 5.0)
    feed = feed_of(source(topic))
    with pytest.raises(ConfigurationError, match=rf"connection 'kafka'.*{problem}") as error:
        pull(feed, SourceConnection("kafka", extra={**kafka.extra, **changes}), by="a test")
    assert "not this one" not in str(error.value)


def test_a_topic_that_is_missing_is_named(kafka) -> None:
    feed = feed_of(source("no-such-topic"))
    with pytest.raises(
        ConfigurationError, match=r"the topic 'no-such-topic' \(connection 'kafka'\) cannot be read: .*; `make up`"
    ):
        pull(feed, kafka, by="a test")


def test_a_range_is_the_same_bytes_each_time(kafka_broker, kafka, topic, tmp_path) -> None:
    send(kafka_broker, topic, (row(i) for i in range(100)))
    contents = []
    for name in ("one", "two"):
        with open_source(feed_of(source(topic)).source, kafka) as reader, (tmp_path / name).open("wb") as file:
            (partition, newest), *_ = reader.positions().items()
            part = reader.next_range(partition, "", newest)
            assert part is not None
            assert reader.read(part, file).rows == 100
        contents.append((tmp_path / name).read_bytes())
    assert contents[0] == contents[1]


def test_versions_of_a_schema_are_rows_of_one_table(kafka_broker, with_registry, any_registry, topic, tmp_path) -> None:
    old, new = any_registry.add(f"{topic}-value", OLD), any_registry.add(f"{topic}-value", NEW)
    feed = feed_of(source(topic, format="avro"))
    unknown = framed(987_654, NEW, ID=7)
    good = [framed(old, OLD, ID=1), framed(new, NEW, ID=2**40, NOTE="x")]
    send(kafka_broker, topic, [good[0], b"{}", good[1], framed(new, NEW, ID=4)[:-1], unknown])
    (report,) = pull_and_load(feed, with_registry)
    assert sorted(rows_in("features", feed.table, '"ID", "NOTE"')) == [(1, None), (2**40, "x")]
    said = {1: "names no schema", 3: "ends before its schema does", 4: "has no schemas/ids/987654"}
    for found, (offset, problem) in zip(report["reasons"], said.items(), strict=True):
        assert problem in found["reason"]
        assert f"topic {topic}, partition 0, offset {offset}" in found["reason"]
    contents = []
    for _ in range(2):
        with open_source(feed.source, with_registry) as reader, (tmp_path / "rows").open("w+b") as file:
            (partition, newest), *_ = reader.positions().items()
            assert reader.read(reader.range_of(partition, "", newest), file).rows == 5
            file.seek(0)
            contents.append(file.read())
    assert contents[0] == contents[1]


def test_json_that_does_not_fit_its_schema_comes_back(kafka_broker, with_registry, any_registry, topic) -> None:
    draft = "http://json-schema.org/draft-07/schema#"
    schema = {"$schema": draft, "type": "object", "properties": {"ID": {"type": "integer", "maximum": 10}}}
    name = b"\0" + any_registry.add(f"{topic}-value", schema, "JSON").to_bytes(4)
    feed = feed_of(source(topic, format="json_schema"))
    send(kafka_broker, topic, (name + row(number) for number in (1, 11)))
    (report,) = pull_and_load(feed, with_registry)
    assert (report["rows_loaded"], report["rows_rejected"]) == (1, 1)
    assert "does not fit its JSON Schema at /ID" in report["reasons"][0]["reason"]


def test_a_schema_registry_that_is_away_loses_and_rejects_nothing(kafka_broker, kafka, registry, topic) -> None:
    connection = SourceConnection("kafka", extra={**kafka.extra, "schema.registry.url": registry.url})
    feed = feed_of(source(topic, format="avro"))
    number = registry.add(f"{topic}-value", NEW)
    send(kafka_broker, topic, [framed(number, NEW, ID=1), framed(99, NEW, ID=2)])
    for status, error in ((503, SourceAwayError), (403, ConfigurationError)):
        registry.broken = (status, b"")
        with pytest.raises(error, match="the schema registry of the Airflow connection 'kafka'"):
            pull(feed, connection, by="a test")
    assert fetch("SELECT landed_at FROM sources.ranges WHERE dataset = $1", feed.table.name) == [(None,)]
    registry.broken = None
    pull_and_load(feed, connection)
    assert accounted(feed) == (1, 1)


def test_killed_pulls_lose_nothing_and_bring_nothing_twice(kafka_broker, kafka, make_topic, record_property) -> None:
    topic = make_topic(2)
    feed = feed_of(source(topic, max_rows=500))

    def arrive(attempt: int) -> None:
        rows = (b"broken" if i % 100 == 0 else row(attempt * 2000 + i) for i in range(2000))
        send(kafka_broker, topic, rows, attempt % 2)

    killed = kill_pulls(feed, kafka, KILLS, arrive)
    record_property("tried", killed)
    assert accounted(feed) == (KILLS * 1980, KILLS * 20)
    assert rows_in("features", feed.table) == KILLS * 1980
    assert killed > KILLS / 2


def test_a_broker_that_is_killed_while_it_is_read_is_waited_for(kafka_broker, kafka, topic, monkeypatch) -> None:
    for seconds in ("REQUEST_SECONDS", "SILENCE_SECONDS"):
        monkeypatch.setattr(reading, seconds, 5.0)
    feed = feed_of(source(topic, max_rows=2000))
    send(kafka_broker, topic, (row(i) for i in range(20_000)))
    crash = threading.Timer(0.3, kafka_broker.kill)
    crash.start()
    try:
        catch_up(feed, kafka)
    finally:
        crash.join()
        kafka_broker.start()
    catch_up(feed, kafka)
    load_all(feed)
    assert accounted(feed) == (20_000, 0)


def catch_up(feed: Feed, connection: SourceConnection) -> None:
    """Pull as the DAG does: an error while a range is read is retried, and that a source is away is none."""
    with suppress(SourceAwayError):
        pull(feed, connection, by="a test")
