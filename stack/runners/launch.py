"""`python -m stack.runners.launch COMMAND`: end what an earlier start of this server has left, then become the server.

Supervisord runs each server by it. A server that is killed leaves its children behind: workers of Airflow, for example,
which keep connections of the scheduler open, and with them its locks in Postgres. The next scheduler would skip the
locked runs for ever. So no server starts beside such children.
"""

import os
import sys

from stack import marks
from stack.runners import processes


def main(command: list[str]) -> None:
    """End the leftovers of the server that the environment names, and replace this process by it."""
    state, server = os.environ[marks.STATE], os.environ[marks.SERVER]
    while left := processes.leftovers(state, server):
        names = ", ".join(f"{process.pid}" for process in left)
        print(f"{server}: processes of an earlier start are ended: {names}", flush=True)
        processes.kill(left)
    os.execvp(command[0], command)  # noqa: S606 – no shell


if __name__ == "__main__":
    main(sys.argv[1:])
