"""What happens to a dropped file: it is read, loaded whole or not at all, and settled. Run twice, same world."""

import logging
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ml_platform.exceptions import ContractError, UploadChangedError
from ml_platform.files.formats import Format
from ml_platform.ingestion import ledger, report_files, staging
from ml_platform.ingestion.upload_report import Outcome, Reason, Result, new_outcome
from ml_platform.parsing.batches import BadValue, Batch, open_table, typed_batches
from ml_platform.specs.parts import Purpose
from ml_platform.specs.spec import Table
from ml_platform.storage import object_store
from ml_platform.storage.database import savepoint, transaction
from ml_platform.storage.object_store import Seen, Spooled
from ml_platform.storage.tables import ensure_tables

log = logging.getLogger(__name__)

READS = 3  # a file that is replaced while it is read is read anew this often before the task gives up
WAITING = 500  # the most that one run takes; the next run takes the rest
NEVER = datetime.fromtimestamp(0, UTC)


@dataclass
class Upload:
    """A file that is open for reading.

    Attributes:
        dataset: whose it is.
        purpose: also the bucket.
        seen: where it was seen.
        spool: its bytes.
        format: what it was recognised as, once `batches` was called.
    """

    dataset: Table
    purpose: Purpose
    seen: Seen
    spool: Spooled
    format: Format | None = field(default=None, init=False)

    def batches(self) -> Iterator[Batch]:
        """Read the file from its beginning, in file order; see `parsing.open_table` and `parsing.typed_batches`."""
        rows = open_table(self.spool.file, self.dataset, self.purpose, repr(self.seen.key))
        self.format = rows.format
        return typed_batches(rows, self.dataset, self.purpose)

    def outcome(self, result: Result, **fields: Any) -> Outcome:
        """Return the outcome of this arrival; `fields` are those of `Outcome` that are not zero or empty."""
        if self.format:
            fields["format"] = str(self.format)
            fields["delimiter"] = self.format.delimiter or self.dataset.delimiter
        return new_outcome(self.dataset, self.purpose, self.seen, self.spool.sha256, result, **fields)

    def rejected(self, error: ContractError) -> Outcome:
        """Return the outcome of this arrival if the file as a whole breaks the contract."""
        whole = _whole_file(str(error))
        if isinstance(error, staging.FileRejectedError):
            rows = {"rows_read": error.counts.read, "rows_rejected": error.counts.rejected}
            return self.outcome("rejected", reasons=[whole, *error.reasons], **rows)
        return self.outcome("rejected", reasons=[whole])


def _whole_file(reason: str) -> Reason:
    return Reason(line=None, column="", value="", reason=reason)


def waiting(dataset: Table, purpose: Purpose) -> list[str]:
    """Return the keys of a data set's uploads that are not settled yet, the oldest first, at most `WAITING`."""
    found = object_store.listed(purpose, dataset.inbox_prefix(purpose))
    mine = [seen for seen in found if dataset.owns(seen.key, purpose)]
    return [seen.key for seen in sorted(mine, key=lambda seen: (seen.last_modified, seen.key))[:WAITING]]


def recorded(seen: Seen) -> Outcome | None:
    """Return what was recorded about this arrival, if it was taken before."""
    with transaction() as cursor:
        return ledger.recorded(cursor, seen)


def _latest(dataset: Table, purpose: Purpose, key: str) -> Outcome:
    """Return what became of an object that is not there any more."""
    with transaction() as cursor:
        gone = new_outcome(dataset, purpose, Seen(purpose, key, "", NEVER, 0), "", "gone")
        return ledger.latest(cursor, dataset.name, purpose, key) or gone


@contextmanager
def open_upload(dataset: Table, purpose: Purpose, seen: Seen) -> Iterator[Upload]:
    """Spool an upload so that it can be read, more than once if need be.

    Raises:
        UploadChangedError: the object is no longer the one that was seen.
        ServiceError: the object store failed.
    """
    with object_store.spooled(seen) as spool:
        yield Upload(dataset, purpose, seen, spool)


def record(
    outcome: Outcome, bad: Iterable[BadValue] = (), scored: Callable[[Any], None] = lambda cursor: None
) -> Outcome:
    """Record, in one transaction, an arrival that is not loaded into tables (scored, or a rejected test file).

    Args:
        outcome: what became of it, from `Upload.outcome` or `Upload.rejected`.
        bad: everything that was wrong with single rows.
        scored: what else is written, with the cursor, of a file that was scored.

    Returns:
        What is recorded: the outcome, or that of an earlier run over the same arrival.
    """
    with transaction() as cursor:
        if outcome["outcome"] == "scored":
            ledger.claim(cursor, outcome)
            ledger.fill(cursor, outcome)
            ledger.keep_rejected(cursor, outcome, bad)
            scored(cursor)
        return ledger.arrive(cursor, outcome)


def take(dataset: Table, purpose: Purpose, key: str, work: Callable[[Upload], Outcome]) -> Outcome:
    """Open one file and do the work with it; what was taken before is not taken again.

    Args:
        dataset: what its columns mean.
        purpose: also the bucket.
        key: the object's key.
        work: records the arrival and returns what became of it.

    Returns:
        What became of it, or gone if it was removed before it was read. The same arrival taken again gives the recorded
        outcome.

    Raises:
        UploadChangedError: it was replaced again and again while it was read.
    """
    for _ in range(READS - 1):
        try:
            return _attempt(dataset, purpose, key, work)
        except UploadChangedError as change:
            log.warning("%s; reading it anew", change)
    return _attempt(dataset, purpose, key, work)


