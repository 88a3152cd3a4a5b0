"""A small client of Airflow's REST API: switch DAGs on, follow their runs."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any
from urllib.parse import quote

import httpx

API = "/api/v2"
FINISHED = ("success", "failed")
PAGE = 100  # entries of one answer; Airflow gives no more


class AirflowError(Exception):
    """Airflow refused a login or a request; the text names it."""


@dataclass(frozen=True)
class TaskState:
    """One task instance; `page` is the path of its log in Airflow's UI."""

    task_id: str
    label: str
    state: str
    attempt: int
    seconds: float
    page: str


class Airflow:
    """A logged-in session with one Airflow."""

    def __init__(self, url: str, user: str, password: str) -> None:
        """Log in.

        Raises:
            AirflowError: the login is refused.
        """
        self._http = httpx.Client(base_url=url, timeout=120)
        self._http.headers["Authorization"] = f"Bearer {self._token(user, password)}"

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def _token(self, user: str, password: str) -> str:
        answer = self._http.post("/auth/token", json={"username": user, "password": password})
        if answer.status_code != httpx.codes.CREATED:
            raise AirflowError(f"Airflow refused the login of {user}: {answer.status_code} {answer.text[:200]}")
        return str(answer.json()["access_token"])

    def _call(self, method: str, path: str, **kwargs: Any) -> Any:
        answer = self._http.request(method, API + path, **kwargs)
        if answer.is_error:
            raise AirflowError(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        return answer.json()

    def import_errors(self) -> list[str]:
        """Return the errors of DAG files that Airflow could not import, each with its file."""
        errors = self._call("GET", "/importErrors")["import_errors"]
        return [f"{e['filename']}: {e['stack_trace'].strip().splitlines()[-1]}" for e in errors]

    def dags(self) -> dict[str, bool]:
        """Return Airflow's DAGs, and whether each is paused."""
        found: dict[str, bool] = {}
        for offset in count(0, PAGE):
            page = self._call("GET", "/dags", params={"limit": PAGE, "offset": offset, "order_by": "dag_id"})["dags"]
            found |= {dag["dag_id"]: dag["is_paused"] for dag in page}
            if len(page) < PAGE:
                break
        return found

    def unpause(self, dag_id: str) -> None:
        """Switch a DAG on."""
        self._call("PATCH", f"/dags/{dag_id}", json={"is_paused": False})

    def pause(self, dag_id: str) -> None:
        """Switch a DAG off; runs that have begun continue."""
        self._call("PATCH", f"/dags/{dag_id}", json={"is_paused": True})

    def trigger(self, dag_id: str, conf: dict[str, Any] | None = None) -> str:
        """Start a manual run, as the trigger form does; return its id."""
        run = self._call("POST", f"/dags/{dag_id}/dagRuns", json={"logical_date": None, "conf": conf or {}})
        return str(run["dag_run_id"])

    def add_connection(
        self, name: str, kind: str, login: str, password: str, extra: dict[str, Any] | None = None, **place: Any
    ) -> None:
        """Add a connection to another system; one of the same name is replaced.

        Args:
            name: of the connection.
            kind: its type.
            login: name of the user.
            password: of the user.
            extra: more settings.
            place: host, port and schema, where there are any.
        """
        fields = {"connection_id": name, "conn_type": kind, "login": login, "password": password, **place}
        create = {"action": "create", "action_on_existence": "overwrite"}
        actions = [create | {"entities": [fields | {"extra": json.dumps(extra or {})}]}]
        answer = self._call("PATCH", "/connections", json={"actions": actions})
        if errors := answer["create"]["errors"]:
            raise AirflowError(f"the connection {name}: {errors}")

    def runs(self, dag_id: str, since: datetime | None = None, limit: int = 20) -> list[dict[str, Any]]:
        """Return the newest runs of a DAG, oldest first; with `since`, only those that started then or later."""
        params: dict[str, Any] = {"order_by": "-run_after", "limit": limit}
        runs = self._call("GET", f"/dags/{dag_id}/dagRuns", params=params)["dag_runs"]
        return [r for r in reversed(runs) if since is None or datetime.fromisoformat(r["run_after"]) >= since]

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        """Return one run."""
        run: dict[str, Any] = self._call("GET", f"/dags/{dag_id}/dagRuns/{run_id}")
        return run

    def tasks(self, dag_id: str, run_id: str) -> list[TaskState]:
        """Return the task instances of a run, in the order in which they started."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances"
        tasks = self._call("GET", path, params={"limit": 200})["task_instances"]
        return [_task_state(task) for task in sorted(tasks, key=lambda t: t["start_date"] or "9999")]

    def log(self, dag_id: str, run_id: str, task_id: str, attempt: int = 1) -> list[str]:
        """Return the lines of a task's log, as its page shows them, without the names of their groups."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{attempt}"
        content = self._call("GET", path, params={"full_content": True})["content"]
        return [line["event"] for line in content if not line["event"].startswith("::")]


def _task_state(task: dict[str, Any]) -> TaskState:
    mapped = task["map_index"] >= 0
    page = f"dags/{quote(task['dag_id'])}/runs/{quote(task['dag_run_id'])}/tasks/{quote(task['task_id'])}"
    return TaskState(
        task_id=task["task_id"],
        label=f"{task['task_id']} {task.get('rendered_map_index') or task['map_index']}" if mapped else task["task_id"],
        state=task["state"] or "none",
        attempt=task["try_number"],
        seconds=task["duration"] or _since(task["start_date"]),
        page=f"{page}/mapped/{task['map_index']}" if mapped else page,
    )


def _since(start: str | None) -> float:
    return (datetime.now(UTC) - datetime.fromisoformat(start)).total_seconds() if start else 0.0
