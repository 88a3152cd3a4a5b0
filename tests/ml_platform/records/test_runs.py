"""What runs, what failed, and what a person starts, against answers as Airflow 3.3 gives them."""

from datetime import UTC, datetime
from typing import Any

import pytest
from mlflow.exceptions import MlflowException

from ml_platform.exceptions import ConfigurationError
from ml_platform.records import runs
from ml_platform.training.search_progress import SearchProgress
from tests.ml_platform.records.airflow_answers import RUN, TASK, FakeAirflow, raised

LOG = "GET /dags/train_auto/dagRuns/manual__1/taskInstances/search/logs/1"
PROGRESS = SearchProgress(3, 24, None, "http://mlflow/run")


@pytest.fixture(autouse=True)
def search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs.search_progress, "progress", lambda name: PROGRESS if name == "auto" else None)


def test_a_run_has_its_current_tasks_and_its_search(airflow: FakeAirflow) -> None:
    airflow.has(runs=[RUN], tasks=[TASK])
    (run,) = runs.current()
    assert (run.verb, run.dataset, run.state, run.by, run.search) == ("train", "auto", "running", None, PROGRESS)
    assert run.since == datetime(2026, 1, 1, 0, 0, 2, tzinfo=UTC)
    assert [(task.label, task.state, task.attempt) for task in run.tasks] == [("search", "running", 1)]
    assert run.url == "http://localhost:8082/dags/train_auto/runs/manual__1"


def test_all_dags_cost_two_calls(airflow: FakeAirflow) -> None:
    airflow.has(runs=[RUN | {"dag_id": f"test_{i}"} for i in range(50)])
    assert len(runs.current()) == 50
    states = [request.url.params.get_list("state") for request in airflow.requests]
    assert states[0] == ["queued", "running"]
    assert {"running", "deferred", "awaiting_input", "up_for_retry"} < set(states[1])
    assert len(states) == 2


def test_the_newest_run_is_first_and_foreign_dags_are_left_out(airflow: FakeAirflow) -> None:
    queued = RUN | {"dag_id": "housekeeping", "state": "queued", "start_date": None, "queued_at": "2026-01-02T00:00Z"}
    airflow.has(runs=[RUN, queued, RUN | {"dag_id": "my_own"}])
    assert [(run.dag_id, run.dataset) for run in runs.current()] == [("housekeeping", None), ("train_auto", "auto")]


@pytest.mark.parametrize(
    ("tasks", "waits_for"),
    [
        ([], None),
        ([TASK], None),
        ([TASK | {"task_id": "wait_for_file", "state": "deferred"}], "a file"),
        ([TASK | {"task_id": "wait_for_champion", "state": "up_for_reschedule"}], "a champion"),
        ([TASK | {"task_id": "approval", "state": "awaiting_input"}], "a person"),
        ([TASK | {"task_id": "wait_for_file", "state": "up_for_retry"}], "a retry"),
        ([TASK, TASK | {"task_id": "load", "state": "up_for_retry"}], None),
    ],
)
def test_what_a_run_waits_for(airflow: FakeAirflow, tasks: list[dict[str, Any]], waits_for: str | None) -> None:
    airflow.has(runs=[RUN], tasks=tasks)
    for task in tasks:
        path = f"GET /dags/train_auto/dagRuns/manual__1/taskInstances/{task['task_id']}/logs/1"
        airflow.answers[path] = {"content": []}
    (run,) = runs.current()
    assert run.waits_for == waits_for


def test_a_task_that_waits_for_a_retry_says_why(airflow: FakeAirflow) -> None:
    airflow.has(runs=[RUN], tasks=[TASK | {"state": "up_for_retry"}, TASK | {"task_id": "other"}])
    airflow.answers[LOG] = {"content": [raised("ServiceError", "Postgres is away")]}
    (run,) = runs.current()
    assert [task.problem for task in run.tasks] == ["Postgres is away", None]


def test_a_run_names_the_person_behind_the_home_page(airflow: FakeAirflow) -> None:
    conf = {"on_behalf_of": "ann"}
    users = ("home", "mallory")
    airflow.has(runs=[RUN | {"dag_run_id": user, "triggering_user_name": user, "conf": conf} for user in users])
    assert {run.run_id: run.by for run in runs.current()} == {"home": "ann", "mallory": "mallory"}


def test_mlflow_away_hides_no_run(airflow: FakeAirflow, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_: str) -> None:
        raise MlflowException("API request failed")

    monkeypatch.setattr(runs.search_progress, "progress", away)
    airflow.has(runs=[RUN], tasks=[TASK])
    assert runs.current()[0].search is None


def test_only_a_running_search_is_looked_up(airflow: FakeAirflow) -> None:
    airflow.has(runs=[RUN], tasks=[TASK | {"task_id": "refit"}, TASK | {"state": "queued"}])
    assert runs.current()[0].search is None


def test_a_failure_has_the_reason_of_its_log(airflow: FakeAirflow) -> None:
    ended = TASK | {
        "state": "failed",
        "end_date": "2026-01-01T01:00:00Z",
        "map_index": 2,
        "rendered_map_index": "a.csv",
    }
    airflow.has(tasks=[ended, ended | {"dag_id": "my_own"}])
    airflow.answers[LOG] = {"content": [raised("DegenerateDataError", "auto: a single class")]}
    (failure,) = runs.failures(limit=7)
    assert (failure.reason, failure.label, failure.at.hour) == ("auto: a single class", "search a.csv", 1)
    assert failure.url == "http://localhost:8082/dags/train_auto/runs/manual__1/tasks/search/mapped/2"
    assert dict(airflow.requests[0].url.params) == {"state": "failed", "order_by": "-end_date", "limit": "7"}


def test_a_run_is_started_for_a_person(airflow: FakeAirflow) -> None:
    airflow.answers["POST /dags/rollback_auto/dagRuns"] = {"dag_run_id": "manual__2"}
    assert runs.trigger("rollback_auto", {"reason": "too many calls"}, by=" ann ") == "manual__2"
    assert airflow.sent()["conf"] == {"reason": "too many calls", "on_behalf_of": "ann"}
    assert [request.method for request in airflow.requests] == ["PATCH", "POST"]


def test_nobody_starts_no_run(airflow: FakeAirflow) -> None:
    with pytest.raises(ConfigurationError, match="is missing"):
        runs.trigger("rollback_auto", {}, by=" ")
    assert not any(request.method == "POST" for request in airflow.requests)


def test_a_failed_task_runs_again_with_a_note(airflow: FakeAirflow) -> None:
    airflow.has(tasks=[TASK | {"state": "failed"}])
    airflow.answers[LOG] = {"content": []}
    (failure,) = runs.failures()
    runs.clear(failure, by="ann")
    assert airflow.sent() == {
        "dag_run_id": "manual__1", "task_ids": ["search"], "include_downstream": True, "only_failed": True,
        "dry_run": False, "note": "cleared by ann",
    }  # fmt: skip
