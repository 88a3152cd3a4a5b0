"""The key under which a person's file goes into an inbox: always a new one, with the file's own name, made safe."""

import re
import secrets
import unicodedata
from typing import Literal

from ml_platform.ingestion.dropping import Place
from ml_platform.ingestion.upload_report import ending
from ml_platform.specs.label_files import label_files
from ml_platform.specs.parts import Purpose
from ml_platform.specs.spec import Dataset, Table

DropKind = Literal["train", "test", "label"]  # rows with their label, rows to be scored, labels alone
LONGEST_NAME = 80  # characters of the file's own name that are kept


def kinds(table: Table) -> tuple[DropKind, ...]:
    """Return what a file of a table may be for."""
    if not isinstance(table, Dataset):
        return ("train",)
    return ("train", "test", "label") if table.has_key else ("train", "test")


def guessed_kind(table: Table, name: str) -> DropKind:
    """Return what a file is probably for, by the words of its name."""
    words = re.split(r"[\W_]+", name.casefold())
    for kind, signs in (("test", {"test", "score"}), ("label", {"label", "labels"})):
        if signs & set(words) and kind in kinds(table):
            return kind
    return "train"


def purpose_of(kind: DropKind) -> Purpose:
    """Return for what the rows of a file are read."""
    return "test" if kind == "test" else "train"


def spec_of(table: Table, kind: DropKind) -> Table:
    """Return the spec by which a file is read."""
    return label_files(table) if kind == "label" and isinstance(table, Dataset) else table


def new_place(table: Table, kind: DropKind, name: str) -> Place:
    """Return a place in an inbox that no other file has.

    Args:
        table: the spec.
        kind: what the file is for.
        name: of the file, as a person gave it: any text. Letters, digits, `_` and `-` of it are kept.
    """
    prefix = spec_of(table, kind).inbox_prefix(purpose_of(kind))
    last = unicodedata.normalize("NFC", re.split(r"[/\\]", name)[-1]).strip()
    stem = last.removesuffix(ending(last)).removeprefix(prefix.rpartition("/")[2])
    safe = re.sub(r"[^\w-]+", "_", stem)[:LONGEST_NAME].strip("_-")
    # the random part comes first, so that long names differ where they are cut, and no name looks like a source's
    parts = [prefix, secrets.token_hex(4), *([safe] if safe else [])]
    return Place(table, kind, purpose_of(kind), f"{'.'.join(parts)}{ending(last)}")
