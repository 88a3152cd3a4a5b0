"""Housekeeping: remove what is older than its retention, store by store.

**Starts** every day, by itself: this DAG is switched on from the beginning. You can also *Trigger* it: with *Dry run*,
nothing is removed, and the log of each task lists what would be.

**Comes in**: `retention` in the YAML of each data set, and in `platform.yaml` beside them. Without it, uploads,
results, predictions and candidates are kept for ever. `LOG_RETENTION_DAYS` in `.env` says how long logs are kept.

**Goes out**: a task for each store removes what is too old: files in [processed/](bucket:train/processed) and
[rejected/](bucket:train/rejected), in [result](bucket:result) and [logs](bucket:logs), entries of
[predictions.log](table:predictions.log), and the runs of candidates in MLflow. The log of a task that was killed lies
on the machine only; a day after its last line it is moved to the bucket.

**How**: at most 1,000 files or runs of a data set a day, and one store after another, so that no other task waits. A
training file stays if a withdrawal may ask for it again; so do frozen training sets, models, and the runs of searches.
`docs/operations.md` says what is needed for what.

**When it fails**: a server is down; the task is tried again. It is idempotent: you can clear it at any time.
"""

from airflow.sdk import dag, get_current_context, task

from ml_platform.airflow import forms
from ml_platform.airflow.runbook import runbook
from ml_platform.airflow.wiring import DEFAULT_ARGS, START, fail_at_once_on, is_running
from ml_platform.exceptions import ConfigurationError
from ml_platform.specs.retention import STORES, Store


@task
def logs() -> None:
    """Remove old logs, and upload what killed tasks left behind."""
    from ml_platform.airflow import task_logs

    task_logs.clean(is_running, dry_run=get_current_context()["params"]["dry_run"])


@task
@fail_at_once_on(ConfigurationError)
def remove_old(store: Store) -> None:
    """Remove what is too old from a store."""
    from ml_platform.housekeeping.clean import clean

    clean(store, dry_run=get_current_context()["params"]["dry_run"])


@dag(
    dag_id="housekeeping",
    dag_display_name="Housekeeping",
    description="Remove what is older than its retention: logs, and what datasets/*.yaml names",
    schedule="@daily",
    start_date=START,
    catchup=False,
    max_active_runs=1,
    max_active_tasks=1,
    is_paused_upon_creation=False,
    default_args=DEFAULT_ARGS,
    params=forms.housekeeping(),
    doc_md=runbook(__doc__),
    tags=["ml-platform"],
)
def housekeeping() -> None:
    """Run daily."""
    logs()
    for store in STORES:
        remove_old.override(task_id=store)(store)


housekeeping()
