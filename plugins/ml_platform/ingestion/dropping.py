"""Drop a file for a program: find the inbox and the key that fit its name, and put its bytes there."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

from ml_platform.exceptions import ConfigurationError
from ml_platform.files.formats import display_text
from ml_platform.specs.spec import LABEL_BUCKET, LABEL_FOLDER, Dataset, Table
from ml_platform.storage.stream_upload import put_stream

Kind = Literal["train", "test", "label", "answer"]
NAME = re.compile(r"\w[\w .()+@=-]{0,199}")  # no folder, no hidden file, nothing that a shell or a page interprets


@dataclass(frozen=True)
class Place:
    """Where a file is to be dropped.

    Attributes:
        table: the data set or feature table.
        kind: train, test, label (labels alone), or answer (labels of rows that people were asked about).
        bucket: of the inbox.
        key: of the object.
    """

    table: Table
    kind: Kind
    bucket: str
    key: str


def place_of(name: str, tables: Collection[Table], kind: Kind | None = None, dataset: str | None = None) -> Place:
    """Return the place for a file: its name decides if it says train_NAME and so on, else kind and data set.

    Args:
        name: of the file, without a folder.
        tables: all data sets and feature tables.
        kind: what the file is for; must agree with the name if that says it.
        dataset: name of the data set or feature table, as well.

    Raises:
        ConfigurationError: the name is not allowed, nothing says what the file is for, or two things contradict each
            other; the text says what is allowed.
    """
    if not NAME.fullmatch(name):
        raise ConfigurationError(
            f"{display_text(name)!r} is no name for a file here: allowed are up to 200 letters, digits, blanks and"
            " . _ - ( ) + @ =, and a letter or digit first"
        )
    said = _place_by_name(name, tables)
    place = said or _place_by_options(name, tables, kind, dataset)
    if (kind or place.kind, dataset or place.table.name) != (place.kind, place.table.name):
        raise ConfigurationError(
            f"{name}: its name says {place.kind} of {place.table.name}, not {kind or place.kind} of"
            f" {dataset or place.table.name}; rename the file, or leave out what contradicts its name"
        )
    return place


def kind_of(bucket: str, key: str) -> Kind:
    """Return the kind of a file, by its place."""
    if bucket == LABEL_BUCKET:
        return "answer"
    if bucket == "train" and key.startswith(LABEL_FOLDER):
        return "label"
    return "test" if bucket == "test" else "train"


def address_of(kind: Kind, name: str) -> tuple[str, str]:
    """Return bucket and key of a file by its kind and the last part of its key."""
    if kind == "answer":
        return LABEL_BUCKET, name
    return ("train", f"{LABEL_FOLDER}{name}") if kind == "label" else (kind, name)


def kinds_of(table: Table) -> tuple[Kind, ...]:
    """Return the kinds of files that a table takes."""
    if not isinstance(table, Dataset):
        return ("train",)
    return ("train", "test", "label", "answer") if table.has_key else ("train", "test", "answer")


def drop(place: Place, chunks: Iterable[bytes]) -> str | None:
    """Put a file into its inbox; return its ETag, with quotes, or None if a file of this name waits there.

    Args:
        place: where.
        chunks: the bytes; a part of them at a time is in memory. If they raise an error, nothing is dropped.

    Raises:
        ServiceError: the object store is not available.
    """
    return put_stream(place.bucket, place.key, chunks)


def prefix_of(table: Table, kind: Kind) -> tuple[str, str]:
    """Return bucket and prefix of the keys of a kind of files of a table."""
    if kind == "answer":
        return LABEL_BUCKET, f"{LABEL_BUCKET}_{table.name}"
    if kind == "label":
        return "train", f"{LABEL_FOLDER}{table.name}"
    return kind, table.inbox_prefix(kind)


def _place_by_name(name: str, tables: Collection[Table]) -> Place | None:
    for table in tables:
        for kind in kinds_of(table):
            bucket, prefix = prefix_of(table, kind)
            if name.startswith(prefix):
                return Place(table, kind, bucket, name)
    return None


def _place_by_options(name: str, tables: Collection[Table], kind: Kind | None, dataset: str | None) -> Place:
    table = next((table for table in tables if table.name == dataset), None)
    names = ", ".join(table.name for table in tables)
    if dataset and table is None:
        raise ConfigurationError(f"there is no {display_text(dataset)!r}; there are: {names}")
    if table is None or (kind is None and len(kinds_of(table)) > 1):
        raise ConfigurationError(
            f"{name}: its name does not say what it is for; name it train_NAME..., test_NAME... or label_NAME... (a"
            f" feature table: NAME...), or say data set and kind; NAME is one of: {names}"
        )
    kind = kind or kinds_of(table)[0]
    if kind not in kinds_of(table):
        raise ConfigurationError(f"{table.name} takes no {kind} files; it takes: {', '.join(kinds_of(table))}")
    bucket, prefix = prefix_of(table, kind)
    return Place(table, kind, bucket, f"{prefix}_{name}")
