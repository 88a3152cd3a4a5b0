"""The log files of the servers, with those that were rotated."""

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from pathlib import Path

from stack.logs.entry import Entry, parse

HEAD = 200  # lines in which the first time of a file is looked for


def names(folder: Path) -> list[str]:
    """Return the servers that have a log."""
    return sorted(path.stem for path in folder.glob("*.log"))


def entries(folder: Path, server: str, since: datetime | None = None) -> Iterator[Entry]:
    """Return the entries of a server in the order in which they were written.

    Args:
        folder: of the logs.
        server: its name.
        since: files that were not written to since are not read.
    """
    paths = [path for path in _rotated(folder, server) if since is None or written_at(path) >= since]
    if paths:
        yield from dated(server, _lines(paths), written_at(paths[-1]))


def _lines(paths: Iterable[Path]) -> Iterator[str]:
    """Return the lines of files; one that was divided when its file was full comes whole."""
    begun = ""
    for path in paths:
        with suppress(FileNotFoundError), path.open(encoding="utf-8", errors="replace") as file:  # it is being rotated
            for line in file:
                begun += line
                if line.endswith("\n"):
                    yield begun
                    begun = ""
    yield begun


def last_entries(folder: Path, server: str, lines: int) -> Iterator[Entry]:
    """Return the entries in the last lines of a server's current file."""
    path = folder / f"{server}.log"
    with path.open(encoding="utf-8", errors="replace") as file:
        yield from dated(server, deque(file, lines), written_at(path))


def _rotated(folder: Path, server: str) -> list[Path]:
    """Return the files of a server, the oldest first; supervisord gives those that are full a number."""
    full = [path for path in folder.glob(f"{server}.log.*") if path.suffix[1:].isdigit()]
    oldest_first = sorted(full, key=lambda path: int(path.suffix[1:]), reverse=True)
    return [path for path in (*oldest_first, folder / f"{server}.log") if path.exists()]


def written_at(path: Path) -> datetime:
    """Return when a file was changed last."""
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def remove_old(folder: Path, kept: timedelta, now: datetime) -> list[str]:
    """Remove the files that nothing was written to for so long: rotated ones, and those of servers that do not run.

    Returns:
        Their names.
    """
    old = [path for path in folder.glob("*.log*") if now - written_at(path) > kept]
    for path in old:
        path.unlink()
    return sorted(path.name for path in old)


def dated(server: str, lines: Iterable[str], written: datetime) -> Iterator[Entry]:
    """Return the entry of each line that is not empty; a line without a time has that of the one before it.

    What comes before the first line with a time has the time of that line.

    Args:
        server: its name.
        lines: of a file.
        written: when the last line was written.
    """
    texts = (line.rstrip() for line in lines if line.strip())
    head = list(islice(texts, HEAD))
    times = (parse(server, line, written).time for line in head)
    last = next((time for time in times if time != written), written)
    for text in chain(head, texts):
        entry = parse(server, text, last)
        last = entry.time
        yield entry
