"""`python -m stack.watchdog`: restart each component of Airflow that has stopped its work.

It is killed, and supervisord starts it again. A component has stopped if its heartbeat is too old. So has a scheduler
that writes heartbeats but looks at no run. In containers, `stack.healthcheck` does this.
"""

import os
import time
from pathlib import Path

import psutil

from stack import healthcheck, marks
from stack.runners import processes

COMPONENTS = {
    "airflow-scheduler": "SchedulerJob",
    "airflow-triggerer": "TriggererJob",
    "airflow-dag-processor": "DagProcessorJob",
}
PAUSE = 10.0  # seconds between two looks


class Watch:
    """Remembers since when each component has a problem that a heartbeat does not show."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._since: dict[str, float] = {}

    def stopped(self, server: str, query: healthcheck.Query, uptime: float, now: float) -> str | None:
        """Return why a component, which started `uptime` seconds ago, is to be restarted; None if it works.

        Args:
            server: its name.
            query: asks Airflow's database.
            uptime: in seconds.
            now: in seconds, of a clock that does not go back.
        """
        job_type = COMPONENTS[server]
        age = healthcheck.heartbeat_age(query, job_type)
        if age is not None and healthcheck.has_stopped(age, uptime):
            return f"its last heartbeat is {age:.0f} s old"
        problem = healthcheck.undecided(query) if server == "airflow-scheduler" else None
        if problem is None:
            self._since.pop(server, None)
            return None
        # A DAG that has just been switched on has old runs, too; the scheduler looks at them at once.
        since = self._since.setdefault(server, now)
        return problem if min(now - since, uptime) > healthcheck.STALE else None


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
                print(f"{server} is restarted: {reason}", flush=True)
                processes.kill([process])


def main() -> None:
    """Look again and again; without a database there is nothing to decide. A file has the time of the last look."""
    watch = Watch()
    while True:
        try:
            look(watch, os.environ[marks.STATE], os.environ["AIRFLOW_DATABASE"])
            Path(os.environ["LAST_LOOK"]).touch()
        except OSError as error:
            print(f"no look: {error}", flush=True)
        time.sleep(PAUSE)


if __name__ == "__main__":
    main()
