"""Save a file of the specs: all of it or nothing, and only if nobody else has changed it meanwhile."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from ml_platform.exceptions import ConfigurationError

MODE = 0o644  # of a new file: the servers that read it may run as other users
NOT_THERE = ""
PREFIX = ".saving-"  # the catalog leaves out hidden files


@dataclass(frozen=True)
class SpecText:
    """The text of a file.

    Attributes:
        text: with line feeds at the ends of lines; "" if there is no file.
        stamp: changes with each byte; `NOT_THERE` if there is no file.
    """

    text: str
    stamp: str


def read(path: Path) -> SpecText:
    """Return the text of a file, and the stamp with which `save` knows whether it has changed since.

    Raises:
        ConfigurationError: it cannot be read, or is not UTF-8.
    """
    content = _content(path)
    if content is None:
        return SpecText("", NOT_THERE)
    try:
        return SpecText(content.decode().replace("\r\n", "\n"), _stamp(content))
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: not UTF-8: {error}") from None


def save(path: Path, text: str, *, expected: str) -> None:
    """Write a file in one step: a reader sees the old text or the new one.

    Args:
        path: of the file.
        text: its new text.
        expected: the stamp of the text that was changed; `NOT_THERE` for a new file.

    Raises:
        ConfigurationError: the file is not the expected one any more, or the folder cannot be written. Nothing was
            changed.
    """
    target = path.resolve()  # a link stays a link
    try:
        with _locked(target.parent):
            content = _content(target)
            if (NOT_THERE if content is None else _stamp(content)) != expected:
                what = "was removed" if content is None else "was changed" if expected else "was created"
                raise ConfigurationError(f"{path.name} {what} by somebody else meanwhile; nothing was saved")
            ends_with_carriage_return = content is not None and b"\r\n" in content
            _replace(target, (text.replace("\n", "\r\n") if ends_with_carriage_return else text).encode())
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from None


def refusal(folder: Path) -> str:
    """Return why no file can be written into a folder; "" if one can: it is tried, because rights are not all."""
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=PREFIX):
            return ""
    except OSError as error:
        return error.strerror or str(error)


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from None


def _stamp(content: bytes) -> str:
    return sha256(content).hexdigest()


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Let one process and thread at a time save into a folder."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)


def _replace(target: Path, content: bytes) -> None:
    number, name = tempfile.mkstemp(dir=target.parent, prefix=PREFIX)
    temporary = Path(name)
    try:
        with os.fdopen(number, "wb") as file:
            _keep_owner_and_mode(file.fileno(), target)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink()
        raise


def _keep_owner_and_mode(number: int, target: Path) -> None:
    if not target.exists():
        os.fchmod(number, MODE)
        return
    old = target.stat()
    with suppress(PermissionError):  # only root may give a file to another user
        os.fchown(number, old.st_uid, old.st_gid)
    os.fchmod(number, old.st_mode & 0o7777)
