"""The landing of a range: its rows are read into one file, which is put into the inbox once."""

import logging
import tempfile
import time

from ml_platform.sources import ranges
from ml_platform.sources.ranges import Feed, PlannedRange
from ml_platform.sources.reader import Reader
from ml_platform.storage import object_store
from ml_platform.storage.database import transaction

log = logging.getLogger(__name__)


def land(feed: Feed, reader: Reader, planned: PlannedRange) -> None:
    """Read a planned range and put its file into the inbox; idempotent.

    The lock on the range is held while the file is put: of several processes that read the same range, one lands it. A
    file that was put by a process that was killed before it recorded it is found in the inbox, or among the files that
    were processed.

    Args:
        feed: the source and what it is for.
        reader: of the source.
        planned: the range.

    Raises:
        SourceAwayError, ConfigurationError: the range cannot be read.
        ServiceError: the object store or Postgres failed; run it again.
    """
    time.sleep(max(0.0, reader.settle - planned.age))
    with tempfile.TemporaryFile(prefix="range-") as file:
        reading = reader.read(planned.range, file)
        size = file.tell()
        file.seek(0)
        with transaction() as cursor:
            if not ranges.claim(cursor, planned):
                return
            if reading.rows != 0 and not ranges.arrived(cursor, feed.purpose, planned.object_key):
                object_store.put_new(feed.purpose, planned.object_key, file)
            ranges.record_landing(cursor, planned, reading, size)
    what = "no rows" if reading.rows == 0 else planned.object_key
    log.info("%s, %s to %s: %s", feed.source.origin, planned.range.start or "beginning", planned.range.end, what)
    for note in reading.notes:
        log.warning("%s: %s", planned.object_key, note)
