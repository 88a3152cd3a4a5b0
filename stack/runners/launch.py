"""`python -m stack.runners.launch COMMAND`: end what an earlier start of this server has left, then become the server.

Supervisord runs each server by it. A server that is killed leaves its children behind: workers of Airflow, for example,
which keep connections of the scheduler open, and with them its locks in Postgres. The next scheduler would skip the
locked runs for ever. So no server starts beside such children.

The children of Postgres overwrite their environment with their titles. So their folder finds them, not the marks.
While one of them computes, it does not notice that it is an orphan, and the next Postgres would refuse to start.
"""

import os
import pwd
import shutil
import sys
from pathlib import Path

import psutil

from stack import marks
from stack.runners import processes


def main(command: list[str]) -> None:
    """End the leftovers of the server that the environment names, and replace this process by it."""
    while left := _leftovers(command[0]):
        names = ", ".join(f"{process.pid}" for process in left)
        print(f"{os.environ[marks.SERVER]}: processes of an earlier start are ended: {names}", flush=True)
        processes.kill(left)
    if user := os.environ.get(marks.USER):
        _become(user)
    os.execvp(command[0], command)  # noqa: S606 – no shell


def _leftovers(program: str) -> list[psutil.Process]:
    left = processes.leftovers(os.environ[marks.STATE], os.environ[marks.SERVER])
    if folder := os.environ.get(marks.FOLDER):
        left += processes.working_in(Path(folder).resolve(), Path(shutil.which(program) or program).resolve())
    return left


def _become(user: str) -> None:
    """Give up the rights of root, for good."""
    account = pwd.getpwnam(user)
    os.initgroups(user, account.pw_gid)
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)


if __name__ == "__main__":
    main(sys.argv[1:])
