"""The point-in-time join looks up each row's newest value that was true and known; on small tables written in SQL."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ml_platform.feature_store.lateral_join import Lookup, join_query, rows_between
from ml_platform.storage.database import fetch

READINGS = """(VALUES
    ('a', 1, '2026-01-01'::timestamptz, '2026-01-01'::timestamptz, 10),
    ('a', 1, '2026-01-03', '2026-01-03', 30),
    ('a', 1, '2026-01-03', '2026-01-05', 31),
    ('a', 2, '2026-01-02', '2026-01-02', 20),
    ('c', 1, '2026-01-02', NULL, 50),
    ('c', 1, '2026-01-02', '2026-01-02', 51)
) AS readings (place, level, at, known, heat)"""

JANUARY = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 31, tzinfo=UTC))


def on_servers(test: Any) -> Any:
    return pytest.mark.servers(pytest.mark.usefixtures("servers")(test))


def lookup(**changes: Any) -> Lookup:
    given = {
        "source": f"(SELECT * FROM {READINGS})", "keys": {"place": "p", "level": "q"}, "features": {"heat": "w__heat"},
        "event": "at", "created": "known", "ttl": timedelta(0), "by_known_time": True,
    }  # fmt: skip
    return Lookup(**given | changes)


def heats(time: str, *lookups: Lookup, p: str = "'a'", q: str = "1") -> list[Any]:
    """Return the features of one row, joined as of a time."""
    entity = f"SELECT 7 AS id, {p}::text AS p, {q}::int AS q, '{time}'::timestamptz AS t -- a comment"
    ((key, *values),) = fetch(join_query(entity, ["id"], "t", lookups))
    assert key == 7
    return values


@on_servers
@pytest.mark.parametrize(
    ("time", "heat"),
    [
        ("2025-12-31", None),
        ("2026-01-01", 10),
        ("2026-01-02 23:59:59.999999", 10),
        ("2026-01-03", 30),
        ("2026-01-04 23:59:59", 30),
        ("2026-01-05", 31),
        ("2030-01-01", 31),
    ],
    ids=[
        "before all",
        "at the event",
        "just before the next",
        "the next",
        "before the correction",
        "corrected",
        "late",
    ],
)
def test_a_row_gets_the_newest_value_that_was_true_and_known(time: str, heat: int | None) -> None:
    assert heats(time, lookup()) == [heat]


@on_servers
def test_without_the_known_time_a_correction_counts_from_its_event_on() -> None:
    assert heats("2026-01-04", lookup(by_known_time=False)) == [31]
    assert heats("2026-01-02", lookup(created="", by_known_time=False)) == [10]


@on_servers
def test_a_value_of_unknown_known_time_comes_after_others_and_is_not_known_in_time() -> None:
    assert heats("2026-01-04", lookup(by_known_time=False), p="'c'") == [51]
    unknown = lookup(source=f"(SELECT * FROM {READINGS} WHERE known IS NULL)")
    assert heats("2026-01-04", unknown, p="'c'") == [None]


@on_servers
@pytest.mark.parametrize(
    ("ttl", "time", "heat"),
    [
        (timedelta(days=1), "2026-01-02", 10),
        (timedelta(days=1), "2026-01-02 00:00:00.000001", None),
        (timedelta(microseconds=1), "2026-01-01 00:00:00.000001", 10),
        (timedelta(microseconds=1), "2026-01-01 00:00:00.000002", None),
        (timedelta(days=300_000), "2030-01-01", 31),
    ],
)
def test_a_value_older_than_its_time_to_live_is_missing(ttl: timedelta, time: str, heat: int | None) -> None:
    assert heats(time, lookup(ttl=ttl)) == [heat]


@on_servers
@pytest.mark.parametrize(
    ("p", "q", "heat"), [("'a'", "2", 20), ("'a'", "3", None), ("'b'", "1", None), ("NULL", "1", None)]
)
def test_all_columns_of_the_key_must_be_equal(p: str, q: str, heat: int | None) -> None:
    assert heats("2026-02-01", lookup(), p=p, q=q) == [heat]


@on_servers
def test_a_table_about_no_entity_is_joined_to_every_row() -> None:
    world = lookup(keys={}, source=f"(SELECT * FROM {READINGS} WHERE place = 'a')")
    assert heats("2026-01-02 12:00", world, p="'z'") == [20]


@on_servers
def test_each_lookup_adds_its_own_features() -> None:
    second = lookup(features={"heat": "x__heat", "place": "x__place"}, ttl=timedelta(days=1))
    assert heats("2026-01-05", lookup(), second) == [31, None, None]


@on_servers
def test_hostile_names_are_only_names() -> None:
    name = "a\"b'; DROP TABLE x; --"
    source = "(SELECT 'a' AS place, 1 AS level, 5 AS \"a\"\"b'; DROP TABLE x; --\", now() - interval '1 day' AS at)"
    assert heats("2999-01-01", lookup(source=source, features={name: name}, created="")) == [5]


def days(*lookups: Lookup, first: int = 1, last: int = 31) -> list[tuple[Any, ...]]:
    start, end = (datetime(2026, 1, day, tzinfo=UTC) for day in (first, last))
    rows = fetch(f"SELECT * FROM ({rows_between(lookups, start, end)}) AS found ORDER BY 1, 2")
    return [tuple(cell.day if isinstance(cell, datetime) else cell for cell in row) for row in rows]


@on_servers
def test_the_rows_of_a_range_are_its_keys_and_event_times_each_once() -> None:
    assert days(lookup(), last=2) == [("a", 1, 1), ("a", 2, 2), ("c", 1, 2)]
    assert days(lookup(), first=3, last=3) == [("a", 1, 3)]
    assert days(lookup(), lookup(), last=2) == days(lookup(), last=2)


@on_servers
def test_the_rows_of_several_tables_are_put_together_by_the_names_of_their_keys() -> None:
    other = lookup(
        source="(SELECT 9 AS x, 'z' AS a, '2026-01-02'::timestamptz AS at)", keys={"x": "q", "a": "p"}, created=""
    )
    assert days(lookup(), other, last=1) == [("a", 1, 1)]
    assert ("z", 9, 2) in days(lookup(), other, lookup(keys={}))


@on_servers
def test_tables_about_no_entity_give_rows_only_among_themselves() -> None:
    world = lookup(keys={})
    for lookups in ([world], [world, world]):
        assert sorted(at.day for (at,) in fetch(rows_between(lookups, *JANUARY))) == [1, 2, 3]
    assert days(world, lookup(), last=1) == [("a", 1, 1)]


def test_tables_with_different_keys_have_no_rows_in_common() -> None:
    with pytest.raises(ValueError, match=r"these have: p; p, q$"):
        rows_between([lookup(), lookup(keys={"place": "p"})], *JANUARY)
