"""The life of an uploaded file: open it, load all its good rows or none, and settle it. Each step is idempotent."""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ml_platform import logs
from ml_platform.exceptions import ContractError, UploadChangedError
from ml_platform.files.formats import Format
from ml_platform.ingestion import answers, labels_alone, ledger, loading, report_files, staging, templates, upload_order
from ml_platform.ingestion.repeated_rows import repeats_warning
from ml_platform.ingestion.settling import settle, version_of
from ml_platform.ingestion.upload_report import Outcome, Reason, UploadReport, new_report
from ml_platform.parsing.allowed import allowed_texts
from ml_platform.parsing.batches import Batch, open_table, typed_batches
from ml_platform.parsing.column_warnings import ColumnWarnings
from ml_platform.specs.answer_files import AnswerFiles, spec_of_file
from ml_platform.specs.parts import Purpose
from ml_platform.specs.spec import LABEL_FOLDER, Dataset, Table
from ml_platform.storage import object_store
from ml_platform.storage.database import savepoint, transaction
from ml_platform.storage.object_store import LocalCopy, ObjectVersion
from ml_platform.storage.tables import ensure_tables

log = logging.getLogger(__name__)

READS = 3  # attempts to read a file that is replaced while it is read
NEVER = datetime.fromtimestamp(0, UTC)


@dataclass
class Upload:
    """A file in the inbox, open for reading.

    Attributes:
        dataset: the spec of the table that it belongs to.
        purpose: also the name of the bucket, but for answers.
        object: the version of the object that is read.
        copy: a local copy of its bytes; None if there is an earlier report.
        earlier_report: set if it was processed before, or was removed before it could be read.
        format: the recognised format; set by `batches`.
        column_warnings: about the batches that were read; set by `batches`.
    """

    dataset: Table
    purpose: Purpose
    object: ObjectVersion
    copy: LocalCopy | None
    earlier_report: UploadReport | None = None
    format: Format | None = field(default=None, init=False)
    column_warnings: ColumnWarnings | None = field(default=None, init=False)

    @property
    def table(self) -> Table:
        """The spec of this file: that of the data set, or of its label files."""
        return spec_of_file(self.dataset, self.object.key) if self.purpose == "train" else self.dataset

    @property
    def local(self) -> LocalCopy:
        """The local copy.

        Raises:
            ValueError: there is an earlier report.
        """
        if self.copy is None:
            raise ValueError(f"{self.object.key!r} was processed before; there is nothing to read")
        return self.copy

    def refuse_erased_rows(self) -> None:
        """Raise ContractError if these bytes hold rows of an entity that was erased since they were read."""
        if ledger.holds_erased_rows(self.dataset.name, self.purpose, self.local.sha256):
            raise ContractError(
                f"{self.object.key!r}: this file was read before, and an entity was erased from it since; drop a file "
                "without that entity, and erase it again to remove it from this copy of the file: "
                f"./ml-platform dataset forget {self.dataset.name} KEY --reason ..."
            )

    def _refuse_labels_without_key(self) -> None:
        if not self.dataset.has_key and self.object.key.startswith(LABEL_FOLDER):
            raise ContractError(
                f"{self.object.key!r}: {self.dataset.name} has no key by which a label could find its row; put labels "
                f"into the training files, {self.dataset.inbox_pattern('train')}"
            )

    def batches(self) -> Iterator[Batch]:
        """Read the file from its beginning; see `batches.open_table` and `batches.typed_batches`.

        Raises:
            ContractError: these bytes hold rows of an erased entity, or the file cannot be read.
        """
        self.refuse_erased_rows()
        self._refuse_labels_without_key()
        rows = open_table(self.local.file, self.table, self.purpose, repr(self.object.key))
        self.format = rows.format
        self.column_warnings = ColumnWarnings(rows, self.table)
        return self.column_warnings.watch(typed_batches(rows, self.table, self.purpose, self.local.sha256))

    @property
    def warnings(self) -> list[str]:
        """What is unusual in the columns of the batches that were read, a sentence each."""
        return self.column_warnings.texts() if self.column_warnings else []

    def report(self, outcome: Outcome, **fields: Any) -> UploadReport:
        """Return the report on this arrival; `fields` are those of `UploadReport` that are not zero or empty."""
        fields.setdefault("warnings", self.warnings)
        if self.format:
            fields["format"] = str(self.format)
            fields["delimiter"] = self.format.delimiter or self.table.delimiter
            fields["encoding"] = self.table.encoding
        return new_report(self.dataset, self.purpose, self.object, self.local.sha256, outcome, **fields)

    def rejection(self, error: ContractError) -> UploadReport:
        """Return the report on this arrival for a file that breaks the contract as a whole."""
        fields: dict[str, Any] = {"reasons": [_whole_file(str(error), error.line)]}
        if isinstance(error, loading.FileRejectedError):
            fields["reasons"] += error.reasons
            fields |= {"rows_read": error.counts.read, "rows_rejected": error.counts.rejected}
        has_template = not isinstance(self.table, AnswerFiles)  # the platform writes answer files itself
        template = f"{templates.BUCKET}/{templates.template_key(self.table)}" if has_template else None
        return self.report("rejected", allowed=allowed_texts(self.table, self.purpose), template=template, **fields)


