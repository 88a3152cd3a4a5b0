"""The folder of a backup: its place, its files that only the owner can read, and sizes in words."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from stack.config import Config
from stack.errors import BackupError

SETTINGS = ".env"
LogProgress = Callable[[str], None]  # called with one line for people


def check_place(config: Config, folder: Path) -> None:
    """Raise BackupError if the folder is in the state folder, which a restore removes."""
    if folder.resolve().is_relative_to(config.state_dir.resolve()):
        raise BackupError(f"{folder} is in {config.state_dir}, which a restore removes. Choose a folder elsewhere.")


def private_file(path: Path) -> BinaryIO:
    """Open a new file for writing that only its owner can read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def megabytes(size: int) -> str:
    """Return a size in bytes as text, in MB."""
    return f"{size / 1e6:,.1f} MB"
