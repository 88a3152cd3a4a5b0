# ruff: noqa: S608 – only constants are combined
"""The SQL of the ranges: which were planned and landed, and what the last look at each source saw."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ml_platform.sources.reader import Range, Reading
from ml_platform.specs.parts import Purpose
from ml_platform.specs.sources import SourceBase
from ml_platform.specs.spec import Table
from ml_platform.storage.database import rows

_OWN = "dataset = $1 AND purpose = $2 AND origin = $3"


@dataclass(frozen=True)
class Feed:
    """A source of a data set, for one purpose."""

    table: Table
    purpose: Purpose
    source: SourceBase

    @property
    def identity(self) -> tuple[str, str, str]:
        """Name of the data set, purpose and origin: what its positions belong to."""
        return self.table.name, self.purpose, self.source.origin

    @property
    def lock(self) -> str:
        """The name of the lock of a transaction that plans ranges."""
        return " ".join(("source", *self.identity))

    def object_key(self, file_name: str, reading: int = 1) -> str:
        """Return the object key of a file in the inbox; `reading` is from 2 if a range is read again."""
        again = f"again{reading}." if reading > 1 else ""
        return f"{self.table.inbox_prefix(self.purpose)}.{self.source.short_name}.{again}{file_name}"


@dataclass(frozen=True)
class PlannedRange:
    """A range that was committed; `age` in seconds, by Postgres, since then."""

    range_id: int
    range: Range
    object_key: str
    age: float


def is_new(cursor: Any, feed: Feed) -> bool:
    """Return whether no range of this origin was ever planned."""
    return not rows(cursor, f"SELECT FROM sources.ranges WHERE {_OWN} LIMIT 1", *feed.identity)


def positions(cursor: Any, feed: Feed) -> dict[str, str]:
    """Return the position up to which each partition is planned."""
    statement = (
        f"SELECT DISTINCT ON (partition) partition, range_end FROM sources.ranges WHERE {_OWN} AND reading = 1"
        " ORDER BY partition, range_id DESC"
    )
    return dict(rows(cursor, statement, *feed.identity))


def plan(
    cursor: Any, feed: Feed, planned: Iterable[tuple[Range, str]], *, by: str, reason: str = "", reading: int = 1
) -> None:
    """Commit to ranges, each with the object key of its file, before they are read."""
    for part, key in planned:
        cursor.execute(
            "INSERT INTO sources.ranges (dataset, purpose, origin, partition, range_start, range_end, object_key,"
            " planned_by, reason, reading) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::bigint::integer)",
            (*feed.identity, *part, key, by, reason, reading),
        )


def next_reading(cursor: Any, feed: Feed, part: Range) -> int:
    """Return the number of the next reading of a range, from 1."""
    statement = (
        f"SELECT coalesce(max(reading), 1) + 1 FROM sources.ranges WHERE {_OWN}"
        " AND (partition, range_start, range_end) = ($4, $5, $6)"
    )
    return int(rows(cursor, statement, *feed.identity, *part)[0][0])


def waiting(cursor: Any, feed: Feed) -> list[PlannedRange]:
    """Return the ranges that have not landed, in the order of their plan."""
    found = rows(
        cursor,
        "SELECT range_id, partition, range_start, range_end, object_key,"
        " extract(epoch FROM clock_timestamp() - planned_at)::float8"
        f" FROM sources.ranges WHERE {_OWN} AND landed_at IS NULL ORDER BY range_id",
        *feed.identity,
    )
    return [PlannedRange(number, Range(*part), key, age) for number, *part, key, age in found]


def landed(cursor: Any, feed: Feed) -> list[Range]:
    """Return the ranges that have landed, in the order of their plan."""
    statement = f"SELECT partition, range_start, range_end FROM sources.ranges WHERE {_OWN} AND reading = 1"
    found = rows(cursor, f"{statement} AND landed_at IS NOT NULL ORDER BY range_id", *feed.identity)
    return [Range(*part) for part in found]


def claim(cursor: Any, planned: PlannedRange) -> bool:
    """Lock a range until the transaction ends; return whether it still waits to land."""
    found = rows(
        cursor, "SELECT landed_at IS NULL FROM sources.ranges WHERE range_id = $1 FOR UPDATE", planned.range_id
    )
    return bool(found and found[0][0])


def arrived(cursor: Any, bucket: str, key: str) -> bool:
    """Return whether a file with this key was ever processed."""
    return bool(rows(cursor, "SELECT FROM uploads.arrivals WHERE bucket = $1 AND object_key = $2 LIMIT 1", bucket, key))


def record_landing(cursor: Any, planned: PlannedRange, reading: Reading, size: int) -> None:
    """Record that a range has landed, with its numbers."""
    cursor.execute(
        "UPDATE sources.ranges SET landed_at = clock_timestamp(), rows_landed = $2, rows_skipped = $3, bytes = $4,"
        " notes = ARRAY(SELECT json_array_elements_text($5::text::json)) WHERE range_id = $1",
        (planned.range_id, reading.rows, reading.skipped, size, json.dumps(reading.notes)),
    )


def record_look(cursor: Any, feed: Feed, position: str, newest: str, lag: int | None) -> None:
    """Record what a look at a source saw. A problem that there was is over."""
    cursor.execute(
        "INSERT INTO sources.status AS s (dataset, purpose, origin, position, newest, lag, seen_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp()) ON CONFLICT (dataset, purpose) DO UPDATE"
        " SET origin = excluded.origin, position = excluded.position, newest = excluded.newest, lag = excluded.lag,"
        " seen_at = excluded.seen_at, problem = NULL, problem_since = NULL",
        (*feed.identity, position, newest, lag),
    )


def record_problem(cursor: Any, feed: Feed, problem: str) -> None:
    """Record why a source cannot be read; the time of an older problem with the same text stays."""
    other = "DELETE FROM sources.status WHERE (dataset, purpose) = ($1, $2) AND origin <> $3"
    cursor.execute(other, feed.identity)  # what the spec named before has no place in this row
    cursor.execute(
        "INSERT INTO sources.status AS s (dataset, purpose, origin, problem, problem_since)"
        " VALUES ($1, $2, $3, $4, clock_timestamp()) ON CONFLICT (dataset, purpose) DO UPDATE"
        " SET problem = excluded.problem, problem_since = CASE WHEN s.problem = excluded.problem"
        " THEN s.problem_since ELSE excluded.problem_since END",
        (*feed.identity, problem),
    )


@dataclass(frozen=True)
class Status:
    """What is known of a source.

    Attributes:
        dataset: name of the data set.
        purpose: what its rows are for.
        origin: what identifies the source.
        position: up to which it was read when it was last looked at, as a text for people.
        newest: what it had then.
        lag: rows, or files, that waited to be read; None if they were not counted.
        seen_at: when it was last looked at; None if it never answered.
        problem: why it cannot be read now; None if it can.
        rows: that landed in files.
        files: that landed.
        waiting: ranges that are planned and have not landed.
    """

    dataset: str
    purpose: Purpose
    origin: str
    position: str
    newest: str
    lag: int | None
    seen_at: datetime | None
    problem: str | None
    rows: int
    files: int
    waiting: int

    @property
    def identity(self) -> tuple[str, str, str]:
        """As that of a `Feed`."""
        return self.dataset, self.purpose, self.origin


def statuses(cursor: Any) -> list[Status]:
    """Return what is known of all sources that were looked at, sorted by data set and purpose."""
    found = rows(
        cursor,
        "SELECT s.dataset, s.purpose, s.origin, position, newest, lag, seen_at, problem,"
        " coalesce(sum(rows_landed), 0)::bigint, count(landed_at), count(range_id) - count(landed_at)"
        " FROM sources.status s LEFT JOIN sources.ranges r"
        " ON (r.dataset, r.purpose, r.origin) = (s.dataset, s.purpose, s.origin)"
        " GROUP BY s.dataset, s.purpose ORDER BY s.dataset, s.purpose",
    )
    return [Status(*row) for row in found]
