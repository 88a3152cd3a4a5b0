"""Load the training files that people drop into the bucket `train`.

**Comes in**: `train_<data set>*`, or `<table>*` for a feature table: CSV, `.csv.gz`, Parquet or JSON lines, with the
columns that `datasets/<name>.yaml` declares. Several at once are loaded side by side.

**Goes out**: the rows, into the tables `features.<name>` and `labels.<name>`; the file, moved to `processed/` with a
`.report.json` beside it (and its bad rows, if any, with line and reason in `.rejected.csv`); a file that breaks the
contract, moved to `rejected/` with a report that says why. New labelled rows start `train_<data set>`. Of each entity
the newest row goes into Feast's online store, where the service over HTTP finds it by the key.

**How**: one run is always waiting; it holds no worker. A file is its bytes: the same bytes under another name are a
recorded no-op. Claim and rows are written in one transaction, so a file is loaded whole or not at all.

**When it fails**: a red `settle` names a file that was rejected; read the report beside it, mend the file, drop it
again. A red `load` is an outage that outlasted its retries, or a change of the YAML that loaded rows cannot bear (its
log says which): nothing is lost, the file is still in the bucket and the next run takes it. A red `materialize` leaves
the load as it is; what is not online then the next run writes. Any task may be cleared and run again: it does nothing
twice.
"""

from typing import Any

from airflow.sdk import TriggerRule, dag, task, task_group

from ml_platform.airflow.wiring import (
    DEFAULT_ARGS,
    FILE,
    START,
    fail_at_once_on,
    results_of,
    show_file,
    skip_without_news,
    training_data,
    wait_for_file,
)
from ml_platform.exceptions import ContractError
from ml_platform.specs.catalog import catalog
from ml_platform.specs.spec import Table


def make_ingest(table: Table) -> None:
    """Define `ingest_<name>`."""

    @task
    def list_files() -> list[str]:
        from ml_platform.ingestion import uploads

        return uploads.waiting_keys(table, "train")

    @task(map_index_template=FILE)
    @fail_at_once_on(ContractError)
    def load(key: str) -> dict[str, Any]:
        from ml_platform.ingestion import uploads

        show_file(key)
        return uploads.load(table, "train", key)

    @task(map_index_template=FILE)
    @fail_at_once_on(ContractError)
    def settle(upload: dict[str, Any]) -> dict[str, Any]:
        from ml_platform.ingestion import uploads

        show_file(upload["key"])
        return uploads.settle(upload)

    @task(outlets=[training_data(table)], trigger_rule=TriggerRule.ALL_DONE)
    @skip_without_news
    def announce() -> int:
        from ml_platform.ingestion import uploads

        return uploads.count_new_rows(results_of("take.settle"))

    @task(trigger_rule=TriggerRule.ALL_DONE)
    def materialize() -> int:
        from ml_platform.feature_store import online_rows

        return online_rows.materialize(table)

    @task_group
    def take(key: str) -> Any:
        return settle(load(key))

    @dag(
        dag_id=f"ingest_{table.name}",
        description=f"Load {table.inbox_pattern('train')} from the bucket train",
        schedule="@continuous",
        start_date=START,
        max_active_runs=1,
        default_args=DEFAULT_ARGS,
        doc_md=__doc__,
        tags=["ml-platform", table.name],
    )
    def ingest() -> None:
        files = list_files()
        wait_for_file(table, "train") >> files
        take.expand(key=files) >> [announce(), materialize()]

    ingest()


found = catalog()
for one in (*found.tables, *found.datasets):
    make_ingest(one)
