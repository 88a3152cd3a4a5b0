"""The sources of all data sets for people: up to where each was read, what waits, and which ranges were read last."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ml_platform.records import runs
from ml_platform.sources.ranges import Feed, Status
from ml_platform.sources.status import statuses
from ml_platform.storage.database import fetch


@dataclass(frozen=True)
class PulledRange:
    """A range of a source.

    Attributes:
        partition: of the source; "" if it has one only.
        start: the position before the first row; "" for the beginning.
        end: the position of the last row.
        object_key: of the file in the inbox.
        planned_at: when it was committed to.
        landed_at: when its file was written; None if it waits.
        rows: in the file.
        skipped: entries that are no rows, and were left out.
        by: who or what started the pull.
        reason: why a range was read again; "" for others.
        reading: from 1; higher if it was read again.
    """

    partition: str
    start: str
    end: str
    object_key: str
    planned_at: datetime
    landed_at: datetime | None
    rows: int | None
    skipped: int | None
    by: str
    reason: str
    reading: int


def with_status(feeds: Iterable[Feed]) -> list[tuple[Feed, Status | None]]:
    """Return what the last look at each source saw; None for one that was never looked at.

    Raises:
        ServiceError: Postgres is not available.
    """
    found = {status.identity: status for status in statuses()}
    return [(feed, found.get(feed.identity)) for feed in feeds]


def last_ranges(feed: Feed, limit: int = 20) -> list[PulledRange]:
    """Return the ranges of a source that were planned last, the newest first.

    Raises:
        ServiceError: Postgres is not available.
    """
    found = fetch(
        "SELECT partition, range_start, range_end, object_key, planned_at, landed_at, rows_landed, rows_skipped,"
        " planned_by, coalesce(reason, ''), reading FROM sources.ranges"
        " WHERE dataset = $1 AND purpose = $2 AND origin = $3 ORDER BY range_id DESC LIMIT $4",
        *(*feed.identity, limit),
    )
    return [PulledRange(*row) for row in found]


def dag_of(feed: Feed) -> str:
    """Return the name of the DAG that pulls a source."""
    return f"pull_{feed.table.name}" if feed.purpose == "train" else f"pull_{feed.purpose}_{feed.table.name}"


def pull_now(feed: Feed, *, by: str) -> str:
    """Start a pull for a person, and return the id of its run. A pull that is off is switched on.

    Raises:
        ServiceError: Airflow is not reachable.
        ConfigurationError: Airflow refused it; the text says why.
    """
    return runs.trigger(dag_of(feed), {}, by=by)
