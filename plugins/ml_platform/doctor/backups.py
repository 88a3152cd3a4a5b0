"""Backups by schedule: the last one must have succeeded, and not be too old."""

from collections.abc import Iterator
from datetime import UTC, datetime

from stack.backup.schedule import complete, made_at
from stack.config import Config
from stack.servers.backup_schedule import read, read_state

LATE = 2  # times the interval: a backup takes some time, and so does one that is tried again


def late_backups(config: Config) -> Iterator[str]:
    """Yield that the last backup failed, or that the newest is too old; nothing without a schedule."""
    schedule = read(config)
    if schedule is None:
        return
    state, now = read_state(config), datetime.now(UTC)
    if state.problem:
        yield f"the last backup failed: {state.problem}"
    newest = [made_at(path) for path in complete(schedule.folder)][-1:]
    if newest and now - newest[0] > LATE * schedule.every:
        yield f"the newest backup in {schedule.folder} is of {newest[0]:%Y-%m-%d %H:%M} UTC"
    if not newest and not state.is_running:
        yield f"there is no backup in {schedule.folder} yet"