def _attempt(dataset: Table, purpose: Purpose, key: str, work: Callable[[Upload], Outcome]) -> Outcome:
    seen = object_store.head(purpose, key)
    if seen is None:
        log.warning("%r is not in the bucket %r any more", key, purpose)
        return _latest(dataset, purpose, key)
    if earlier := recorded(seen):
        log.info("%r was taken before: %s", key, earlier["outcome"])
        return earlier
    with open_upload(dataset, purpose, seen) as upload:
        return work(upload)


def load(dataset: Table, purpose: Purpose, key: str) -> Outcome:
    """Load one file: all its good rows in one transaction, or nothing.

    Returns:
        What became of it: loaded, duplicate, rejected, or gone; see `take`, also for the arguments.

    Raises:
        UploadChangedError: it was replaced again and again while it was read.
        ConfigurationError: the tables do not fit the data set's YAML any more.
        ServiceError: a server failed; nothing was loaded.
    """
    return take(dataset, purpose, key, _load)


def _load(upload: Upload) -> Outcome:
    """Claim the bytes, insert the rows and record the arrival, in one transaction."""
    ensure_tables(upload.dataset)
    with transaction() as cursor:
        try:
            with savepoint(cursor):
                outcome = _claim_and_insert(cursor, upload)
        except ContractError as error:
            outcome = upload.rejected(error)
        outcome = ledger.arrive(cursor, outcome)
    log.info("%s: %s", outcome["outcome"], report_files.summary(outcome))
    return outcome


def _claim_and_insert(cursor: Any, upload: Upload) -> Outcome:
    claimed = upload.outcome("loaded")
    if not ledger.claim(cursor, claimed):
        return upload.outcome("duplicate", reasons=[_whole_file(ledger.first_claim(cursor, claimed))])
    counts, reasons = staging.load(cursor, upload.dataset, upload.purpose, upload.spool.sha256, upload.batches())
    outcome = upload.outcome(
        "loaded",
        rows_read=counts.read,
        rows_loaded=counts.loaded,
        rows_rejected=counts.rejected,
        rows_present=counts.present,
        reasons=reasons,
    )
    ledger.fill(cursor, outcome)
    return outcome


def settle(outcome: Outcome) -> Outcome:
    """Move the file of an arrival out of the inbox, with its report and its rejected rows beside it.

    Args:
        outcome: what `load` or `record` returned.

    Raises:
        ContractError: the file was rejected; it is settled nevertheless, and its report says the same.
        ServiceError: a server failed; run it again.
    """
    if outcome["outcome"] != "gone":
        _settle(outcome)
    if outcome["outcome"] == "rejected":
        raise ContractError("\n".join(report_files.reason_texts(outcome)[:10]))
    return outcome


def _settle(outcome: Outcome) -> None:
    seen = Seen(
        outcome["bucket"],
        outcome["key"],
        outcome["etag"],
        datetime.fromisoformat(outcome["last_modified"]),
        outcome["bytes"],
    )
    if outcome["rejected_key"]:
        _put_rejected_rows(outcome, seen, outcome["rejected_key"])
    object_store.put_new(seen.bucket, outcome["report_key"], report_files.report_json(outcome), "application/json")
    if outcome["outcome"] == "rejected":
        key = outcome["report_key"].removesuffix(".json") + ".txt"
        object_store.put_new(seen.bucket, key, report_files.report_text(outcome), "text/plain; charset=utf-8")
    if not object_store.move(seen, outcome["archived_key"]):
        log.warning("%r was replaced after it was read; the newer one stays in the inbox", seen.key)
        return
    with transaction() as cursor:
        ledger.mark_archived(cursor, outcome)


def _put_rejected_rows(outcome: Outcome, seen: Seen, key: str) -> None:
    source = seen if object_store.is_current(seen) else object_store.head(seen.bucket, outcome["archived_key"])
    if source is None or object_store.head(seen.bucket, key):
        return
    with object_store.spooled(source) as spool, transaction() as cursor, tempfile.TemporaryFile() as out:
        rejected = ledger.rejected_lines(cursor, outcome)
        report_files.write_rejected(spool.file, outcome["delimiter"], outcome["encoding"], rejected, out)
        out.seek(0)
        object_store.put_new(seen.bucket, key, out, "text/csv; charset=utf-8")


def ingest(dataset: Table, key: str) -> Outcome:
    """Load and settle one file of the bucket `train`; a rejected one is settled without an error.

    Raises:
        UploadChangedError, ConfigurationError, ServiceError: as `load`.
    """
    outcome = load(dataset, "train", key)
    if outcome["outcome"] != "gone":
        _settle(outcome)
    return outcome


def count_new_rows(settled: Iterable[Outcome | None]) -> int:
    """Return how many rows the settled files brought that were not there before."""
    return sum(one["rows_loaded"] for one in settled if one and one["outcome"] == "loaded")
