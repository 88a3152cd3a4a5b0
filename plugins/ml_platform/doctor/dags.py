"""Airflow's DAGs: those that cannot be imported, and those that are off although work waits for them."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import timedelta

from ml_platform.doctor.uploads import dags_with_waiting_files
from ml_platform.specs.catalog import Catalog, catalog
from stack.airflow_api import Airflow
from stack.backup import databases
from stack.config import Config
from stack.servers.airflow_cleanup import kept


def import_errors(config: Config) -> Iterator[str]:
    """Yield the DAG files that Airflow cannot import."""
    with closing(_airflow(config)) as airflow:
        yield from airflow.import_errors()


def paused_dags(config: Config) -> Iterator[str]:
    """Yield DAGs that are paused, or missing, although files or trainings wait for them, or that must always be on."""
    with closing(_airflow(config)) as airflow:
        paused = airflow.dags()
    for name, files in dags_with_waiting_files(config).items():
        if paused.get(name, True):
            state = "is off" if name in paused else "does not exist"
            yield f"the DAG {name} {state}, and {files} files wait for it"
    yield from _half_on(catalog(config.datasets_dir), paused)
    yield from (f"the DAG {name} is off" for name in ALWAYS_ON if paused.get(name))


def _half_on(specs: Catalog, paused: Mapping[str, bool]) -> Iterator[str]:
    """Yield the DAG that is off of two of which one starts the other: it decides in vain, or is never started."""
    for name in (dataset.name for dataset in specs.datasets if dataset.monitor.retrains):
        off = [dag for dag in (f"monitor_{name}", f"train_{name}") if paused.get(dag)]
        if len(off) == 1:
            yield f"the DAG {off[0]} is off, and trainings of {name} need monitor_{name} and train_{name}"


def old_records(config: Config) -> Iterator[str]:
    """Yield that records of Airflow should have been removed days ago; nothing if they are kept for ever."""
    retention = kept(config.datasets_dir)
    if retention is None:
        return
    overdue = int((retention + LATE).total_seconds())
    for oldest in databases.query(config, "airflow", OLDEST.format(overdue)):
        yield f"Airflow has records of {oldest}, and should keep them for {retention.days} days"


def _airflow(config: Config) -> Airflow:
    return Airflow(config.airflow_url, config.airflow_admin_user, config.airflow_admin_password.get_secret_value())


ALWAYS_ON = ("housekeeping",)
LATE = timedelta(days=2)  # a cleaning takes some time, and so does one that is tried again
OLDEST = """
SELECT to_json(to_char(min(dttm), 'YYYY-MM-DD')) FROM log HAVING min(dttm) < now() - interval '{} s'"""
