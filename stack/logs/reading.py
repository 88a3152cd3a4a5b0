"""Which entries are shown: those of all servers and tasks, merged by time, and chosen by server, time and text."""

import heapq
import subprocess
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from stack.config import Config
from stack.errors import StackError
from stack.logs import files, task_logs
from stack.logs.entry import TASKS, Entry, parse

DAY = timedelta(days=1)
SCHEDULER = "airflow-scheduler"  # its log has copies of what tasks write
READ_FOR_ONE = 50  # lines at the end of a log, of which some are copies, for each that is shown


@dataclass(frozen=True)
class Choice:
    """Which entries are asked for.

    Attributes:
        server: its name, or `TASKS`; None for all.
        since: the moment from which; None for all that are kept.
        grep: a part of the line, in upper or lower case; empty for all.
    """

    server: str | None = None
    since: datetime | None = None
    grep: str = ""

    def holds(self, entry: Entry) -> bool:
        """Return whether an entry is asked for."""
        if self.since and entry.time < self.since:
            return False
        if self.server not in (None, entry.server):
            return False
        return not self.grep or self.grep.lower() in entry.line().lower()


def read(config: Config, choice: Choice, warn: Callable[[str], None]) -> Iterator[Entry]:
    """Return entries in the order of time.

    Args:
        config: the platform.
        choice: which.
        warn: called with a text if the object store is down. Then the copies in the scheduler's log stand in for the
            logs of tasks.

    Raises:
        StackError: there is no log of that server.
    """
    folder = config.state_dir / "logs"
    return _merged(config, choice, warn, lambda name: files.entries(folder, name, choice.since), choice.since)


def last(config: Config, choice: Choice, count: int, warn: Callable[[str], None]) -> Iterator[Entry]:
    """Return the last entries of each server, and of the tasks of the last day; for the rest see `read`."""
    folder, day = config.state_dir / "logs", datetime.now(UTC) - DAY

    def end(name: str) -> Iterator[Entry]:
        return files.last_entries(folder, name, count * READ_FOR_ONE)

    return _merged(config, choice, warn, end, day, count)


def _merged(
    config: Config,
    choice: Choice,
    warn: Callable[[str], None],
    of_server: Callable[[str], Iterator[Entry]],
    tasks_since: datetime | None,
    count: int | None = None,
) -> Iterator[Entry]:
    known = files.names(config.state_dir / "logs")
    _check(known, choice.server)
    of_tasks = _of_tasks(config, choice, warn, tasks_since)
    sources: list[Iterable[Entry]] = [of_tasks or ()]
    for name in _needed(known, choice.server, are_tasks_read=of_tasks is not None):
        sources.append(_chosen(of_server(name), choice, with_copies=of_tasks is None))
    ends = sources if count is None else [deque(source, count) for source in sources]
    return heapq.merge(*ends, key=lambda entry: entry.time)


def _needed(known: list[str], server: str | None, *, are_tasks_read: bool) -> list[str]:
    """Return the servers whose files are read."""
    if server == TASKS:
        return [] if are_tasks_read else [SCHEDULER]
    return [name for name in known if server in (None, name)]


def _chosen(entries: Iterable[Entry], choice: Choice, *, with_copies: bool) -> Iterator[Entry]:
    return (entry for entry in entries if choice.holds(entry) and (with_copies or not entry.is_copy))


def _of_tasks(
    config: Config, choice: Choice, warn: Callable[[str], None], since: datetime | None
) -> list[Entry] | None:
    """Return the entries of tasks, none if others are asked for; None if the object store is down."""
    if choice.server not in (None, TASKS):
        return []
    try:
        return task_logs.entries(config, since, choice.holds)
    except (BotoCoreError, ClientError) as error:
        warn(f"The logs of tasks that have ended cannot be read: {error}")
        return None


def _check(known: list[str], server: str | None) -> None:
    if server not in (None, TASKS, *known) or not known:
        raise StackError(f"There is no log of {server!r}. Logs: {', '.join([*known, TASKS]) if known else 'none yet'}")


def follow(config: Config, choice: Choice, count: int) -> Iterator[Entry]:
    """Return the last entries of each server, then new ones as they come, until the caller stops."""
    folder = config.state_dir / "logs"
    known = files.names(folder)
    _check(known, choice.server)
    names = _needed(known, choice.server, are_tasks_read=False)
    command = ["tail", "-v", "-F", "-n", str(count), *(str(folder / f"{name}.log") for name in names)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as tail:
        yield from filter(choice.holds, tailed(tail.stdout or ()))


def tailed(lines: Iterable[str]) -> Iterator[Entry]:
    """Return the entries in what `tail -v` prints: before the lines of a file there is a line with its name."""
    server, time = "", datetime.now(UTC)
    for line in lines:
        text = line.rstrip()
        if text.startswith("==> ") and text.endswith(" <=="):
            server = Path(text[4:-4]).stem
        elif text:
            entry = parse(server, text, time)
            time = entry.time
            yield entry
