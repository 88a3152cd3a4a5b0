"""The inbox of a table: the files in a bucket that wait to be loaded or scored, and how they are taken.

Several files are taken at once, each is settled as soon as it can be, and none waits for another.
"""

import logging
import math
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import chain

from ml_platform import logs
from ml_platform.exceptions import ConfigurationError, PlatformError, UploadChangedError
from ml_platform.ingestion import attempts, ledger, report_files
from ml_platform.ingestion.upload_report import UploadReport
from ml_platform.specs.parts import Purpose
from ml_platform.specs.spec import Table
from ml_platform.storage import object_store
from ml_platform.storage.database import transaction
from ml_platform.storage.object_store import ObjectVersion

log = logging.getLogger(__name__)

FILES_AT_ONCE = 4
BIG_FILE = 10_000_000  # bytes
BIG_FILES_AT_ONCE = 2  # so that there is always a place for a small one
BUDGET = 60.0  # seconds in which new files are taken; then the next tasks of the run are due
POLL = 0.5  # seconds between two looks into the inbox


@dataclass(frozen=True)
class Waiting:
    """The files of an inbox.

    Attributes:
        due: those that can be taken now, the oldest first.
        pauses: the others, with the seconds until their next attempt; infinite if they wait for another spec.
    """

    due: tuple[ObjectVersion, ...]
    pauses: dict[ObjectVersion, float]

    @property
    def next_attempt(self) -> float:
        """Seconds until the next file is due; 0 if one is, infinite if there is none."""
        return 0.0 if self.due else min(self.pauses.values(), default=math.inf)


def look(table: Table, purpose: Purpose) -> Waiting:
    """Return the files that wait in an inbox.

    Raises:
        ServiceError: the object store or Postgres failed.
    """
    listed = chain.from_iterable(object_store.list_objects(*inbox) for inbox in table.inboxes(purpose))
    own = [version for version in listed if not version.key.endswith("/")]  # that is a folder
    oldest_first = sorted(own, key=lambda version: (version.last_modified, version.key))
    paused = {bucket: attempts.pauses(bucket, table.sha256) for bucket in {version.bucket for version in own}}
    pauses = {
        version: paused[version.bucket][identity]
        for version in oldest_first
        if (identity := (version.key, version.etag, version.last_modified)) in paused[version.bucket]
    }
    return Waiting(tuple(version for version in oldest_first if version not in pauses), pauses)


def names(files: Collection[ObjectVersion]) -> str:
    """Return the keys of files as a text, the first ten of many."""
    first = ", ".join(version.key for version in list(files)[:10])
    return first if len(files) <= 10 else f"{first} and {len(files) - 10} more"


@dataclass
class _Shift:
    """The files in work and those that failed, while an inbox is worked off."""

    take: Callable[[ObjectVersion], None]
    began: float = field(default_factory=time.monotonic)
    running: dict[Future[None], tuple[ObjectVersion, bool]] = field(default_factory=dict)
    failed: dict[str, BaseException] = field(default_factory=dict)

    @property
    def left(self) -> float:
        """Seconds in which new files are taken.

        While a file from these seconds is in work, they have no end: a large file holds up nobody.
        """
        if any(in_time for _, in_time in self.running.values()):
            return math.inf
        return self.began + BUDGET - time.monotonic()

    def start(self, due: tuple[ObjectVersion, ...], pool: ThreadPoolExecutor) -> None:
        for version in self._startable(due):
            in_time = time.monotonic() < self.began + BUDGET
            own = copy_context()  # so that the ids of a file are in no entry about another one
            self.running[pool.submit(own.run, self.take, version)] = version, in_time

    def _startable(self, due: tuple[ObjectVersion, ...]) -> Iterator[ObjectVersion]:
        running = [version for version, _ in self.running.values()]
        for version in due:
            if len(running) == FILES_AT_ONCE:
                return
            big = sum(other.size >= BIG_FILE for other in running)
            if version not in running and (version.size < BIG_FILE or big < BIG_FILES_AT_ONCE):
                running.append(version)
                yield version

    def finish(self) -> None:
        """Wait until a file is done or it is time for the next look, and note which files failed."""
        done, _ = wait(self.running, POLL, FIRST_COMPLETED)
        if not self.running:
            time.sleep(POLL)
        for future in done:
            version, _ = self.running.pop(future)
            self.failed.pop(version.key, None)
            if error := future.exception():
                self.failed[version.key] = error
                attempts.record_problem(version, str(error) or type(error).__name__)
                with logs.bound(file=version.key):
                    log.warning("%r stays in the inbox: %s", version.key, error, exc_info=_unexpected(error))


def _unexpected(error: BaseException) -> BaseException | None:
    return None if isinstance(error, PlatformError) else error


def work_off(table: Table, purpose: Purpose, take: Callable[[str], object]) -> list[str]:
    """Take the files of an inbox, several at once, until it is empty or it is time for the next tasks.

    A file that fails stays in the inbox and holds up no other. It is tried again after a pause, by this call or by
    a later one; after a ConfigurationError, when the spec has changed.

    Args:
        table: the spec.
        purpose: also the name of the bucket.
        take: loads or scores the file with this key, and settles it.

    Returns:
        Why files stay in the inbox, a line for each.

    Raises:
        ServiceError: the inbox cannot be listed; run it again.
    """
    shift = _Shift(partial(_take, table, take))
    with ThreadPoolExecutor(FILES_AT_ONCE) as pool:
        while True:
            waiting = look(table, purpose)
            if shift.left > 0:
                shift.start(waiting.due, pool)
            if not shift.running and waiting.next_attempt >= shift.left:
                break
            shift.finish()
    return [f"{key!r} stays in the inbox: {error}" for key, error in shift.failed.items()]


def _take(table: Table, take: Callable[[str], object], version: ObjectVersion) -> None:
    logs.bind(dataset=table.name, file=version.key)
    attempts.begin(version, table.sha256)
    try:
        take(version.key)
    except ConfigurationError:
        attempts.wait_for_another_spec(version)
        raise
    except UploadChangedError as change:
        attempts.record_problem(version, str(change))
        log.warning("%s; it is read later", change)
        return
    attempts.end(version)


def rejections(table: Table, purpose: Purpose, since: datetime) -> list[str]:
    """Return the key and the first reasons of each file that was rejected since then."""
    with transaction() as cursor:
        reports: list[UploadReport] = ledger.rejected_reports(cursor, table.name, purpose, since)
    return [_rejection(report) for report in reports]


def _rejection(report: UploadReport) -> str:
    reasons = "; ".join(report_files.reason_texts(report)[:3]).removeprefix(f"{report['key']!r}: ")
    return f"{report['key']!r} is rejected: {reasons}; read {report['report_key']}"
