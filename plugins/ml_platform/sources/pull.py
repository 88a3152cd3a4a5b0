"""The pull of a source: plan what is new, then land it range by range. Each step is idempotent."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from ml_platform import logs
from ml_platform.exceptions import ConfigurationError, SourceAwayError
from ml_platform.sources import ranges
from ml_platform.sources.connection import SourceConnection
from ml_platform.sources.landing import land
from ml_platform.sources.opening import open_source
from ml_platform.sources.ranges import Feed
from ml_platform.sources.reader import BEGINNING, Range, Reader, Reading
from ml_platform.storage.database import transaction
from ml_platform.storage.locks import lock

log = logging.getLogger(__name__)

PLANNED_AT_ONCE = 100  # ranges of one transaction


@dataclass(frozen=True)
class Pulled:
    """What a pull did.

    Attributes:
        landed: number of ranges.
        away: why the source cannot be reached; empty if it can.
    """

    landed: int
    away: str = ""


def pull(feed: Feed, connection: SourceConnection, *, by: str) -> Pulled:
    """Land all that a source has now; what comes meanwhile is for the next pull.

    Args:
        feed: the source and what it is for.
        connection: its address and login.
        by: who asked for it; it is recorded with the ranges.

    Raises:
        ConfigurationError: the spec or the connection cannot be used; the text names both.
        SourceAwayError: the source went away while it was read; run it again.
        ServiceError: the object store or Postgres failed; run it again.
    """
    logs.bind(dataset=feed.table.name, source=feed.source.origin)
    with _recorded_problems(feed), ExitStack() as until_read:
        try:
            reader = until_read.enter_context(open_source(feed.source, connection))
            newest = reader.positions()
        except SourceAwayError as error:
            _record_problem(feed, str(error))
            return Pulled(0, str(error))
        landed = _catch_up(feed, reader, newest, by)
        _record_look(feed, reader)
    return Pulled(landed)


def read_again(
    feed: Feed, connection: SourceConnection, named: tuple[str, str, str], *, by: str, reason: str
) -> list[str]:
    """Read a range again, into new files, and return their object keys.

    The ledger does not load the same bytes twice. So this brings back rows that were withdrawn, and rows that a source
    has changed.

    Args:
        feed: the source and what it is for.
        connection: its address and login.
        named: partition, start and end, as a person gives them; see `Reader.range_of`.
        by: who asked for it; it is recorded.
        reason: why.

    Raises:
        ConfigurationError: the source has no such range, or it cannot be used; or the rows have no key, and this range
            was not read before.
        SourceAwayError: the source cannot be reached.
        ServiceError: the object store or Postgres failed.
    """
    with open_source(feed.source, connection) as reader:
        whole = reader.range_of(*named)
        parts = list(_next_ranges(reader, {whole.partition: whole.start}, {whole.partition: whole.end}))
        _check_again(feed, parts)
        keys = [_plan_again(feed, reader, part, by, reason) for part in parts]
        _land_waiting(feed, reader)
    return keys


def _check_again(feed: Feed, parts: list[Range]) -> None:
    """Refuse other bounds than before if rows have no key: nothing would tell that they were there already."""
    if feed.table.has_key:
        return
    with transaction() as cursor:
        landed = ranges.landed(cursor, feed)
    for part in parts:
        if part not in landed:
            allowed = ", ".join(f"{one.start} to {one.end}" for one in landed if one.partition == part.partition)
            raise ConfigurationError(
                f"{feed.table.name} has no key by which rows are known, so only ranges that were read before can be "
                f"read again, not {part.start or 'the beginning'} to {part.end}; there are: {allowed or 'none'}"
            )


def _plan_again(feed: Feed, reader: Reader, part: Range, by: str, reason: str) -> str:
    with transaction() as cursor:
        lock(cursor, feed.lock)
        reading = ranges.next_reading(cursor, feed, part)
        key = feed.object_key(reader.file_name(part), reading)
        ranges.plan(cursor, feed, [(part, key)], by=by, reason=reason, reading=reading)
    return key


def _catch_up(feed: Feed, reader: Reader, newest: dict[str, str], by: str) -> int:
    landed = _land_waiting(feed, reader)  # of a pull that was killed
    while _plan(feed, reader, newest, by):
        landed += _land_waiting(feed, reader)
    return landed


def _land_waiting(feed: Feed, reader: Reader) -> int:
    with transaction() as cursor:
        waiting = ranges.waiting(cursor, feed)
    for planned in waiting:
        land(feed, reader, planned)
    return len(waiting)


def _plan(feed: Feed, reader: Reader, newest: dict[str, str], by: str) -> bool:
    """Commit to the next ranges; return whether there are any."""
    with transaction() as cursor:
        lock(cursor, feed.lock)
        if feed.source.start == "now" and ranges.is_new(cursor, feed):
            _skip(cursor, feed, newest, by)
        done = ranges.positions(cursor, feed)
        parts = list(_next_ranges(reader, done, newest, PLANNED_AT_ONCE))
        ranges.plan(cursor, feed, [(part, feed.object_key(reader.file_name(part))) for part in parts], by=by)
    return bool(parts)


def _next_ranges(
    reader: Reader, done: dict[str, str], newest: dict[str, str], most: int | None = None
) -> Iterator[Range]:
    number = 0
    for partition, end in sorted(newest.items()):
        position = done.get(partition, BEGINNING)
        while position != end and number != most and (part := reader.next_range(partition, position, end)):
            yield part
            number, position = number + 1, part.end


def _skip(cursor: Any, feed: Feed, newest: dict[str, str], by: str) -> None:
    """Record that what a source has was skipped, as its spec says."""
    skipped = [Range(partition, BEGINNING, end) for partition, end in newest.items()] or [Range("", BEGINNING, "")]
    keys = (f"skipped {feed.source.short_name} {part.partition}" for part in skipped)  # no key of an inbox
    ranges.plan(cursor, feed, zip(skipped, keys, strict=True), by=by, reason="start: now")
    for planned in ranges.waiting(cursor, feed):
        ranges.record_landing(cursor, planned, Reading(0), 0)


def _record_look(feed: Feed, reader: Reader) -> None:
    newest = reader.positions()
    with transaction() as cursor:
        done = ranges.positions(cursor, feed)
        ranges.record_look(cursor, feed, reader.describe(done), reader.describe(newest), reader.lag(done, newest))


@contextmanager
def _recorded_problems(feed: Feed) -> Iterator[None]:
    """Record an error that ends a pull because of the source, and raise it again."""
    try:
        yield
    except (ConfigurationError, SourceAwayError) as error:
        _record_problem(feed, str(error))
        raise


def _record_problem(feed: Feed, problem: str) -> None:
    with transaction() as cursor:
        ranges.record_problem(cursor, feed, problem)
