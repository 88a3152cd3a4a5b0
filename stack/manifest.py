"""What a backup says about itself: its files with their checksums, and what must be there after a restore."""

import hashlib
import os
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from stack.access import buckets
from stack.databases import Database
from stack.errors import BackupError

MANIFEST, SETTINGS = "manifest.json", ".env"


class File(BaseModel):
    """A file of the backup."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bytes: int
    sha256: str


class Bucket(File):
    """A bucket's tar file, and what is in it."""

    objects: int
    object_bytes: int


class Manifest(BaseModel):
    """What a backup holds; `rows` are those of the tables of uploads, features and labels."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    made_at: datetime
    commit: str
    postgres: str
    settings: File
    databases: dict[Database, File]
    rows: dict[str, int]
    buckets: dict[str, Bucket]

    def files(self) -> dict[str, File]:
        """Return the files by their names."""
        dumps = {f"{name}.dump": file for name, file in self.databases.items()}
        return {SETTINGS: self.settings, **dumps, **{f"{name}.tar": file for name, file in self.buckets.items()}}

    def write(self, folder: Path) -> None:
        """Write it beside the files that it describes."""
        with private_file(folder / MANIFEST) as file:
            file.write(self.model_dump_json(indent=1).encode())


def verify(folder: Path) -> Manifest:
    """Read a backup's manifest and compare every file with it.

    Raises:
        BackupError: it is no backup, one of another version, or damaged; each damaged file is named.
    """
    manifest = _read(folder)
    if unknown := sorted(manifest.buckets.keys() - set(buckets())):
        raise BackupError(f"{folder}: there is no bucket {', '.join(unknown)} here; there are {', '.join(buckets())}.")
    damaged = [name for name, file in manifest.files().items() if not _is_whole(folder / name, file)]
    if damaged:
        raise BackupError(f"The backup {folder} is damaged; missing or changed: {', '.join(damaged)}.")
    return manifest


def described(path: Path) -> File:
    """Return a file's size and checksum."""
    with path.open("rb") as file:
        return File(sha256=hashlib.file_digest(file, "sha256").hexdigest(), bytes=path.stat().st_size)


def private_file(path: Path) -> BinaryIO:
    """Open a new file for writing that only its owner may read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _read(folder: Path) -> Manifest:
    try:
        return Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except FileNotFoundError:
        raise BackupError(f"{folder} is no backup: it has no {MANIFEST}.") from None
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'the file'}: {e['msg']}" for e in error.errors())
        raise BackupError(f"{folder / MANIFEST} cannot be read by this version of the platform ({wrong}).") from None


def _is_whole(path: Path, expected: File) -> bool:
    return path.is_file() and described(path) == File(bytes=expected.bytes, sha256=expected.sha256)
