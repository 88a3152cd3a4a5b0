"""`python -m stack.watchdog`: restart each component of Airflow that has stopped its work.

It is killed, and supervisord starts it again. A component has stopped if its heartbeat stays too old. So has a
scheduler that writes heartbeats but looks at no run. In containers, `stack.healthcheck` does this.
It removes old log files of servers, too.
"""

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil

from stack import healthcheck, marks
from stack.logs import files, own_log
from stack.runners import processes

COMPONENTS = {
    "airflow-scheduler": "SchedulerJob",
    "airflow-triggerer": "TriggererJob",
    "airflow-dag-processor": "DagProcessorJob",
}
PAUSE = 10.0  # seconds between two looks
CONFIRMED = 25.0  # seconds for which a heartbeat must have been too old at every look; a live component writes five


class Watch:
    """Remembers since when each component has a problem."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._since: dict[str, tuple[float, float]] = {}  # for how long it must last, since when it does

    def forget(self) -> None:
        """Remember nothing any more: after a look that failed, a component needs time for its next heartbeat."""
        self._since.clear()

    def stopped(self, server: str, query: healthcheck.Query, uptime: float, now: float) -> str | None:
        """Return why a component, which started `uptime` seconds ago, is to be restarted; None if it works.

        Args:
            server: its name.
            query: asks Airflow's database.
            uptime: in seconds.
            now: in seconds, of a clock that does not go back.
        """
        problem, seconds = self._problem(server, query, uptime)
        if problem is None:
            self._since.pop(server, None)
            return None
        of, since = self._since.get(server, (seconds, now))
        self._since[server] = (seconds, since if of == seconds else now)
        return problem if min(now - self._since[server][1], uptime) > seconds else None

    def _problem(self, server: str, query: healthcheck.Query, uptime: float) -> tuple[str | None, float]:
        """Return the problem of a component, and for how many seconds it must last until the component has stopped."""
        age = healthcheck.heartbeat_age(query, COMPONENTS[server])
        if age is not None and healthcheck.has_stopped(age, uptime):
            # The first look after an outage of the database, or a jump of the clock, may precede the next heartbeat.
            return f"its last heartbeat is {age:.0f} s old", CONFIRMED
        # A DAG that has just been switched on has old runs, too; the scheduler looks at them at once.
        return healthcheck.undecided(query) if server == "airflow-scheduler" else None, healthcheck.STALE


def main_process(state_dir: str, server: str) -> psutil.Process | None:
    """Return the process of a server that supervisord started; None if it does not run."""
    supervisor = int((Path(state_dir) / "supervisor.pid").read_text())
    return next((process for process in processes.leftovers(state_dir, server) if process.ppid() == supervisor), None)


def look(watch: Watch, state_dir: str, address: str) -> None:
    """Look once at each component, and kill those that have stopped."""
    with healthcheck.database(address) as query:
        for server in COMPONENTS:
            process = main_process(state_dir, server)
            if process is None:
                continue
            reason = watch.stopped(server, query, time.time() - process.create_time(), time.monotonic())
            if reason:
                own_log.write(f"{server} is restarted: {reason}", "warning")
                processes.kill([process])


def remove_old_logs(state_dir: str, days: int) -> None:
    """Remove log files of servers that nothing was written to for so many days."""
    removed = files.remove_old(Path(state_dir) / "logs", timedelta(days=days), datetime.now(UTC))
    if removed:
        own_log.write(f"Log files older than {days} days are removed: {', '.join(removed)}")


def main() -> None:
    """Look again and again; without a database there is nothing to decide. A file has the time of the last look."""
    watch = Watch()
    while True:
        remove_old_logs(os.environ[marks.STATE], int(os.environ["LOG_RETENTION_DAYS"]))
        try:
            look(watch, os.environ[marks.STATE], os.environ["AIRFLOW_DATABASE"])
            Path(os.environ["LAST_LOOK"]).touch()
        except OSError as error:
            own_log.write(f"no look: {error}", "warning")
            watch.forget()
        time.sleep(PAUSE)


if __name__ == "__main__":
    main()
