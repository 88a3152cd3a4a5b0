"""What the DAG files share: the sensor, the assets, the defaults, and which errors are worth a retry."""

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
FILE = "{{ file | default('') }}"  # the name of a mapped task in the UI; see show_file
DEFAULT_ARGS: dict[str, Any] = {
    "owner": "ml-platform",
    # An outage of a server is waited out: 5 s, 10 s, 20 s … at most 5 minutes apart, about half an hour in all.
    "retries": 12,
    "retry_delay": timedelta(seconds=5),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=5),
}


def training_data(table: Table) -> Asset:
    """Return the asset that `ingest_<name>` updates and, where there is a label, `train_<name>` starts by."""
    return Asset(name=f"training data of {table.name}", uri=f"ml-platform://training-data/{table.name}")


def champion(dataset: Dataset) -> Asset:
    """Return the asset that `train_<data set>` updates when the alias `champion` moves."""
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
    """Name the running mapped task after the file that it takes."""
    get_current_context()["file"] = key  # type: ignore[typeddict-unknown-key] # map_index_template reads it


def results_of(task_id: str) -> list[Any]:
    """Return what the instances of a mapped task returned; None for one that returned nothing.

    An argument taken from a mapped task group would be the bare result, not a list, where there is a single instance.
    """
    results: list[Any] = get_current_context()["ti"].xcom_pull(task_ids=[task_id])
    return results


def started_by() -> str:
    """Return who started the running DAG: the user who triggered it, else the DAG itself."""
    run = get_current_context()["dag_run"]
    return run.triggering_user_name or run.dag_id


def fail_at_once_on(*errors: type[PlatformError]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make errors that no retry can help fail a task at once; all others are retried."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return function(*args, **kwargs)
            except errors as error:
                raise AirflowFailException(str(error)) from error

        return guarded

    return decorate


def skip_without_news(function: Callable[P, R]) -> Callable[P, R]:
    """Skip a task, so that its asset is not updated, if the function returns nothing new: 0 or None."""

    @functools.wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        if not (news := function(*args, **kwargs)):
            raise AirflowSkipException("nothing new: the asset is left as it is")
        return news

    return guarded
