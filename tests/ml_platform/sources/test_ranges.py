"""Ranges in Postgres: planned before they are read, landed once, and read again under a new number."""

import psycopg2
import pytest

from ml_platform.exceptions import ServiceError
from ml_platform.sources import ranges
from ml_platform.sources.ranges import Feed
from ml_platform.sources.reader import Range, Reading
from ml_platform.storage.database import transaction
from tests.ml_platform.sources.source_cases import feed_of

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]

FIRST, SECOND, OTHER = Range("0", "", "10"), Range("0", "10", "25"), Range("1", "", "7")


@pytest.fixture
def feed() -> Feed:
    return feed_of({"kind": "kafka", "topic": "claims"})


def plan(feed: Feed, *parts: Range, **options: object) -> None:
    with transaction() as cursor:
        named = [(part, feed.object_key("-".join(part))) for part in parts]
        ranges.plan(cursor, feed, named, by="ann", **options)  # type: ignore[arg-type]


def test_positions_are_those_of_the_last_plan_of_each_partition(feed: Feed) -> None:
    with transaction() as cursor:
        assert ranges.is_new(cursor, feed)
    plan(feed, FIRST, OTHER)
    plan(feed, SECOND)
    with transaction() as cursor:
        assert not ranges.is_new(cursor, feed)
        assert ranges.positions(cursor, feed) == {"0": "25", "1": "7"}
        assert [one.range for one in ranges.waiting(cursor, feed)] == [FIRST, OTHER, SECOND]
        assert all(0 <= one.age < 60 for one in ranges.waiting(cursor, feed))


def test_a_landed_range_waits_no_more_and_cannot_be_claimed(feed: Feed) -> None:
    plan(feed, FIRST, SECOND)
    with transaction() as cursor:
        first, second = ranges.waiting(cursor, feed)
        assert ranges.claim(cursor, first)
        ranges.record_landing(cursor, first, Reading(9, 1, ("a note",)), 100)
        assert not ranges.claim(cursor, first)
        assert [one.range_id for one in ranges.waiting(cursor, feed)] == [second.range_id]
        assert ranges.landed(cursor, feed) == [FIRST]


def test_reading_a_range_again_moves_no_position(feed: Feed) -> None:
    plan(feed, FIRST, SECOND)
    with transaction() as cursor:
        number = ranges.next_reading(cursor, feed, FIRST)
        ranges.plan(cursor, feed, [(FIRST, feed.object_key("again", number))], by="ann", reading=number)
        assert ranges.next_reading(cursor, feed, FIRST) == number + 1 == 3
        assert ranges.positions(cursor, feed) == {"0": "25"}


def test_two_ranges_cannot_share_a_file(feed: Feed) -> None:
    plan(feed, FIRST)
    with pytest.raises(ServiceError, match="ranges_dataset_purpose_object_key_key"), transaction() as cursor:
        ranges.plan(cursor, feed, [(SECOND, feed.object_key("-".join(FIRST)))], by="ann")


def test_a_problem_keeps_its_first_time_and_ends_with_a_look(feed: Feed, servers) -> None:
    def since() -> object:
        with psycopg2.connect(servers.database_uri("platform")) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT problem_since FROM sources.status WHERE dataset = %s", (feed.table.name,))
            return cursor.fetchall()

    for problem in ("away", "away"):
        with transaction() as cursor:
            ranges.record_problem(cursor, feed, problem)
        first = since()
    assert since() == first
    with transaction() as cursor:
        ranges.record_look(cursor, feed, "0: 10", "0: 25", 15)
        (status,) = [one for one in ranges.statuses(cursor) if one.identity == feed.identity]
    assert (status.position, status.newest, status.lag, status.problem) == ("0: 10", "0: 25", 15, None)


def test_a_problem_of_another_origin_is_not_shown_with_what_the_old_one_had(feed: Feed, servers) -> None:
    other = Feed(feed.table, feed.purpose, feed.source.model_copy(update={"topic": "others"}))
    with transaction() as cursor:
        ranges.record_look(cursor, feed, "0: 3", "0: 5", 2)
        ranges.record_problem(cursor, other, "no such topic")
        (status,) = [one for one in ranges.statuses(cursor) if one.dataset == feed.identity[0]]
    assert (status.origin, status.problem) == (other.source.origin, "no such topic")
    assert (status.position, status.lag) == ("", None)


def test_another_origin_has_positions_of_its_own(feed: Feed) -> None:
    plan(feed, FIRST)
    source = feed.source.model_copy(update={"topic": "other"})
    with transaction() as cursor:
        assert ranges.positions(cursor, Feed(feed.table, feed.purpose, source)) == {}
