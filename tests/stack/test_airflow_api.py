"""The client of Airflow's REST API, against answers as Airflow 3.3 gives them."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from stack import airflow_api
from stack.airflow_api import Airflow, AirflowError

TASK = {
    "dag_id": "ingest_auto", "dag_run_id": "scheduled__2026-01-01T00:00:00+00:00_x", "task_id": "take.load",
    "map_index": -1, "rendered_map_index": None, "state": "success", "try_number": 2, "duration": 3.5,
    "start_date": "2026-01-01T00:00:02+00:00",
}  # fmt: skip


@pytest.fixture
def airflow(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Airflow]:
    """Return a client of an Airflow that gives these answers, by method and path; `requests` keeps what was asked."""
    real = httpx.Client

    def connected(answers: dict[str, Any]) -> Airflow:
        requests: list[httpx.Request] = []

        def answer(request: httpx.Request) -> httpx.Response:
            requests.append(request)
            body = answers.get(f"{request.method} {request.url.path}", {"access_token": "secret"})
            return body if isinstance(body, httpx.Response) else httpx.Response(201, json=body)

        transport = httpx.MockTransport(answer)
        monkeypatch.setattr(airflow_api.httpx, "Client", lambda **given: real(transport=transport, **given))
        client = Airflow("http://airflow.test", "admin", "pass")
        client.requests = requests  # type: ignore[attr-defined]
        return client

    return connected


def state_of(**changes: Any) -> airflow_api.TaskState:
    return airflow_api._task_state(TASK | changes)


def test_a_task_names_the_page_that_shows_its_log() -> None:
    page = "dags/ingest_auto/runs/scheduled__2026-01-01T00%3A00%3A00%2B00%3A00_x/tasks/take.load"
    assert state_of().page == page
    assert state_of(map_index=0).page == f"{page}/mapped/0"
    assert state_of(map_index=3).page == f"{page}/mapped/3"


def test_a_mapped_task_is_labelled_by_its_file() -> None:
    assert state_of().label == "take.load"
    assert state_of(map_index=0).label == "take.load 0"
    assert state_of(map_index=0, rendered_map_index="train_auto.csv").label == "take.load train_auto.csv"


def test_a_task_that_has_not_begun_has_no_state_and_no_time() -> None:
    waiting = state_of(state=None, duration=None, start_date=None, try_number=0)
    assert (waiting.state, waiting.seconds, waiting.attempt) == ("none", 0.0, 0)


def test_it_logs_in_once_and_sends_the_token(airflow) -> None:
    client = airflow({"GET /api/v2/dags": {"dags": [{"dag_id": "train_auto", "is_paused": True}]}})
    assert client.dags() == {"train_auto": True}
    login, call = client.requests
    assert (login.url.path, json.loads(login.content)) == ("/auth/token", {"username": "admin", "password": "pass"})
    assert call.headers["Authorization"] == "Bearer secret"


def test_a_refused_login_names_the_user_and_not_the_password(airflow) -> None:
    with pytest.raises(AirflowError, match="refused the login of admin: 401") as error:
        airflow({"POST /auth/token": httpx.Response(401, text="no")})
    assert "pass" not in str(error.value)


def test_a_refused_call_says_which(airflow) -> None:
    client = airflow({"PATCH /api/v2/dags/x": httpx.Response(404, text="no such DAG")})
    with pytest.raises(AirflowError, match="PATCH /dags/x: 404 no such DAG"):
        client.unpause("x")


def test_all_dags_are_listed_page_by_page(airflow, monkeypatch) -> None:
    names = [f"train_{i}" for i in range(2 * airflow_api.PAGE)]

    def page(_: Any, method: str, path: str, params: dict[str, Any]) -> Any:
        assert (method, path) == ("GET", "/dags")
        found = names[params["offset"] : params["offset"] + params["limit"]]
        return {"dags": [{"dag_id": name, "is_paused": False} for name in found]}

    client = airflow({})
    monkeypatch.setattr(Airflow, "_call", page)
    assert list(client.dags()) == names


def test_dags_are_switched_on_and_off(airflow) -> None:
    client = airflow({})
    client.unpause("x")
    client.pause("x")
    assert [json.loads(request.content) for request in client.requests[1:]] == [{"is_paused": p} for p in (False, True)]


def test_runs_come_oldest_first_and_only_those_since(airflow) -> None:
    runs = [{"dag_run_id": str(hour), "run_after": f"2026-01-01T0{hour}:00:00Z"} for hour in (3, 2, 1)]
    client = airflow({"GET /api/v2/dags/x/dagRuns": {"dag_runs": runs}})
    assert [run["dag_run_id"] for run in client.runs("x")] == ["1", "2", "3"]
    since = datetime(2026, 1, 1, 2, tzinfo=UTC)
    assert [run["dag_run_id"] for run in client.runs("x", since, limit=7)] == ["2", "3"]
    assert dict(client.requests[-1].url.params) == {"order_by": "-run_after", "limit": "7"}


def test_tasks_come_in_the_order_in_which_they_began(airflow) -> None:
    found = [
        TASK | {"task_id": "c", "start_date": None, "duration": None},
        TASK | {"task_id": "b"},
        TASK | {"task_id": "a", "start_date": "2026-01-01T00:00:01+00:00"},
    ]
    client = airflow({"GET /api/v2/dags/x/dagRuns/r/taskInstances": {"task_instances": found}})
    assert [task.task_id for task in client.tasks("x", "r")] == ["a", "b", "c"]


def test_a_run_by_hand_sends_its_settings(airflow) -> None:
    client = airflow({"POST /api/v2/dags/x/dagRuns": {"dag_run_id": "manual"}})
    assert client.trigger("x", {"folds": 2}) == client.trigger("x") == "manual"
    sent = [json.loads(request.content) for request in client.requests[1:]]
    assert sent == [{"logical_date": None, "conf": {"folds": 2}}, {"logical_date": None, "conf": {}}]


CONNECTIONS = "PATCH /api/v2/connections"


def test_a_connection_is_added_or_replaced(airflow) -> None:
    client = airflow({CONNECTIONS: {"create": {"success": ["partner"], "errors": []}}})
    client.add_connection("partner", "aws", "ann", "secret", {"endpoint_url": "http://store"}, host="store", port=9000)
    (action,) = json.loads(client.requests[-1].content)["actions"]
    assert (action["action"], action["action_on_existence"]) == ("create", "overwrite")
    (sent,) = action["entities"]
    assert json.loads(sent.pop("extra")) == {"endpoint_url": "http://store"}
    assert sent == {
        "connection_id": "partner", "conn_type": "aws", "login": "ann", "password": "secret",
        "host": "store", "port": 9000,
    }  # fmt: skip


def test_a_connection_that_is_refused_is_named(airflow) -> None:
    client = airflow({CONNECTIONS: {"create": {"success": [], "errors": [{"error": "no such type"}]}}})
    with pytest.raises(AirflowError, match=r"the connection partner: .*no such type"):
        client.add_connection("partner", "none", "ann", "secret")


def test_import_errors_name_file_and_last_line(airflow) -> None:
    errors = [{"filename": "dags/a.py", "stack_trace": "Traceback\n  line\nNameError: x\n"}]
    client = airflow({"GET /api/v2/importErrors": {"import_errors": errors}})
    assert client.import_errors() == ["dags/a.py: NameError: x"]


def test_the_log_of_a_task_is_lines_without_the_names_of_groups(airflow: Callable[..., Airflow]) -> None:
    path = "GET /api/v2/dags/a/dagRuns/r/taskInstances/load/logs/2"
    lines = [{"event": "::group::Sources"}, {"event": "loaded"}, {"event": "::endgroup::"}]
    assert airflow({path: {"content": lines}}).log("a", "r", "load", 2) == ["loaded"]
