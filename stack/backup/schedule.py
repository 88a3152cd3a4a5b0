"""`python -m stack.backup.schedule`: make a backup every so often; `--once` makes one if it is due, for cron.

The folders of these backups have a name of their own, so that one that a person has made is never removed. The oldest
are removed after a new one is complete. This process may be killed at any time, also in the middle of a backup. The
next one removes what is incomplete, and lets the pipelines run again.
"""

import shutil
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from stack.backup.make import make_backup
from stack.backup.manifest import MANIFEST
from stack.config import Config, load
from stack.errors import StackError
from stack.logs import own_log
from stack.servers.backup_schedule import Schedule, State, paused, read, read_state, write_state
from stack.target import runner

PREFIX = "scheduled-"
TIME = "%Y-%m-%dT%H%M%SZ"
LOOK = 30.0  # seconds between two looks whether a backup is due
RETRY = timedelta(hours=1)  # after a failure, unless backups are more frequent


def complete(folder: Path) -> list[Path]:
    """Return the complete backups of the schedule in a folder, the oldest first."""
    return sorted(path for path in folder.glob(f"{PREFIX}*") if (path / MANIFEST).exists())


def made_at(backup: Path) -> datetime:
    """Return when a backup of the schedule was begun, by its name."""
    return datetime.strptime(backup.name.removeprefix(PREFIX), TIME).replace(tzinfo=UTC)


def is_due(schedule: Schedule, state: State, now: datetime) -> bool:
    """Return whether it is time for a backup."""
    backups = complete(schedule.folder)
    if backups and now - made_at(backups[-1]) < schedule.every:
        return False
    return now.timestamp() - state.began >= min(schedule.every, RETRY).total_seconds() or not state.problem


def recover(config: Config, schedule: Schedule) -> None:
    """Put right what a killed backup has left: pipelines that are stopped, and folders that are not complete."""
    if read_state(config).is_running:
        stopped = [name for name in paused(config) if name not in runner(config).running(config)]
        runner(config).resume(config, stopped)
        write_state(config, State(problem="it was interrupted"))
    for path in schedule.folder.glob(f".{PREFIX}*"):
        shutil.rmtree(path)


def back_up(config: Config, schedule: Schedule, now: datetime) -> None:
    """Make a backup, then remove the oldest beyond the number to keep.

    Raises:
        StackError, OSError: it failed; the older ones are all there.
    """
    write_state(config, State(began=now.timestamp(), is_running=True))
    try:
        make_backup(config, schedule.folder / f"{PREFIX}{now.strftime(TIME)}", own_log.write)
    except (StackError, OSError) as error:
        write_state(config, State(began=now.timestamp(), problem=str(error)))
        raise
    write_state(config, State(began=now.timestamp()))
    for old in complete(schedule.folder)[: -schedule.keep]:
        hidden = old.rename(old.with_name(f".{old.name}"))  # what is half removed must not look like a backup
        shutil.rmtree(hidden)
        own_log.write(f"{old} is removed: {schedule.keep} newer ones are there")


def once(config: Config) -> bool:
    """Make a backup if it is due; return whether that failed."""
    schedule = read(config)
    if schedule is None:
        return False
    try:
        recover(config, schedule)
        if is_due(schedule, read_state(config), now := datetime.now(UTC)) and not runner(config).is_in_use(config):
            back_up(config, schedule, now)
    except (StackError, OSError) as error:
        own_log.write(f"the backup failed: {error}", "error")
        return True
    return False


def main(arguments: list[str]) -> int:
    """Look again and again, or once; return the exit code."""
    config = load()
    while "--once" not in arguments:
        once(config)
        time.sleep(LOOK)
    return int(once(config))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
