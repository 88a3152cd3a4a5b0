"""`python -m stack.healthcheck KIND ARGUMENT`: the health check of a container; exit code 0 if it does its work.

Each checks the function, not the process: a page that needs the database, a recent heartbeat. It runs every ten seconds
in every container, so it is light: it imports neither Airflow nor our settings.

A component of Airflow that has stopped its heartbeats is killed, so that its container starts again: a scheduler that
loses its database during a query leaves its loop, and then schedules nothing until its tasks have ended.
"""

import json
import os
import signal
import socket
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

STALE = 60  # seconds after which a heartbeat is too old; Airflow's components write one every 5
STOPPED = 90  # seconds after which no further heartbeat is expected
TIMEOUT = 6


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
    _json(f"{url}/api/2.0/mlflow/experiments/search", {"max_results": 1})
    return None


def feast(url: str) -> str | None:
    """The UI serves a registry that is not empty."""
    return None if _json(f"{url}/api/v1/entities?project=ml_platform")["entities"] else "the registry is empty"


def serving(url: str) -> str | None:
    """The service is live; a new platform has no model yet, so a prediction is not required."""
    _json(f"{url}/live")
    return None


def heartbeat(job_type: str) -> str | None:
    """The Airflow component in this container has written a recent heartbeat; one that has stopped is killed."""
    age = _age(job_type)
    if age is not None and age < STALE:
        return None
    processes = _processes()
    if age is not None and has_stopped(age, max(processes.values(), default=0)):
        for process in processes:
            os.kill(process, signal.SIGKILL)
        return f"{job_type} wrote its last heartbeat {age:.0f} s ago; it is killed, so that it starts again"
    return f"the newest heartbeat of {job_type} is {age} s old"


def has_stopped(age: float, uptime: float) -> bool:
    """Return whether a component wrote heartbeats since its start `uptime` seconds ago, and then stopped."""
    return STOPPED < age < uptime


def _age(job_type: str) -> float | None:
    """Return the seconds since the last heartbeat of this container, by the database's clock; None without one."""
    import psycopg2

    address = os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].replace("postgresql+psycopg2:", "postgresql:")
    sql = (
        "SELECT extract(epoch FROM now() - max(latest_heartbeat))::float FROM job"
        " WHERE job_type = %s AND hostname = %s AND state = 'running'"
    )
    try:
        connection = psycopg2.connect(address, connect_timeout=TIMEOUT)
    except psycopg2.OperationalError as error:
        raise OSError(str(error).strip()) from error
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql, (job_type, socket.getfqdn()))
            (age,) = cursor.fetchone() or (None,)
    finally:
        connection.close()
    return age


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
    "serving": serving,
    "heartbeat": heartbeat,
}


def _json(url: str, body: Any = None) -> Any:
    """Return the JSON answer of a server in this container."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310
        return json.loads(response.read())


if __name__ == "__main__":
    if problem := main(*sys.argv[1:]):
        print(problem)
        sys.exit(1)
