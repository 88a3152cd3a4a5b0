"""Parts of every DAG: the sensor, the assets, the defaults, and the errors that must not be retried."""

import functools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, ParamSpec, TypeVar

from airflow.providers.amazon.aws.sensors.s3 import S3KeySensor
from airflow.sdk import Asset, get_current_context
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from ml_platform.exceptions import PlatformError
from ml_platform.specs.parts import Purpose
from ml_platform.specs.spec import Dataset, Table

P = ParamSpec("P")
R = TypeVar("R")

START = datetime(2026, 1, 1, tzinfo=UTC)
FOREVER = timedelta(days=3650).total_seconds()
S3_CONNECTION = "s3"
FILE = "{{ file | default('') }}"  # the label of a mapped task in Airflow; see show_file
DEFAULT_ARGS: dict[str, Any] = {
    "owner": "ml-platform",
    # Retries bridge an outage of about half an hour: after 5 s, 10 s, 20 s … at most 5 minutes apart.
    "retries": 12,
    "retry_delay": timedelta(seconds=5),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=5),
}


def training_data(table: Table) -> Asset:
    """Return the asset that `ingest_<name>` updates; for a data set its update starts `train_<name>`."""
    return Asset(name=f"training data of {table.name}", uri=f"ml-platform://training-data/{table.name}")


def champion(dataset: Dataset) -> Asset:
    """Return the asset that is updated when the alias `champion` moves, by a training or a rollback."""
    return Asset(name=f"champion of {dataset.name}", uri=f"ml-platform://champion/{dataset.name}")


def wait_for_file(table: Table, purpose: Purpose) -> S3KeySensor:
    """Return the sensor that waits, without a worker, for an upload in the bucket `purpose`."""
    return S3KeySensor(
        task_id="wait_for_file",
        bucket_name=purpose,
        bucket_key=table.inbox_pattern(purpose),
        wildcard_match=True,
        aws_conn_id=S3_CONNECTION,
        deferrable=True,
        poke_interval=2,
        timeout=FOREVER,
    )


def show_file(key: str) -> None:
    """Label the running mapped task in Airflow with its file."""
    get_current_context()["file"] = key  # type: ignore[typeddict-unknown-key] # map_index_template reads it


def results_of(task_id: str) -> list[Any]:
    """Return the results of all instances of a mapped task; None for one without a result.

    If there is one instance only, Airflow passes the result of a mapped task group as it is, not in a list. So the
    results are read from XCom.
    """
    results: list[Any] = get_current_context()["ti"].xcom_pull(task_ids=[task_id])
    return results


def started_by() -> str:
    """Return the user who triggered the running DAG; the id of the DAG if there is none."""
    run = get_current_context()["dag_run"]
    return run.triggering_user_name or run.dag_id


def fail_at_once_on(*errors: type[PlatformError]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a task: these errors fail it at once, because a retry cannot help. All others are retried."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return function(*args, **kwargs)
            except errors as error:
                raise AirflowFailException(str(error)) from error

        return guarded

    return decorate


def skip_if_nothing_new(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a task: if it returns nothing new (0 or None), it is skipped and its asset is not updated."""

    @functools.wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        if not (result := function(*args, **kwargs)):
            raise AirflowSkipException("nothing new: the asset is not updated")
        return result

    return guarded
