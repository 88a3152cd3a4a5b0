"""Emit an event of OpenLineage for each step of a task. It never fails a task: what cannot be emitted is logged."""

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple, ParamSpec, TypeVar

from airflow.providers.openlineage import conf
from airflow.providers.openlineage.plugins.adapter import OpenLineageAdapter
from airflow.sdk import get_current_context
from openlineage.client.facet_v2 import parent_run
from openlineage.client.uuid import generate_static_uuid

from ml_platform.airflow.lineage_transport import PlatformTransport
from ml_platform.exceptions import PlatformError
from ml_platform.ingestion.upload_report import UploadReport
from ml_platform.lineage import events
from ml_platform.lineage.events import RunTimes, Step
from ml_platform.scoring.result_keys import BUCKET, card_key
from ml_platform.specs.spec import Dataset, Table
from ml_platform.storage import object_store
from ml_platform.training.results import Challenger, TrainingSetReference

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")
Take = Callable[[str], UploadReport]


class _Identity(NamedTuple):
    """What a step is about: a time, and texts. A retry of the step has the same."""

    moment: datetime
    texts: tuple[str, ...]

    def run_id(self, job: str) -> str:
        """Return the id of the step's run."""
        return str(generate_static_uuid(self.moment, json.dumps([job, *self.texts]).encode()))


@lru_cache(maxsize=1)
def transport() -> PlatformTransport:
    """Return where this process sends its events."""
    return PlatformTransport()


def emitting(table: Table, take: Take, context: Mapping[str, Any]) -> Take:
    """Return a function that takes a file as `take` does, and then emits its event.

    Args:
        table: the spec.
        take: loads or scores the file with a key, settles it and returns its report.
        context: of the task; the function may be called in other threads.
    """

    def taken(key: str) -> UploadReport:
        began = datetime.now(UTC)
        report = take(key)
        upload = _Identity(datetime.fromisoformat(report["last_modified"]), (report["key"], report["etag"]))
        _emit(lambda: events.of_upload(table, report, _card(report)), upload, began, context)
        return report

    return taken


def _card(report: UploadReport) -> dict[str, Any] | None:
    if report["outcome"] != "scored" or not report["result_key"]:
        return None
    card: dict[str, Any] = json.loads(object_store.get(BUCKET, card_key(report["result_key"])))
    return card


def training(dataset: Dataset, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call a task that freezes a training set, or trains a version on one; emit an event about its result."""
    began, context = datetime.now(UTC), get_current_context()
    result = function(*args, **kwargs)
    dag_run = _Identity(_moment(context), (context["dag_run"].dag_id, context["dag_run"].run_id))
    inputs = [*args, *kwargs.values()]
    _emit(lambda: _training_step(dataset, result, inputs), dag_run, began, context)
    return result


def _training_step(dataset: Dataset, result: Any, inputs: Iterable[Any]) -> Step | None:
    if isinstance(result, TrainingSetReference):
        return events.of_training_set(dataset, result)
    references = [value for value in inputs if isinstance(value, TrainingSetReference)]
    if isinstance(result, Challenger) and references:
        return events.of_training(dataset, references[0], result)
    return None


def _emit(step_of: Callable[[], Step | None], identity: _Identity, began: datetime, context: Mapping[str, Any]) -> None:
    try:
        if not transport().is_wanted or (step := step_of()) is None:
            return
        run = RunTimes(identity.run_id(step.job), began, datetime.now(UTC), parent(context))
        for event in events.run_events(step, run):
            transport().emit(event)
    except (PlatformError, OSError, RuntimeError, ValueError) as error:
        log.warning("lineage: no event of this step: %s", error)


def parent(context: Mapping[str, Any]) -> parent_run.ParentRunFacet:
    """Return the facet that names the running task, and its DAG run, by the ids of Airflow's own events."""
    ti, moment, namespace = context["ti"], _moment(context), conf.namespace()
    task = OpenLineageAdapter.build_task_instance_run_id(
        dag_id=ti.dag_id, task_id=ti.task_id, try_number=ti.try_number, logical_date=moment, map_index=ti.map_index
    )
    clears = getattr(context["dag_run"], "clear_number", 0) or 0
    root = OpenLineageAdapter.build_dag_run_id(dag_id=ti.dag_id, logical_date=moment, clear_number=clears)
    return parent_run.ParentRunFacet(
        run=parent_run.Run(runId=task),
        job=parent_run.Job(namespace=namespace, name=f"{ti.dag_id}.{ti.task_id}"),
        root=parent_run.Root(
            run=parent_run.RootRun(runId=root), job=parent_run.RootJob(namespace=namespace, name=ti.dag_id)
        ),
    )


def _moment(context: Mapping[str, Any]) -> datetime:
    """Return the time by which Airflow's events name a DAG run: the logical date; a run by an asset has none."""
    moment: datetime = context["dag_run"].logical_date or context["dag_run"].run_after
    return moment
