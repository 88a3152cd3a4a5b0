"""What happens to a dropped file: it is read, loaded whole or not at all, and settled. Run twice, same world."""

import logging
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ml_platform.exceptions import ContractError, UploadChangedError
from ml_platform.files.formats import Format
from ml_platform.ingestion import ledger, report_files, staging
from ml_platform.ingestion.upload_report import Outcome, Reason, Result, new_outcome
from ml_platform.parsing.batches import Batch, open_table, typed_batches
from ml_platform.specs.parts import Purpose
from ml_platform.specs.spec import Table
from ml_platform.storage import object_store
from ml_platform.storage.database import savepoint, transaction
from ml_platform.storage.object_store import Seen, Spooled
from ml_platform.storage.tables import ensure_tables

log = logging.getLogger(__name__)

READS = 3  # a file that is replaced while it is read is read again this often before the task gives up
MAX_WAITING = 500  # the most that one run takes; the next run takes the rest
NEVER = datetime.fromtimestamp(0, UTC)


@dataclass
class Upload:
    """A file in the inbox, open for reading.

    Attributes:
        dataset: the table that it belongs to.
        purpose: also the bucket.
        object: the version of the object that is read.
        copy: its bytes; None if there is an earlier report.
        earlier: what became of it, if it was processed before or was removed before it could be read.
        format: what it was recognised as, once `batches` was called.
    """

    dataset: Table
    purpose: Purpose
    object: Seen
    copy: Spooled | None
    earlier: Outcome | None = None
    format: Format | None = field(default=None, init=False)

    @property
    def local(self) -> Spooled:
        """The local copy."""
        if self.copy is None:
            raise ValueError(f"{self.object.key!r} was processed before; there is nothing to read")
        return self.copy

    def batches(self) -> Iterator[Batch]:
        """Read the file from its beginning, in file order; see `parsing.open_table` and `parsing.typed_batches`."""
        rows = open_table(self.local.file, self.dataset, self.purpose, repr(self.object.key))
        self.format = rows.format
        return typed_batches(rows, self.dataset, self.purpose)

    def report(self, result: Result, **fields: Any) -> Outcome:
        """Return the report on this arrival; `fields` are those of `UploadReport` that are not zero or empty."""
        if self.format:
            fields["format"] = str(self.format)
            fields["delimiter"] = self.format.delimiter or self.dataset.delimiter
        return new_outcome(self.dataset, self.purpose, self.object, self.local.sha256, result, **fields)

    def rejection(self, error: ContractError) -> Outcome:
        """Return the report on this arrival if the file as a whole breaks the contract."""
        whole = _whole_file(str(error))
        if isinstance(error, staging.FileRejectedError):
            rows = {"rows_read": error.counts.read, "rows_rejected": error.counts.rejected}
            return self.report("rejected", reasons=[whole, *error.reasons], **rows)
        return self.report("rejected", reasons=[whole])


def _whole_file(reason: str) -> Reason:
    return Reason(line=None, column="", value="", reason=reason)


def waiting(dataset: Table, purpose: Purpose) -> list[str]:
    """Return the keys of a data set's uploads that are not settled yet, the oldest first, at most `MAX_WAITING`."""
    found = object_store.listed(purpose, dataset.inbox_prefix(purpose))
    mine = [seen for seen in found if dataset.owns(seen.key, purpose)]
    return [seen.key for seen in sorted(mine, key=lambda seen: (seen.last_modified, seen.key))[:MAX_WAITING]]


@contextmanager
def open_upload(dataset: Table, purpose: Purpose, key: str) -> Iterator[Upload]:
    """Open one file of the inbox; what was processed before comes with its earlier report, and is not read again.

    Args:
        dataset: what its columns mean.
        purpose: also the bucket.
        key: the object's key.

    Raises:
        UploadChangedError: it was replaced again and again while it was read.
        ServiceError: the object store or Postgres failed.
    """
    with ExitStack() as stack:
        for attempt in range(1, READS + 1):
            try:
                upload = stack.enter_context(_open_once(dataset, purpose, key))
                break
            except UploadChangedError as change:
                if attempt == READS:
                    raise
                log.warning("%s; reading it again", change)
        yield upload


@contextmanager
def _open_once(dataset: Table, purpose: Purpose, key: str) -> Iterator[Upload]:
    current = object_store.head(purpose, key)
    if current is None:
        log.warning("%r is not in the bucket %r any more", key, purpose)
        removed = Seen(purpose, key, "", NEVER, 0)
        yield Upload(dataset, purpose, removed, None, _latest_report(dataset, purpose, removed))
    elif earlier := _recorded_report(current):
        log.info("%r was processed before: %s", key, earlier["outcome"])
        yield Upload(dataset, purpose, current, None, earlier)
    else:
        with object_store.spooled(current) as copy:
            yield Upload(dataset, purpose, current, copy)


def _recorded_report(seen: Seen) -> Outcome | None:
    with transaction() as cursor:
        return ledger.recorded(cursor, seen)


def _latest_report(dataset: Table, purpose: Purpose, removed: Seen) -> Outcome:
    with transaction() as cursor:
        latest = ledger.latest(cursor, dataset.name, purpose, removed.key)
        return latest or new_outcome(dataset, purpose, removed, "", "gone")


def load(dataset: Table, purpose: Purpose, key: str) -> Outcome:
    """Load one file: all its good rows in one transaction, or nothing.

    Returns:
        What became of it: loaded, duplicate, rejected, or gone if it was removed before it was read. The same arrival
        loaded again gives the recorded report.

    Raises:
        UploadChangedError: it was replaced again and again while it was read.
        ConfigurationError: the tables do not fit the data set's YAML any more.
        ServiceError: a server failed; nothing was loaded.
    """
    with open_upload(dataset, purpose, key) as upload:
        return upload.earlier or _load(upload)


def _load(upload: Upload) -> Outcome:
    """Claim the bytes, insert the rows and record the arrival, in one transaction."""
    ensure_tables(upload.dataset)
    with transaction() as cursor:
        try:
            with savepoint(cursor):
                outcome = _claim_and_insert(cursor, upload)
        except ContractError as error:
            outcome = upload.rejection(error)
        outcome = ledger.arrive(cursor, outcome)
    log.info("%s: %s", outcome["outcome"], report_files.summary(outcome))
    return outcome


def _claim_and_insert(cursor: Any, upload: Upload) -> Outcome:
    claimed = upload.report("loaded")
    if not ledger.claim(cursor, claimed):
        return upload.report("duplicate", reasons=[_whole_file(ledger.first_claim(cursor, claimed))])
    counts, reasons = staging.load(cursor, upload.dataset, upload.purpose, upload.local.sha256, upload.batches())
    outcome = upload.report(
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
        outcome: what `load` or `score` returned.

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
