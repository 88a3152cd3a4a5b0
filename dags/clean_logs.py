"""Remove old logs, and upload those of killed tasks.

**Starts** every day, by itself: this DAG is switched on from the beginning. You can also *Trigger* it.

**Comes in**: the [bucket logs](bucket:logs), where the log of each task is when the task has ended, and the folder of
the logs of running tasks. `LOG_RETENTION_DAYS` in `.env` says how long logs are kept.

**Goes out**: older logs are removed. The log of a task that was killed lies on the machine only; a day after its last
line it is moved to the bucket. The file of a task that still runs stays.

**How**: by the time of the last change. After a restore, a log counts as new. `docs/adr/0081-task-logs-in-a-bucket.md`
explains it.

**When it fails**: the object store is down; the task is tried again. It is idempotent: you can clear it at any time.
"""

from airflow.sdk import dag, task

from ml_platform.airflow.runbook import runbook
from ml_platform.airflow.wiring import DEFAULT_ARGS, START, is_running


@task
def clean() -> None:
    """Remove what is old, and upload what was left behind."""
    from ml_platform.airflow import task_logs

    task_logs.clean(is_running)


@dag(
    dag_id="clean_logs",
    dag_display_name="Clean logs",
    description="Remove the logs of tasks that are older than LOG_RETENTION_DAYS",
    schedule="@daily",
    start_date=START,
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    default_args=DEFAULT_ARGS,
    doc_md=runbook(__doc__),
    tags=["ml-platform"],
)
def clean_logs() -> None:
    """Run daily."""
    clean()


clean_logs()
