"""The manifest of a backup: its files with their checksums, and the numbers of rows and objects to expect."""

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from stack.access import buckets
from stack.backup.databases import Database
from stack.backup.folder import SETTINGS, private_file
from stack.errors import BackupError

MANIFEST = "manifest.json"


class File(BaseModel):
    """A file of the backup."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bytes: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> Self:
        """Return a file's size and checksum."""
        with path.open("rb") as file:
            return cls(sha256=hashlib.file_digest(file, "sha256").hexdigest(), bytes=path.stat().st_size)


class Bucket(File):
    """A bucket's tar file, and the number and size of its objects."""

    objects: int
    object_bytes: int


class Manifest(BaseModel):
    """The contents of a backup; `rows` has the number of rows by table, of the tables that `count_rows` counts."""

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
        """Write it into the folder of the files that it describes."""
        with private_file(folder / MANIFEST) as file:
            file.write(self.model_dump_json(indent=1).encode())


def verify(folder: Path) -> Manifest:
    """Read a backup's manifest and compare every file with it.

    Raises:
        BackupError: it is not a backup, is of another version, or is damaged; each damaged file is named.
    """
    manifest = _read(folder)
    if unknown := sorted(manifest.buckets.keys() - set(buckets())):
        raise BackupError(f"{folder}: this platform has no bucket {', '.join(unknown)}; it has {', '.join(buckets())}.")
    damaged = [name for name, file in manifest.files().items() if not _is_intact(folder / name, file)]
    if damaged:
        raise BackupError(f"The backup {folder} is damaged; missing or changed: {', '.join(damaged)}.")
    return manifest


def _read(folder: Path) -> Manifest:
    try:
        return Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except FileNotFoundError:
        raise BackupError(f"{folder} is not a backup: it has no {MANIFEST}.") from None
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'the file'}: {e['msg']}" for e in error.errors())
        raise BackupError(f"{folder / MANIFEST} cannot be read by this version of the platform ({problems}).") from None


def _is_intact(path: Path, expected: File) -> bool:
    return path.is_file() and File.of(path) == File(bytes=expected.bytes, sha256=expected.sha256)
