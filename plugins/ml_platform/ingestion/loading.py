"""The load of a training file: all its good rows, or nothing, in the caller's transaction."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ml_platform.exceptions import ContractError
from ml_platform.ingestion import insertion, labels_alone, staging, upload_order
from ml_platform.ingestion.label_values import reject_third_values
from ml_platform.ingestion.ledger import Claim
from ml_platform.ingestion.upload_order import Moments
from ml_platform.ingestion.upload_report import Reason
from ml_platform.parsing.batches import Batch
from ml_platform.specs.label_files import LabelFiles, has_labels_alone
from ml_platform.specs.parts import Purpose
from ml_platform.specs.spec import Dataset, Table
from ml_platform.storage.locks import lock
from ml_platform.storage.object_store import ObjectVersion

PURPOSE: Purpose = "train"  # only these files are loaded
SOURCE_ROWS = 100  # from this number on, the share of bad rows in a file made of a source's rows counts


@dataclass(frozen=True)
class Counts:
    """The rows of a file: read = loaded + rejected + present; and of its keys those that earlier files brought.

    Attributes:
        keys_known: keys of good rows that have rows from earlier files.
        keys_changed: those of them for which a row was loaded.
    """

    read: int
    loaded: int
    rejected: int
    keys_known: int = 0
    keys_changed: int = 0

    @property
    def present(self) -> int:
        """Rows that an earlier file brought already: with the same values, and the same timestamps if it has any."""
        return self.read - self.loaded - self.rejected

    @property
    def keys_unchanged(self) -> int:
        """Known keys for which no row was loaded."""
        return self.keys_known - self.keys_changed


class FileRejectedError(ContractError):
    """A file has too many bad rows; the error has their number and the first reasons."""

    def __init__(self, problem: str, counts: Counts, reasons: list[Reason]) -> None:
        """Keep the problem of the whole file, the numbers of rows and the first reasons."""
        super().__init__(problem)
        self.counts = counts
        self.reasons = reasons


@dataclass(frozen=True)
class Load:
    """What a load did.

    Attributes:
        counts: the numbers of rows and keys.
        reasons: the first bad values.
        moments: the times of the upload.
        overtaken_by: SHA-256 and key of the files that were uploaded later and loaded before. Rows of theirs that
            were already there were compared with versions before the ones of this load.
        waiting: a warning about labels that have no features yet, or about rows that have no label yet; or "".
    """

    counts: Counts
    reasons: list[Reason]
    moments: Moments
    overtaken_by: list[tuple[str, str]]
    waiting: str = ""


def load_lock(table: Table) -> str:
    """Return the name of the lock that a load of the table holds."""
    return f"load {table.name}"


def moments_of(cursor: Any, table: Table, version: ObjectVersion, earlier: Moments | None) -> Moments:
    """Return the times of the upload, once no other load can change what it is compared with.

    Where values are compared, one file at a time is. A withdrawal waits for all loads, and they for it.
    """
    lock(cursor, load_lock(table), shared=not (insertion.compares_values(table) or has_labels_alone(table)))
    return earlier or upload_order.new_moments(cursor, table.name, version.last_modified)


def rejection_reason(table: Table, counts: Counts, key: str) -> str | None:
    """Return why the whole file is rejected, or None if the spec allows this number of bad rows.

    A file made of a few rows of a source is not rejected for one of them: how many come together is chance.
    """
    bad = f"{counts.rejected:,} of {counts.read:,} rows are bad"
    if counts.rejected and table.on_bad_row == "reject_file":
        return f"{bad}, and datasets/{table.name}.yaml says on_bad_row: reject_file"
    is_judged = counts.read >= SOURCE_ROWS or not table.is_made_of_rows(key)
    if is_judged and counts.rejected > table.max_bad_rows * counts.read:
        return f"{bad}; datasets/{table.name}.yaml allows a share of {table.max_bad_rows:g} (max_bad_rows)"
    return None


def load(cursor: Any, table: Table, version: ObjectVersion, claim: Claim, batches: Iterator[Batch]) -> Load:
    """Load the good rows of a training file into its tables and record the bad values.

    Args:
        cursor: of the transaction that claimed its bytes.
        table: the spec.
        version: the object with the file.
        claim: the right to load it.
        batches: its rows.

    Raises:
        ContractError: the file breaks the contract; the caller rolls back.
        ConfigurationError: the label column cannot hold the positive value.
    """
    read = staging.stage(cursor, table, PURPOSE, batches)
    if isinstance(table, Dataset) and table.label.names_positive_only:
        reject_third_values(cursor, table, staging.INCOMING, staging.REJECTED)
    moments = moments_of(cursor, table, version, claim.earlier)
    staging.add_timestamps(cursor, table, moments)
    staging.reject_duplicates(cursor, table)
    known = insertion.remember_known_keys(cursor, table, claim.sha256)
    late = claim.earlier is not None or upload_order.has_later_uploads(cursor, table.name, moments)
    if has_labels_alone(table):
        loaded = labels_alone.insert(cursor, table, claim.sha256, later=late)
    else:
        loaded = insertion.insert(cursor, table, claim.sha256, later=late)
    changed = insertion.count_changed_keys(cursor, table) if known else 0
    counts = Counts(read, loaded, staging.count_rejected(cursor), known, changed)
    reasons = staging.first_reasons(cursor)
    if problem := rejection_reason(table, counts, version.key):
        raise FileRejectedError(problem, counts, reasons)
    staging.record_rejected(cursor, table, PURPOSE, claim.sha256)
    # labels may have come before the features of their keys
    has_changed = loaded if has_labels_alone(table) else changed
    is_compared_late = late and has_changed and (not table.event_time or isinstance(table, LabelFiles))
    overtaken_by = upload_order.reopen(cursor, table, moments.uploaded_at) if is_compared_late else []
    waiting = labels_alone.waiting_warning(cursor, table) if has_labels_alone(table) else ""
    return Load(counts, reasons, moments, overtaken_by, waiting)
