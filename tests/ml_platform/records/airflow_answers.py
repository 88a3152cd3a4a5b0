"""Entries as Airflow 3.3 gives them, and an Airflow that answers with them and keeps what it was asked."""

import json
from typing import Any

import httpx

RUN: dict[str, Any] = {
    "dag_id": "train_auto", "dag_run_id": "manual__1", "state": "running", "triggering_user_name": None, "conf": {},
    "queued_at": "2026-01-01T00:00:01Z", "start_date": "2026-01-01T00:00:02Z", "run_after": "2026-01-01T00:00:00Z",
}  # fmt: skip
TASK: dict[str, Any] = {
    "dag_id": "train_auto", "dag_run_id": "manual__1", "task_id": "search", "map_index": -1, "rendered_map_index": None,
    "state": "running", "try_number": 1, "start_date": "2026-01-01T00:00:03Z", "end_date": None, "queued_when": None,
    "scheduled_when": None, "run_after": "2026-01-01T00:00:00Z",
}  # fmt: skip
QUESTION: dict[str, Any] = {
    "subject": "auto: may version 2 go live?", "body": "| F1 | .6 |", "created_at": "2026-01-01T00:00:00Z",
    "task_instance": TASK | {"task_id": "approval", "state": "awaiting_input"},
}  # fmt: skip


def raised(kind: str, text: str) -> dict[str, Any]:
    """Return the log entry of an exception."""
    return {
        "event": "Task failed with exception",
        "level": "error",
        "error_detail": [{"exc_type": kind, "exc_value": text}],
    }


class FakeAirflow:
    """Answers by method and path below `/api/v2`; a path that has no answer gets `{}`."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.requests: list[httpx.Request] = []
        self.logins = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        if request.url.path == "/auth/token":
            self.logins += 1
            return self.response(self.answers.get("login", httpx.Response(201, json={"access_token": "secret"})))
        self.requests.append(request)
        path = request.url.path.removeprefix("/api/v2")
        return self.response(self.answers.get(f"{request.method} {path}", {}))

    @staticmethod
    def response(given: Any) -> httpx.Response:
        """Return an answer; raise it if it is an error."""
        if isinstance(given, Exception):
            raise given
        return given if isinstance(given, httpx.Response) else httpx.Response(200, json=given)

    def has(self, *, runs: Any = (), tasks: Any = (), questions: Any = ()) -> None:
        """Set what all DAGs have."""
        self.answers["GET /dags/~/dagRuns"] = {"dag_runs": list(runs)}
        self.answers["GET /dags/~/dagRuns/~/taskInstances"] = {"task_instances": list(tasks)}
        self.answers["GET /dags/~/dagRuns/~/hitlDetails"] = {"hitl_details": list(questions)}

    def sent(self) -> dict[str, Any]:
        """Return the body of the last request."""
        body: dict[str, Any] = json.loads(self.requests[-1].content)
        return body
