"""`python -m stack.healthcheck KIND ARGUMENT`: is this container doing its work? Exit code 0 if so.

Each asks for the function, not for a process: a page that needs the database, a heartbeat that is fresh. Light, for it
runs every ten seconds in every container: it imports neither Airflow nor our settings.
"""

import json
import os
import socket
import sys
import urllib.request
from collections.abc import Callable
from typing import Any

STALE = 60  # seconds after which a heartbeat no longer counts; Airflow's components write one every 5
TIMEOUT = 6


def main(kind: str, argument: str) -> str | None:
    """Return what is wrong, or None."""
    try:
        return CHECKS[kind](argument)
    except (OSError, ValueError) as error:
        return f"{argument}: {error}"


def airflow_api(url: str) -> str | None:
    """The API answers, and reaches its database."""
    status = _json(f"{url}/api/v2/monitor/health")["metadatabase"]["status"]
    return None if status == "healthy" else f"Airflow calls its database {status}"


def mlflow(url: str) -> str | None:
    """A search in the database is answered."""
    _json(f"{url}/api/2.0/mlflow/experiments/search", {"max_results": 1})
    return None


def feast(url: str) -> str | None:
    """The registry is served."""
    return None if _json(f"{url}/api/v1/entities?project=ml_platform")["entities"] else "the registry is empty"


def heartbeat(job_type: str) -> str | None:
    """The Airflow component in this container has lately written its heartbeat."""
    import psycopg2

    address = os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].replace("postgresql+psycopg2:", "postgresql:")
    sql = (
        "SELECT extract(epoch FROM now() - max(latest_heartbeat)) FROM job"
        " WHERE job_type = %s AND hostname = %s AND state = 'running'"
    )
    try:
        connection = psycopg2.connect(address, connect_timeout=TIMEOUT)
    except psycopg2.OperationalError as error:
        return str(error)
    with connection, connection.cursor() as cursor:
        cursor.execute(sql, (job_type, socket.getfqdn()))
        (age,) = cursor.fetchone() or (None,)
    connection.close()
    return None if age is not None and age < STALE else f"the newest heartbeat of {job_type} is {age} s old"


CHECKS: dict[str, Callable[[str], str | None]] = {
    "airflow-api": airflow_api,
    "mlflow": mlflow,
    "feast": feast,
    "heartbeat": heartbeat,
}


def _json(url: str, body: Any = None) -> Any:
    """Return the answer of a server in this very container, of which it proves nothing but life."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310
        return json.loads(response.read())


if __name__ == "__main__":
    if problem := main(*sys.argv[1:]):
        print(problem)
        sys.exit(1)
