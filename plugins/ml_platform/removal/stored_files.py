"""The files of a table in the buckets: archived uploads, their rejected rows, and results; searched and rewritten."""

import hashlib
import io
import json
import tempfile
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, cast

from ml_platform.exceptions import ContractError
from ml_platform.ingestion import inbox
from ml_platform.removal import upload_records
from ml_platform.removal.entities import Entities
from ml_platform.removal.rewriting import FoundRows, find_rows, write_without
from ml_platform.removal.upload_records import Arrival
from ml_platform.scoring.result_files import card_json
from ml_platform.scoring.result_keys import BUCKET, card_key
from ml_platform.specs.answer_files import ASKED_FOLDER
from ml_platform.specs.parts import Purpose
from ml_platform.specs.spec import LABEL_BUCKET, Dataset, Table
from ml_platform.storage import object_store
from ml_platform.storage.database import transaction
from ml_platform.storage.object_store import ObjectVersion


@dataclass(frozen=True)
class StoredFile:
    """A file of rows in a bucket.

    Attributes:
        version: of the object.
        delimiter: between the cells of a CSV file; None: detected.
        encoding: of a text without a byte order mark; None: UTF-8.
        arrival: of an archived upload; None for rejected rows and results, whose lines nothing refers to.
    """

    version: ObjectVersion
    delimiter: str | None = None
    encoding: str | None = None
    arrival: Arrival | None = None

    @property
    def is_result(self) -> bool:
        """Whether it is a result, which has a card beside it."""
        return self.version.bucket == BUCKET

    @property
    def is_guarded(self) -> bool:
        """Whether its cells may be guarded against spreadsheets: in results, and in files to be filled in."""
        return (self.is_result and self.version.key.endswith(".csv")) or self.version.bucket == LABEL_BUCKET

    def __str__(self) -> str:
        """Return bucket and key."""
        return f"{self.version.bucket}/{self.version.key}"


@dataclass(frozen=True)
class FoundFile:
    """A file that holds rows of the entities."""

    file: StoredFile
    rows: FoundRows


@dataclass(frozen=True)
class SearchedFiles:
    """The result of a search.

    Attributes:
        found: files with rows of the entities.
        unreadable: a sentence for each file that could not be searched.
        seen: all files that were looked at.
    """

    found: tuple[FoundFile, ...]
    unreadable: tuple[str, ...]
    seen: frozenset[ObjectVersion]


def waiting_files(table: Table) -> Iterator[StoredFile]:
    """Yield the files that wait in the inboxes of a table."""
    purposes: tuple[Purpose, ...] = ("train", "test") if isinstance(table, Dataset) else ("train",)
    for purpose in purposes:
        waiting = inbox.look(table, purpose)
        for version in (*waiting.due, *waiting.pauses):
            is_answers = version.bucket == LABEL_BUCKET  # a spreadsheet may have changed their separator
            yield StoredFile(version, *(() if is_answers else (table.delimiter, table.encoding)))


def settled_files(table: Table) -> Iterator[StoredFile]:
    """Yield the files of a table that were loaded, scored or rejected, and their results."""
    for arrival in upload_records.arrivals(table.name):
        if version := object_store.head(arrival.bucket, arrival.archived_key):
            yield StoredFile(version, arrival.delimiter, arrival.encoding, arrival)
        if arrival.rejected_key and (version := object_store.head(arrival.bucket, arrival.rejected_key)):
            yield StoredFile(version, arrival.delimiter)
    if isinstance(table, Dataset):
        for version in object_store.list_objects(BUCKET, f"{table.name}/"):
            if not version.key.endswith(".json"):
                yield StoredFile(version)
        for version in object_store.list_objects(LABEL_BUCKET, f"{ASKED_FOLDER}{table.answer_prefix}."):
            yield StoredFile(version, ",")


def search(
    files: Iterable[StoredFile], entities: Entities, already_seen: Collection[ObjectVersion] = ()
) -> SearchedFiles:
    """Search files for rows of some entities; those that were seen before are left out.

    Raises:
        UploadChangedError: a file was replaced or removed during the search; run it again.
        ServiceError: the object store failed; run it again.
    """
    found: list[FoundFile] = []
    unreadable: list[str] = []
    seen: set[ObjectVersion] = set()
    for file in files:
        if file.version in already_seen:
            continue
        seen.add(file.version)
        try:
            with object_store.local_copy(file.version) as copy:
                rows = find_rows(
                    copy.file,
                    entities,
                    delimiter=file.delimiter,
                    encoding=file.encoding,
                    is_guarded=file.is_guarded,
                )
        except ContractError as error:
            unreadable.append(f"{file}: {error}")
            continue
        if rows.lines:
            found.append(FoundFile(file, rows))
    return SearchedFiles(tuple(found), tuple(unreadable), frozenset(seen))


def erase_rows(found: FoundFile, name: str) -> None:
    """Rewrite a file without the rows that were found in it; idempotent.

    Of an archived upload, first the records and reports lose what they say about these rows. The card of a result loses
    the warnings, which may name values of them. The file itself is last, because it tells which lines they are: after a
    kill, the next search finds them again.

    Args:
        found: the file.
        name: of the table.

    Raises:
        UploadChangedError: the file was replaced since the search; nothing is written.
        ServiceError: a server failed; run it again.
    """
    arrival = found.file.arrival
    with object_store.local_copy(found.file.version) as copy, tempfile.TemporaryFile() as out:
        write_without(copy.file, found.rows, out, keep_lines=arrival is not None)
        out.seek(0)
        if arrival:
            after = hashlib.file_digest(out, "sha256").hexdigest()
            with transaction() as cursor:
                upload_records.forget_lines(cursor, name, arrival, found.rows.lines)
                upload_records.record_rewriting(cursor, name, arrival, before=copy.sha256, after=after)
            upload_records.rewrite_reports(name, arrival)
            out.seek(0)
        elif found.file.is_result:
            _clear_warnings(card_key(found.file.version.key))
        object_store.rewrite(found.file.version, cast("BinaryIO", out))


def _clear_warnings(key: str) -> None:
    version = object_store.head(BUCKET, key)
    if version and (card := json.loads(object_store.get(BUCKET, key))).get("warnings"):
        object_store.rewrite(version, io.BytesIO(card_json(card | {"warnings": []})))
