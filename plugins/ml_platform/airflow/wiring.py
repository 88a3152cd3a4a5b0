"""Parts of every DAG: the sensor, the assets, the defaults, and the errors that must not be retried."""

import functools
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from airflow.sdk import Asset, AssetAlias, get_current_context
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from ml_platform.airflow.inbox_sensor import InboxSensor
from ml_platform.exceptions import PlatformError
from ml_platform.records.persons import ON_BEHALF_OF, person
from ml_platform.specs.parts import Purpose
from ml_platform.specs.spec import Dataset, Table

if TYPE_CHECKING:
    from ml_platform.ingestion.upload_report import UploadReport

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

START = datetime(2026, 1, 1, tzinfo=UTC)
FOREVER = timedelta(days=3650).total_seconds()
S3_CONNECTION = "s3"
DEFAULT_ARGS: dict[str, Any] = {
    "owner": "ml-platform",
    # Retries bridge an outage of about half an hour: after 5 s, 10 s, 20 s … at most 5 minutes apart.
    "retries": 12,
    "retry_delay": timedelta(seconds=5),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=5),
}
# Files that can be taken must not wait for a long pause. These retries bridge half an hour, too.
TAKE_FILES: dict[str, Any] = {"retries": 60, "max_retry_delay": timedelta(seconds=30)}


def training_data(table: Table) -> Asset:
    """Return the asset that `ingest_<name>` updates; for a data set its update starts `train_<name>`."""
    return Asset(name=f"training data of {table.name}", uri=f"ml-platform://training-data/{table.name}")


def champion(dataset: Dataset) -> Asset:
    """Return the asset that is updated when the alias `champion` moves, by a training or a rollback."""
    return Asset(name=f"champion of {dataset.name}", uri=f"ml-platform://champion/{dataset.name}")


def scored_rows(dataset: Dataset) -> Asset:
    """Return the asset that `test_<name>` updates after a file of enough rows; its update starts `monitor_<name>`."""
    return Asset(name=f"scored rows of {dataset.name}", uri=f"ml-platform://scored-rows/{dataset.name}")


def scored_files(dataset: Dataset) -> AssetAlias:
    """Return the outlet of the task `score`: an alias, so that small files update no asset."""
    return AssetAlias(f"scored files of {dataset.name}")


def announce_scored(dataset: Dataset, rows: Sequence[int]) -> None:
    """Update `scored_rows` if one of the files has enough rows for a check.

    Args:
        dataset: the spec.
        rows: the number of scored rows of each file of this run.
    """
    if enough := [number for number in rows if number >= dataset.monitor.rows]:
        event = get_current_context()["outlet_events"][scored_files(dataset)]
        event.add(scored_rows(dataset), extra={"rows": sum(enough)})


def checks(dataset: Dataset) -> Asset:
    """Return the asset that `monitor_<name>` updates; its events say kind, verdict and model version of a check."""
    return Asset(name=f"checks of {dataset.name}", uri=f"ml-platform://checks/{dataset.name}")


def wait_for_file(table: Table, purpose: Purpose) -> InboxSensor:
    """Return the sensor that waits, without a worker, for an upload in the bucket `purpose`."""
    return InboxSensor(task_id="wait_for_file", table=table, purpose=purpose, connection=S3_CONNECTION)


def take_files(table: Table, purpose: Purpose, take: Callable[[str], "UploadReport"]) -> list["UploadReport"]:
    """Load or score the files that wait, and fail if one was rejected in this run or stays in the inbox.

    Args:
        table: the spec.
        purpose: also the name of the bucket.
        take: loads or scores the file with this key, and settles it.

    Returns:
        Their reports.

    Raises:
        AirflowFailException: names these files and the reasons. A retry cannot help; the next run takes what stays.
        ServiceError: the inbox cannot be listed.
    """
    from ml_platform.airflow import lineage_events, traces  # only in the task: DAG files are parsed often
    from ml_platform.ingestion import inbox

    context = get_current_context()
    reports: list[UploadReport] = []
    emitting = lineage_events.emitting(table, traces.of_files(take), context)
    problems = inbox.work_off(table, purpose, lambda key: reports.append(emitting(key)))
    began = context["dag_run"].start_date or datetime.now(UTC)
    problems += inbox.rejections(table, purpose, since=began)
    if problems:
        for problem in problems:
            log.error("%s", problem)
        raise AirflowFailException("\n".join(problems))
    return reports


def started_by() -> str:
    """Return who started the running DAG; the id of the DAG if nobody did.

    That is Airflow's user or, for what the home page starts, the person in front of it.
    """
    run = get_current_context()["dag_run"]
    return person(run.triggering_user_name, (run.conf or {}).get(ON_BEHALF_OF)) or run.dag_id


def is_running(dag_id: str, run_id: str, task_id: str) -> bool:
    """Ask Airflow, from within a task, whether a task runs now."""
    count = get_current_context()["ti"].get_ti_count(
        dag_id=dag_id, run_ids=[run_id], task_ids=[task_id], states=["running"]
    )
    return bool(count)


def fail_at_once_on(*errors: type[PlatformError]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a task: these errors fail it at once, because a retry cannot help. All others are retried."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return function(*args, **kwargs)
            except errors as error:
                log.error("%s", error)  # noqa: TRY400 – Airflow logs the traceback
                raise AirflowFailException(str(error)) from error

        return guarded

    return decorate


def emits_lineage(dataset: Dataset) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a task that freezes a training set, or trains on one: it emits an event about lineage."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def emitting(*args: P.args, **kwargs: P.kwargs) -> R:
            from ml_platform.airflow import lineage_events  # only in the task: DAG files are parsed often

            return lineage_events.training(dataset, function, *args, **kwargs)

        return emitting

    return decorate


def skip_if_nothing_new(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a task: if it returns nothing new (0 or None), it is skipped and its asset is not updated."""

    @functools.wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        if not (result := function(*args, **kwargs)):
            raise AirflowSkipException("nothing new: the asset is not updated")
        return result

    return guarded
