"""Score the files that people drop into the bucket `test`, with the champion.

**Comes in**: `test_<data set>*` (CSV, `.csv.gz`, Parquet or JSON lines), with the columns that the champion was trained
with; those of the label may be empty or missing. Features of other tables are joined as of each row's time.

**Goes out**: `result/<data set>/<file>.<upload time>.csv` with entity key, probability, prediction and model version,
in the order of the upload; beside it a `.json` card that says which model scored which bytes, and how many
rows went in, came out and were rejected; and the file itself, moved to `processed/`. Nothing is ever overwritten.

**How**: one run is always waiting; it holds no worker. A file that comes before there is a champion waits for one.
Unseen categories and missing values are scored; a row that cannot be read is listed with its reason instead.

**When it fails**: a red `settle` names a file that was rejected; read the report beside it. `score` refuses a model
that differs from what was recorded when it was trained, and tries again until the champion is sound: trigger
`rollback_<data set>`, or train anew. Any task may be cleared and run again: the result is the same.
"""

from typing import Any

from airflow.sdk import dag, task, task_group

from ml_platform.airflow.wiring import (
    DEFAULT_ARGS,
    FILE,
    FOREVER,
    START,
    fail_at_once_on,
    show_file,
    wait_for_file,
)
from ml_platform.exceptions import ContractError
from ml_platform.specs.catalog import catalog
from ml_platform.specs.spec import Dataset


def make_test(dataset: Dataset) -> None:
    """Define `test_<data set>`."""

    @task.sensor(mode="reschedule", poke_interval=10, timeout=FOREVER)
    def wait_for_champion() -> bool:
        from ml_platform.scoring import batch

        return batch.is_ready(dataset)

    @task
    def list_files() -> list[str]:
        from ml_platform.ingestion import uploads

        return uploads.waiting_keys(dataset, "test")

    @task(map_index_template=FILE)
    @fail_at_once_on(ContractError)
    def score(key: str) -> dict[str, Any]:
        from ml_platform.scoring import batch

        show_file(key)
        return batch.score(dataset, key)

    @task(map_index_template=FILE)
    @fail_at_once_on(ContractError)
    def settle(upload: dict[str, Any]) -> dict[str, Any]:
        from ml_platform.ingestion import uploads

        show_file(upload["key"])
        return uploads.settle(upload)

    @task_group
    def take(key: str) -> Any:
        return settle(score(key))

    @dag(
        dag_id=f"test_{dataset.name}",
        description=f"Score {dataset.inbox_pattern('test')} from the bucket test with the champion",
        schedule="@continuous",
        start_date=START,
        max_active_runs=1,
        default_args=DEFAULT_ARGS,
        doc_md=__doc__,
        tags=["ml-platform", dataset.name],
    )
    def test() -> None:
        files = list_files()
        wait_for_file(dataset, "test") >> wait_for_champion() >> files
        take.expand(key=files)

    test()


for found in catalog().datasets:
    make_test(found)
