"""Take an upload of {name} back.

**Starts** by hand: **Trigger** opens a form that asks for the upload and the reason. From a shell:
`./ml-platform uploads withdraw {name} UPLOAD --reason "..."`.

**Comes in**: the id of an upload, which is the beginning of the SHA-256 of its bytes. The last part of the name of the
file in [processed/](bucket:train/processed) is such an id; [uploads.ledger](table:uploads.ledger) has all of them.

**Goes out**: the rows that this upload brought are removed from {tables}, and the online store gets the newest of the
remaining rows. A row in [uploads.withdrawals](table:uploads.withdrawals) records user, time and reason.

**How**: in one transaction. The archived file stays, and the same bytes may be dropped again. Models and frozen
training sets stay as they are. The log names the versions that were trained with the upload, and later files that
should be dropped again, because some of their rows may have come with it. `docs/take-data-back.md` explains it.

**When it fails**: there is no such upload, or more than one begins with these digits; the log names them. Nothing has
changed. The task is idempotent: you can clear it at any time.
"""

from airflow.sdk import dag, get_current_context, task

from ml_platform.airflow import forms
from ml_platform.airflow.runbook import runbook
from ml_platform.airflow.wiring import DEFAULT_ARGS, START, fail_at_once_on, started_by
from ml_platform.exceptions import ConfigurationError
from ml_platform.specs.catalog import catalog
from ml_platform.specs.spec import Dataset, Table


def documentation(table: Table) -> str:
    """Return the runbook; a feature table has no labels."""
    tables = f"[features.{table.name}](table:features.{table.name})"
    if isinstance(table, Dataset):
        tables += f" and [labels.{table.name}](table:labels.{table.name})"
    return runbook(__doc__, name=table.name, tables=tables)


def make_withdraw(table: Table) -> None:
    """Define `withdraw_<name>`."""

    @task
    @fail_at_once_on(ConfigurationError)
    def remove_rows() -> None:
        from ml_platform.removal.withdraw_upload import withdraw

        context = get_current_context()
        form, request = context["params"], context["run_id"]
        withdraw(table, form["upload"], reason=form["reason"], by=started_by(), request=request)

    @dag(
        dag_id=f"withdraw_{table.name}",
        dag_display_name=f"Take back {table.name}",
        description=f"Take an upload of {table.name} back: remove the rows that it brought",
        schedule=None,
        start_date=START,
        max_active_runs=1,
        default_args=DEFAULT_ARGS,
        params=forms.withdrawal(),
        doc_md=documentation(table),
        tags=["ml-platform", table.name],
    )
    def withdraw() -> None:
        remove_rows()

    withdraw()


specs = catalog()
for spec in (*specs.tables, *specs.datasets):
    make_withdraw(spec)
