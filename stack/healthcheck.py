"""`python -m stack.healthcheck KIND ARGUMENT`: the health check of a container; exit code 0 if it does its work.

Each checks the function, not the process: a page that needs the database, a recent heartbeat, a look at each run. It
runs every ten seconds in every container, so it is light: it imports neither Airflow nor our settings.

A component of Airflow that has stopped its heartbeats is killed, so that its container starts again: a scheduler that
loses its database during a query leaves its loop, and then schedules nothing until its tasks have ended. So is a
scheduler that writes heartbeats but decides nothing. Two looks must find the same: after an outage of the database or
a jump of the clock, the first one may come before the next heartbeat. Without containers, `stack.watchdog` does this.
"""

import base64
import json
import os
import signal
import socket
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Query = Callable[..., list[tuple[Any, ...]]]

STALE = 60  # seconds after which a heartbeat is too old; Airflow's components write one every 5
UNSENT = 300  # seconds after which the sender of alerts is taken to have stopped; it looks every 30, and sends
SILENT = 30  # seconds after which the scorers of streams are taken to have stopped; their server says so every 2
STOPPED = 90  # seconds after which no further heartbeat is expected
TIMEOUT = 6
SECOND_LOOK = 12  # seconds until it; a component that works has written a heartbeat, and looked at its runs
# The scheduler looks at each running run of a DAG that is on every second, also if there is nothing to do for it.
UNDECIDED = """
SELECT run.dag_id, extract(epoch FROM now() - coalesce(run.last_scheduling_decision, run.start_date))::float AS age
FROM dag_run AS run JOIN dag USING (dag_id)
WHERE run.state = 'running' AND run.run_after <= now() AND NOT dag.is_paused AND NOT dag.is_stale
ORDER BY 2 DESC NULLS LAST LIMIT 1"""


def main(kind: str, argument: str) -> str | None:
    """Return the problem; None if the container is healthy."""
    try:
        return CHECKS[kind](argument)
    except (OSError, ValueError) as error:
        return f"{argument}: {error}"


def airflow_api(url: str) -> str | None:
    """The API answers, and reaches its database."""
    status = _json(f"{url}/api/v2/monitor/health")["metadatabase"]["status"]
    return None if status == "healthy" else f"Airflow reports its database as {status}"


def mlflow(url: str) -> str | None:
    """A search in the database works."""
    _json(f"{url}/api/2.0/mlflow/experiments/search", {"max_results": 1}, login="MLFLOW_PIPELINES")
    return None


def feast(url: str) -> str | None:
    """The UI serves a registry that is not empty."""
    entities = _json(f"{url}/api/v1/entities?project=ml_platform", login="FEAST_ADMIN")["entities"]
    return None if entities else "the registry is empty"


def serving(url: str) -> str | None:
    """The service is live; a new platform has no model yet, so a prediction is not required."""
    _json(f"{url}/live")
    return None


def home(url: str) -> str | None:
    """The home page answers; each part of it says itself what it lacks."""
    _json(f"{url}/live")
    return None


def stream(path: str) -> str | None:
    """The server of the streams has written this file a short while ago: all scorers work, if there are any."""
    file = Path(path)
    if file.exists() and time.time() - file.stat().st_mtime < SILENT:
        return None
    return f"its scorers have not all worked for {SILENT} s"


def alerts(path: str) -> str | None:
    """The sender of alerts has touched this file after a look a short while ago."""
    file = Path(path)
    if file.exists() and time.time() - file.stat().st_mtime < UNSENT:
        return None
    return f"it has not looked for {UNSENT} s"


