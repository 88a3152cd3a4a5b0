"""What is known of the sources that the specs name: position, lag, problem."""

from ml_platform.sources import ranges
from ml_platform.sources.ranges import Feed, Status
from ml_platform.specs.catalog import DATASETS_DIR, Catalog, catalog
from ml_platform.specs.parts import PURPOSES
from ml_platform.storage.database import transaction


def feeds(known: Catalog | None = None) -> list[Feed]:
    """Return the sources that the specs name, by name of the data set; the specs are read unless they are given."""
    known = known or catalog(DATASETS_DIR)
    tables = sorted((*known.tables, *known.datasets), key=lambda table: table.name)
    return [
        Feed(table, purpose, source) for table in tables for purpose in PURPOSES if (source := table.source_of(purpose))
    ]


def status_of(feed: Feed) -> Status | None:
    """Return what the last look at a source saw; None if it was never looked at.

    Raises:
        ServiceError: Postgres is not available.
    """
    return next((one for one in statuses() if one.identity == feed.identity), None)


def statuses() -> list[Status]:
    """Return what is known of all sources that were looked at, also of those that no spec names any more.

    Raises:
        ServiceError: Postgres is not available.
    """
    with transaction() as cursor:
        return ranges.statuses(cursor)
