"""The pipelines of a data set in Airflow: whether they are there, and whether they are on."""

from dataclasses import dataclass

from ml_platform.exceptions import ServiceError
from ml_platform.records.airflow_session import airflow
from ml_platform.specs.spec import Dataset, Table


@dataclass(frozen=True)
class Pipeline:
    """A DAG of a data set.

    Attributes:
        dag_id: its name in Airflow.
        is_there: whether Airflow has read it; after a new spec this takes some seconds.
        is_on: whether it runs by itself.
    """

    dag_id: str
    is_there: bool
    is_on: bool


def pipelines(table: Table) -> list[Pipeline]:
    """Return the pipelines from a file to predictions; of a feature table the one that loads.

    Raises:
        ServiceError: Airflow is not reachable.
        ConfigurationError: Airflow refused the login.
    """
    verbs = ("ingest", "train", "test") if isinstance(table, Dataset) else ("ingest",)
    with airflow() as api:
        paused = api.dags()
    names = [f"{verb}_{table.name}" for verb in verbs]
    return [Pipeline(name, name in paused, not paused.get(name, True)) for name in names]


def switch_on(table: Table) -> None:
    """Switch them all on.

    Raises:
        ServiceError: Airflow is not reachable, or has not read the spec yet; nothing was switched on.
        ConfigurationError: Airflow refused the login.
    """
    found = pipelines(table)
    if missing := [pipeline.dag_id for pipeline in found if not pipeline.is_there]:
        raise ServiceError(f"Airflow has not read the spec yet: it does not have {', '.join(missing)}")
    with airflow() as api:
        for pipeline in found:
            if not pipeline.is_on:
                api.unpause(pipeline.dag_id)