def _whole_file(reason: str, line: int | None = None) -> Reason:
    return Reason(line=line, column="", value="", reason=reason)


@contextmanager
def open_upload(dataset: Table, purpose: Purpose, key: str) -> Iterator[Upload]:
    """Open one file of the inbox for reading; it is closed at the end of the `with` block.

    The bytes of a new arrival are copied to a local file. An arrival that was processed before is not read again: its
    upload has an `earlier_report`. A file that is not in the bucket any more also has one.

    Args:
        dataset: the spec of the file's columns.
        purpose: also the name of the bucket, but for answers.
        key: of the object.

    Raises:
        UploadChangedError: the file was replaced during each of `READS` attempts to read it.
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
    bucket = dataset.bucket_of(key, purpose)
    current = object_store.head(bucket, key)
    if current is None:
        log.warning("%r is not in the bucket %r any more", key, bucket)
        removed = ObjectVersion(bucket, key, "", NEVER, 0)
        yield Upload(dataset, purpose, removed, None, _latest_report(dataset, purpose, removed))
    elif earlier := _recorded_report(current):
        log.info("%r was processed before: %s", key, earlier["outcome"])
        yield Upload(dataset, purpose, current, None, earlier)
    else:
        with object_store.local_copy(current) as copy:
            logs.bind(upload=copy.sha256[: logs.SHORT])
            yield Upload(dataset, purpose, current, copy)


def _recorded_report(version: ObjectVersion) -> UploadReport | None:
    with transaction() as cursor:
        return ledger.recorded_report(cursor, version)


def _latest_report(dataset: Table, purpose: Purpose, removed: ObjectVersion) -> UploadReport:
    with transaction() as cursor:
        latest = ledger.latest_report(cursor, dataset.name, removed.bucket, removed.key)
        return latest or new_report(dataset, purpose, removed, "", "gone")


def load(dataset: Table, purpose: Purpose, key: str) -> UploadReport:
    """Load one file: all its good rows in one transaction, or nothing.

    Returns:
        The report; its outcome is loaded, duplicate, rejected, or gone if the file was removed before it was read. The
        same arrival loaded again gives the recorded report.

    Raises:
        UploadChangedError: the file was replaced during each of `READS` attempts to read it.
        ConfigurationError: the data set's YAML is incompatible with rows already loaded.
        ServiceError: a server failed and nothing was loaded; run it again.
    """
    with open_upload(dataset, purpose, key) as upload:
        return upload.earlier_report or _load(upload)


def _load(upload: Upload) -> UploadReport:
    """Claim the bytes, insert the rows and record the arrival, in one transaction."""
    ensure_tables(upload.dataset)
    templates.publish(upload.dataset)
    with transaction() as cursor:
        try:
            with savepoint(cursor):
                report = _claim_and_insert(cursor, upload)
        except ContractError as error:
            report = upload.rejection(error)
        report = ledger.record_arrival(cursor, report)
    log.info("%s: %s", report["outcome"], report_files.summary(report))
    report_files.log_warnings(report)
    return report


def _claim_and_insert(cursor: Any, upload: Upload) -> UploadReport:
    upload.refuse_erased_rows()
    claimed = upload.report("loaded")
    claim = ledger.claim(cursor, claimed)
    if not claim:
        return upload.report("duplicate", reasons=[_whole_file(ledger.first_claim(cursor, claimed))])
    loaded = _insert(cursor, upload, claim)
    upload_order.record_moments(cursor, claimed, loaded.moments)
    counts = loaded.counts
    repeats = repeats_warning(cursor, upload.table, claim.sha256)
    report = upload.report(
        "loaded",
        rows_read=counts.read,
        rows_loaded=counts.loaded,
        rows_rejected=counts.rejected,
        rows_present=counts.present,
        keys_known=counts.keys_known,
        keys_unchanged=counts.keys_unchanged,
        keys_changed=counts.keys_changed,
        reasons=loaded.reasons,
        warnings=[
            *upload.warnings,
            *filter(None, [repeats, loaded.waiting]),
            *_compare_again(cursor, upload.dataset, loaded.overtaken_by),
        ],
    )
    ledger.record_counts(cursor, report)
    return report


def _insert(cursor: Any, upload: Upload, claim: ledger.Claim) -> loading.Load:
    dataset, table = upload.dataset, upload.table
    if isinstance(table, AnswerFiles) and isinstance(dataset, Dataset):
        return answers.load(cursor, dataset, table, upload.object, claim, upload.batches())
    return loading.load(cursor, table, upload.object, claim, upload.batches())


def _compare_again(cursor: Any, dataset: Table, overtaken_by: list[tuple[str, str]]) -> list[str]:
    """Load files again that were loaded before this one, but uploaded later; return a warning if one cannot be read."""
    left = ", ".join(repr(key) for sha256, key in overtaken_by if not _load_again(cursor, dataset, sha256))
    problem = f"uploaded before {left}, but loaded later: rows there that seemed to be already there may differ now"
    return [f"{problem}; drop the same again, and they are compared again"] if left else []


def _load_again(cursor: Any, dataset: Table, sha256: str) -> bool:
    arrival = ledger.arrival_of(cursor, dataset.name, sha256)
    bucket = arrival["bucket"]
    current = object_store.head(bucket, arrival["archived_key"]) or object_store.head(bucket, arrival["key"])
    if current is None:
        return False
    try:
        with object_store.local_copy(current) as copy, savepoint(cursor):
            staging.clear(cursor)
            if copy.sha256 == sha256:
                _claim_and_insert(cursor, Upload(dataset, "train", version_of(arrival), copy))
            return copy.sha256 == sha256
    except (ContractError, UploadChangedError):
        return False


def ingest(dataset: Table, key: str) -> UploadReport:
    """Load and settle one file of the bucket `train`, or one with answers; a rejected file raises no error.

    Raises:
        UploadChangedError, ConfigurationError, ServiceError: as `load`.
    """
    return settle(load(dataset, "train", key), is_numbered=not dataset.has_key)


def announce(dataset: Table, run_id: str) -> int:
    """Return how many rows were loaded that no other DAG run has announced to the training.

    Where labels may come alone, they count with their features: while one of the two is missing, there is nothing new.

    Args:
        dataset: the spec.
        run_id: of the DAG run; a retry in the same run gives the same number.
    """
    with transaction() as cursor:
        loaded = ledger.announce(cursor, dataset.name, run_id)
        if loaded and isinstance(dataset, Dataset) and labels_alone.can_come(dataset):
            return labels_alone.new_rows(cursor, dataset, run_id)
        return loaded