def metrics(url: str) -> str | None:
    """The page of the metrics answers; what it says about a database is for Prometheus."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=TIMEOUT) as response:  # noqa: S310
        return None if b"ml_platform_database_up" in response.read() else "the page has no metrics"


def heartbeat(job_type: str) -> str | None:
    """The Airflow component in this container has written a recent heartbeat; one that has stopped is killed."""
    problem, stopped = _look(job_type)
    if stopped:
        time.sleep(SECOND_LOOK)
        problem, stopped = _look(job_type)
    if not stopped:
        return problem
    for process in _processes():
        os.kill(process, signal.SIGKILL)
    return f"{problem}; it is killed, so that it starts again"


def _look(job_type: str) -> tuple[str | None, bool]:
    """Return the problem, if there is one, and whether the component seems to have stopped."""
    uptime = max(_processes().values(), default=0)
    with database(_address()) as query:
        # this name is in docker-compose.yml, too: by default Airflow asks the DNS for one
        age = heartbeat_age(query, job_type, socket.gethostname())
        idle = undecided(query) if job_type == "SchedulerJob" else None
    if idle:
        return idle, uptime > STOPPED
    if age is None or age >= STALE:
        return f"the newest heartbeat of {job_type} is {age} s old", age is not None and has_stopped(age, uptime)
    return None, False


def undecided(query: Query) -> str | None:
    """Return as a problem which running run the scheduler has not looked at for `STALE` seconds; None without one."""
    rows = query(UNDECIDED)
    if not rows or rows[0][1] is None or rows[0][1] < STALE:
        return None
    dag_id, age = rows[0]
    return f"the scheduler has not looked at a running run of {dag_id} for {age:.0f} s"


def has_stopped(age: float, uptime: float) -> bool:
    """Return whether a component wrote heartbeats since its start `uptime` seconds ago, and then stopped."""
    return STOPPED < age < uptime


def heartbeat_age(query: Query, job_type: str, host: str | None = None) -> float | None:
    """Return the seconds since the last heartbeat by the database's clock; None without one.

    Args:
        query: asks Airflow's database.
        job_type: Airflow's name of the component.
        host: the name of its host as Airflow records it; None for any.
    """
    sql = (
        "SELECT extract(epoch FROM now() - max(latest_heartbeat))::float FROM job"
        " WHERE job_type = %s AND hostname = coalesce(%s, hostname) AND state = 'running'"
    )
    rows = query(sql, job_type, host)
    age: float | None = rows[0][0]
    return age


def _address() -> str:
    return os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].replace("postgresql+psycopg2:", "postgresql:")


@contextmanager
def database(address: str) -> Iterator[Query]:
    """Yield a function that runs a query and returns its rows.

    Raises:
        OSError: the database does not answer.
    """
    import psycopg2

    try:
        connection = psycopg2.connect(address, connect_timeout=TIMEOUT)
    except psycopg2.OperationalError as error:
        raise OSError(str(error).strip()) from error

    def query(sql: str, *values: str | None) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows

    try:
        yield query
    finally:
        connection.close()


def _processes() -> dict[int, float]:
    """Return the age in seconds of each process that the container's first process started."""
    now = float(Path("/proc/uptime").read_text().split()[0])
    ages = {}
    for folder in Path("/proc").glob("[0-9]*"):
        # proc(5): the name, in parentheses, can be any text; the parent is the 2nd field after it, the start the 20th
        fields = (folder / "stat").read_text().rpartition(")")[2].split() if (folder / "stat").exists() else []
        if len(fields) > 19 and fields[1] == "1" and int(folder.name) != os.getpid():
            ages[int(folder.name)] = now - int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return ages


CHECKS: dict[str, Callable[[str], str | None]] = {
    "airflow-api": airflow_api,
    "mlflow": mlflow,
    "feast": feast,
    "home": home,
    "serving": serving,
    "stream": stream,
    "alerts": alerts,
    "metrics": metrics,
    "heartbeat": heartbeat,
}


def _json(url: str, body: Any = None, *, login: str = "") -> Any:
    """Return the JSON answer of a server in this container; `login` begins the names of the variables of a login."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    if login:
        user, password = (os.environ[f"{login}_{part}"] for part in ("USER", "PASSWORD"))
        headers["Authorization"] = f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"
    request = urllib.request.Request(url, data=data, headers=headers)  # noqa: S310
    with urllib.request.urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310
        return json.loads(response.read())


if __name__ == "__main__":
    if problem := main(*sys.argv[1:]):
        print(problem)
        sys.exit(1)
