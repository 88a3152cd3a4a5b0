"""Load the training files that people drop into the bucket `train`.

**Comes in**: `train_<data set>*.csv`, with the columns that `datasets/<data set>.yaml` declares. Several at once are
loaded side by side.

**Goes out**: the rows, into the tables `features.<data set>` and `labels.<data set>`; the file, moved to `processed/`
with a `.report.json` beside it (and its bad rows, if any, with line and reason in `.rejected.csv`); a file that breaks
the contract, moved to `rejected/` with a report that says why. New rows start `train_<data set>`.

**How**: one run is always waiting; it holds no worker. A file is its bytes: the same bytes under another name are a
recorded no-op. Claim and rows are written in one transaction, so a file is loaded whole or not at all.

**When it fails**: a red `settle` names a file that was rejected; read the report beside it, mend the file, drop it
again. A red `load` is an outage that outlasted its retries: nothing is lost, the file is still in the bucket and the
next run takes it. Any task may be cleared and run again: it does nothing twice.
"""

from typing import Any

from airflow.sdk import TriggerRule, dag, task, task_group

from ml_platform.airflow.wiring import (
    DEFAULT_ARGS,
    FILE,
    START,
    fail_at_once_on_bad_data,
    results_of,
    show_file,
    skip_without_news,
    training_data,
    wait_for_file,
)
from ml_platform.datasets import datasets
from ml_platform.spec import Dataset


def make_ingest(dataset: Dataset) -> None:
    """Define `ingest_<data set>`."""

    @task
    def list_files() -> list[str]:
        from ml_platform import uploads

        return uploads.waiting(dataset, "train")

    @task(map_index_template=FILE)
    @fail_at_once_on_bad_data
    def load(key: str) -> dict[str, Any]:
        from ml_platform import uploads

        show_file(key)
        return uploads.load(dataset, "train", key)

    @task(map_index_template=FILE)
    @fail_at_once_on_bad_data
    def settle(upload: dict[str, Any]) -> dict[str, Any]:
        from ml_platform import uploads

        show_file(upload["key"])
        return uploads.settle(upload)

    @task(outlets=[training_data(dataset)], trigger_rule=TriggerRule.ALL_DONE)
    @skip_without_news
    def announce() -> int:
        from ml_platform import uploads

        return uploads.count_new_rows(results_of("take.settle"))

    @task_group
    def take(key: str) -> Any:
        return settle(load(key))

    @dag(
        dag_id=f"ingest_{dataset.name}",
        description=f"Load {dataset.inbox_pattern('train')} from the bucket train",
        schedule="@continuous",
        start_date=START,
        max_active_runs=1,
        default_args=DEFAULT_ARGS,
        doc_md=__doc__,
        tags=["ml-platform", dataset.name],
    )
    def ingest() -> None:
        files = list_files()
        wait_for_file(dataset, "train") >> files
        take.expand(key=files) >> announce()

    ingest()


for found in datasets():
    make_ingest(found)
