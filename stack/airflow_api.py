"""A small client of Airflow's REST API: switch DAGs on, follow their runs, answer what they ask."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any
from urllib.parse import quote

import httpx

API = "/api/v2"
LOGIN = "/auth/token"
FINISHED = ("success", "failed")
PAGE = 100  # entries of one answer; Airflow gives no more
NOTE = 1000  # characters of a note
PATIENT = httpx.Timeout(120)
QUICK = httpx.Timeout(8, connect=2)  # for pages: a person waits
ACTING = httpx.Timeout(60, connect=2)  # of what changes something: it is better to wait than not to know
UNFINISHED = ("queued", "running")  # states of runs
BEGUN = (  # states of tasks that will continue or begin by themselves, or when a person has answered
    *("scheduled", "queued", "running", "restarting", "deferred"),
    *("awaiting_input", "up_for_retry", "up_for_reschedule"),
)


class AirflowError(Exception):
    """Airflow refused a login or a request; the text names it.

    Attributes:
        status: the status of its answer, such as 404.
        detail: its own words.
    """

    def __init__(self, text: str, *, status: int = 0, detail: str = "") -> None:
        """Keep the text, and what Airflow answered."""
        super().__init__(text)
        self.status, self.detail = status, detail


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

    def __init__(self, url: str, user: str, password: str, timeout: httpx.Timeout = PATIENT) -> None:
        """Log in.

        Raises:
            AirflowError: the login is refused.
            httpx.TransportError: Airflow cannot be reached; so does every other method.
        """
        self._login = {"username": user, "password": password}
        self._http = httpx.Client(base_url=url, timeout=timeout)
        self._log_in()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def _log_in(self) -> None:
        answer = self._http.post(LOGIN, json=self._login)
        if answer.status_code != httpx.codes.CREATED:
            text = f"Airflow refused the login of {self._login['username']}: {answer.status_code} {answer.text[:200]}"
            raise AirflowError(text, status=answer.status_code, detail=_detail(answer))
        self._http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def _call(self, method: str, path: str, **kwargs: Any) -> Any:
        if method != "GET" and self._http.timeout == QUICK:
            kwargs["timeout"] = ACTING
        answer = self._http.request(method, API + path, **kwargs)
        if answer.status_code == httpx.codes.UNAUTHORIZED:  # a token lives for a day
            self._log_in()
            answer = self._http.request(method, API + path, **kwargs)
        if answer.is_error:
            text = f"{method} {path}: {answer.status_code} {answer.text[:300]}"
            raise AirflowError(text, status=answer.status_code, detail=_detail(answer))
        return answer.json()

    def _pages(self, path: str, entries: str, **params: Any) -> Iterator[dict[str, Any]]:
        """Yield all entries of a list; one call for each 100."""
        for offset in count(0, PAGE):
            page = self._call("GET", path, params={**params, "limit": PAGE, "offset": offset})[entries]
            yield from page
            if len(page) < PAGE:
                return

    def import_errors(self) -> list[str]:
        """Return the errors of DAG files that Airflow could not import, each with its file."""
        errors = self._call("GET", "/importErrors")["import_errors"]
        return [f"{e['filename']}: {e['stack_trace'].strip().splitlines()[-1]}" for e in errors]

    def dags(self) -> dict[str, bool]:
        """Return Airflow's DAGs, and whether each is paused."""
        return {dag["dag_id"]: dag["is_paused"] for dag in self._pages("/dags", "dags", order_by="dag_id")}

    def is_paused(self, dag_id: str) -> bool:
        """Return whether a DAG is switched off."""
        return bool(self._call("GET", f"/dags/{dag_id}")["is_paused"])

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

    def connections(self) -> list[str]:
        """Return the ids of all connections, in order."""
        return [one["connection_id"] for one in self._pages("/connections", "connections", order_by="connection_id")]

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
        entries = self.log_entries(dag_id, run_id, task_id, attempt)
        return [entry["event"] for entry in entries if not entry["event"].startswith("::")]

    def log_entries(
        self, dag_id: str, run_id: str, task_id: str, attempt: int, map_index: int = -1
    ) -> list[dict[str, Any]]:
        """Return the entries of a task's log; that of an exception has its parts as `error_detail`."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{attempt}"
        params = {"full_content": True, "map_index": map_index}
        entries: list[dict[str, Any]] = self._call("GET", path, params=params)["content"]
        return entries

    def unfinished_runs(self) -> list[dict[str, Any]]:
        """Return the runs of all DAGs that wait or run, oldest first."""
        return list(self._pages("/dags/~/dagRuns", "dag_runs", state=UNFINISHED, order_by="run_after"))

    def unfinished_tasks(self) -> list[dict[str, Any]]:
        """Return the task instances of all DAGs that have begun, or are about to."""
        return list(self._pages("/dags/~/dagRuns/~/taskInstances", "task_instances", state=BEGUN, order_by="id"))

    def failed_tasks(self, limit: int) -> list[dict[str, Any]]:
        """Return the task instances of all DAGs that failed last, newest first."""
        params = {"state": "failed", "order_by": "-end_date", "limit": limit}
        found: list[dict[str, Any]] = self._call("GET", "/dags/~/dagRuns/~/taskInstances", params=params)[
            "task_instances"
        ]
        return found

    def open_questions(self) -> list[dict[str, Any]]:
        """Return the questions to people that wait for an answer, oldest first."""
        waiting = {"response_received": False, "state": ("awaiting_input", "deferred"), "order_by": "created_at"}
        return list(self._pages("/dags/~/dagRuns/~/hitlDetails", "hitl_details", **waiting))

    def answer(
        self, dag_id: str, run_id: str, task_id: str, option: str, params: dict[str, Any], map_index: int = -1
    ) -> None:
        """Answer a question of a task.

        Args:
            dag_id: of the run.
            run_id: of the run.
            task_id: the task that asks.
            option: one of the task's options.
            params: the fields of its form.
            map_index: of a mapped task.
        """
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/{map_index}/hitlDetails"
        self._call("PATCH", path, json={"chosen_options": [option], "params_input": params})

    def clear(self, dag_id: str, run_id: str, task_id: str, note: str, map_index: int = -1) -> None:
        """Let a failed task, and those after it that did not run, run again; the note is shown with the task."""
        task = task_id if map_index < 0 else [task_id, map_index]
        which = {"dag_run_id": run_id, "task_ids": [task], "include_downstream": True, "only_failed": True}
        self._call("POST", f"/dags/{dag_id}/clearTaskInstances", json={**which, "dry_run": False, "note": note[:NOTE]})


def _detail(answer: httpx.Response) -> str:
    """Return what Airflow says about a refusal, without the frame of its answer."""
    try:
        detail = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):  # of a proxy, or of a server that is about to start
        return answer.text[:300]
    return detail if isinstance(detail, str) else json.dumps(detail)[:300]


def _task_state(task: dict[str, Any]) -> TaskState:
    return TaskState(
        task_id=task["task_id"],
        label=task_label(task),
        state=task["state"] or "none",
        attempt=task["try_number"],
        seconds=task["duration"] or _since(task["start_date"]),
        page=task_page(task),
    )


def task_label(task: Mapping[str, Any]) -> str:
    """Return the id of a task instance; of a mapped one with what tells it from the others."""
    mapped = task["map_index"] >= 0
    return f"{task['task_id']} {task.get('rendered_map_index') or task['map_index']}" if mapped else task["task_id"]


def task_page(task: Mapping[str, Any]) -> str:
    """Return the path of the page of a task instance in Airflow's UI, which shows its log."""
    page = f"dags/{quote(task['dag_id'])}/runs/{quote(task['dag_run_id'])}/tasks/{quote(task['task_id'])}"
    return f"{page}/mapped/{task['map_index']}" if task["map_index"] >= 0 else page


def _since(start: str | None) -> float:
    return (datetime.now(UTC) - datetime.fromisoformat(start)).total_seconds() if start else 0.0
