"""What runs in Airflow now, what failed last and why, and how a person starts a run or has a failed task run again.

Every function asks Airflow's API once or twice, whatever the number of DAGs.

Raises, in each of them:
    ServiceError: Airflow is not reachable, or failed; it is known within seconds.
    ConfigurationError: Airflow refused the request; the text says why.
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from mlflow.exceptions import MlflowException

from ml_platform.pages import address
from ml_platform.records import dag_names
from ml_platform.records.airflow_session import airflow
from ml_platform.records.failure_reasons import reason_of
from ml_platform.records.persons import ON_BEHALF_OF, needed, person
from ml_platform.training import search_progress
from ml_platform.training.search_progress import SearchProgress
from stack.airflow_api import Airflow, task_label, task_page

WaitsFor = Literal["a file", "a champion", "a person", "a retry"]
BY_TASK: Mapping[str, WaitsFor] = {"wait_for_file": "a file", "wait_for_champion": "a champion"}
BY_STATE: Mapping[str, WaitsFor] = {"awaiting_input": "a person", "up_for_retry": "a retry"}


@dataclass(frozen=True)
class Task:
    """A task of a run that has begun, or is about to.

    Attributes:
        label: its id; of a mapped task with what tells it from the others.
        state: in Airflow's words, such as `running`, `queued`, `awaiting_input`, `up_for_retry`.
        since: when its latest attempt began, or when it was queued (UTC).
        attempt: 1 for the first.
        problem: why the last attempt failed, while it waits for a retry.
    """

    task_id: str
    map_index: int
    label: str
    state: str
    since: datetime
    attempt: int
    problem: str | None = None

    @property
    def waits_for(self) -> WaitsFor | None:
        """What it waits for; None if it works, or is about to."""
        return BY_STATE.get(self.state) or BY_TASK.get(self.task_id)


@dataclass(frozen=True)
class Run:
    """A run that is queued or running.

    Attributes:
        verb: of the DAG, such as `train`.
        dataset: data set or feature table; None of a DAG for all.
        since: when it began, or when it was queued (UTC).
        by: who started it; None if it started by itself.
        tasks: what it does now, oldest first; empty between two tasks.
        search: how far its search is, while the task `search` runs.
        url: its page in Airflow.
    """

    dag_id: str
    run_id: str
    verb: str
    dataset: str | None
    state: Literal["queued", "running"]
    since: datetime
    by: str | None
    tasks: tuple[Task, ...]
    search: SearchProgress | None
    url: str

    @property
    def waits_for(self) -> WaitsFor | None:
        """What the whole run waits for; None if a task works, or is about to."""
        waits = {task.waits_for for task in self.tasks}
        return waits.pop() if len(waits) == 1 else None


@dataclass(frozen=True)
class Failure:
    """A task that failed, and that nobody has cleared since.

    Attributes:
        label: as `Task.label`.
        at: when it failed (UTC).
        reason: the error in one line, from the task's log.
        attempt: the number of the attempt that failed last.
        url: its log in Airflow.
    """

    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    verb: str
    dataset: str | None
    label: str
    at: datetime
    attempt: int
    reason: str
    url: str


def current() -> list[Run]:
    """Return the runs of the platform that are queued or running, the newest first.

    One `ingest_` and one `test_` run of each data set always wait for a file, see `Run.waits_for`.
    """
    with airflow() as api:
        runs, tasks = api.unfinished_runs(), api.unfinished_tasks()
        by_run: dict[tuple[str, str], list[Task]] = defaultdict(list)
        for task in tasks:
            by_run[task["dag_id"], task["dag_run_id"]].append(_task(api, task))
    found = [_run(run, by_run[run["dag_id"], run["dag_run_id"]]) for run in runs if dag_names.parts(run["dag_id"])]
    return sorted(found, key=lambda run: run.since, reverse=True)


def failures(limit: int = 10) -> list[Failure]:
    """Return the tasks of the platform that failed last, newest first, each with its reason."""
    with airflow() as api:
        tasks = [task for task in api.failed_tasks(limit) if dag_names.parts(task["dag_id"])]
        return [_failure(task, reason_of(api, task)) for task in tasks]


def trigger(dag_id: str, conf: Mapping[str, Any], *, by: str) -> str:
    """Start a run for a person, as Airflow's form does; a DAG that is off is switched on. Return the run's id.

    Args:
        dag_id: such as `rollback_auto`.
        conf: the fields of the form.
        by: the person, under whose name the run records what it does.
    """
    with airflow() as api:
        api.unpause(dag_id)
        return api.trigger(dag_id, {**conf, ON_BEHALF_OF: needed(by, "by")})


def clear(failure: Failure, *, by: str) -> None:
    """Let a failed task, and those behind it, run again; the task's note in Airflow says who wanted it."""
    note = f"cleared by {needed(by, 'by')}"
    with airflow() as api:
        api.clear(failure.dag_id, failure.run_id, failure.task_id, note, failure.map_index)


def _run(run: Mapping[str, Any], tasks: Iterable[Task]) -> Run:
    verb, dataset = dag_names.parts(run["dag_id"]) or (run["dag_id"], None)
    own = tuple(sorted(tasks, key=lambda task: task.since))
    conf = run.get("conf") or {}
    return Run(
        dag_id=run["dag_id"], run_id=run["dag_run_id"], verb=verb, dataset=dataset, state=run["state"],
        since=_moment(run["start_date"] or run["queued_at"] or run["run_after"]),
        by=person(run["triggering_user_name"], conf.get(ON_BEHALF_OF)),
        tasks=own, search=_search(dataset, own),
        url=address(os.environ, "run", f"{run['dag_id']}/{run['dag_run_id']}"),
    )  # fmt: skip


def _task(api: Airflow, task: Mapping[str, Any]) -> Task:
    began = task["start_date"] or task["queued_when"] or task["scheduled_when"] or task["run_after"]
    return Task(
        task_id=task["task_id"], map_index=task["map_index"], label=task_label(task), state=task["state"],
        since=_moment(began), attempt=max(task["try_number"], 1),
        problem=reason_of(api, task) if task["state"] == "up_for_retry" else None,
    )  # fmt: skip


def _search(dataset: str | None, tasks: Iterable[Task]) -> SearchProgress | None:
    """Return the progress of a run's search; None also while MLflow does not answer, which is not Airflow's fault."""
    if dataset is None or not any((task.task_id, task.state) == ("search", "running") for task in tasks):
        return None
    try:
        return search_progress.progress(dataset)
    except MlflowException:
        return None


def _failure(task: Mapping[str, Any], reason: str) -> Failure:
    verb, dataset = dag_names.parts(task["dag_id"]) or (task["dag_id"], None)
    return Failure(
        dag_id=task["dag_id"], run_id=task["dag_run_id"], task_id=task["task_id"], map_index=task["map_index"],
        verb=verb, dataset=dataset, label=task_label(task), attempt=max(task["try_number"], 1), reason=reason,
        at=_moment(task["end_date"] or task["start_date"] or task["run_after"]),
        url=f"{os.environ.get('AIRFLOW_URL', '').rstrip('/')}/{task_page(task)}",
    )  # fmt: skip


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
