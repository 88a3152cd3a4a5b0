"""Score the files of {name} with the champion.

**Starts** by itself: one run always waits for a file. It uses no worker while it waits. A file that comes before the
first champion waits for it.

**Comes in**: files named `{files}` in the [bucket `test`](bucket:test), as CSV, `.csv.gz`, Parquet or JSON lines,
with the columns that the champion was trained with. The label's column may be empty or missing. Features of other
tables are joined as of each row's time.

**Goes out**:

- a CSV in [`result/{name}/`](bucket:result/{name}), named after the file and its upload time: key, probability,
  prediction and model version of each row, in the order of the file;
- a card (`.json`) beside it: the model version, the hash of the file, and how many rows were read, scored and
  rejected;
- the file, in [`processed/`](bucket:test/processed), or in [`rejected/`](bucket:test/rejected) with a report that
  says why.

Results are never overwritten.

**How**: unknown categories and missing values are scored. A row that cannot be read is listed with its reason
instead. The champion is a version of the [registered model `{name}`](model:{name}); its files are checked before it
scores.

**When it fails**:

- `settle` is red: a file was rejected. Read the report beside it, fix the file and upload it again.
- `score` is retried again and again: the champion is not what was recorded at its training, so it is not used.
  Trigger [`rollback_{name}`](dag:rollback_{name}), or train again with [`train_{name}`](dag:train_{name}).
- Every task is idempotent: you can clear it at any time.
"""

from typing import Any

from airflow.sdk import dag, task, task_group

from ml_platform.airflow.runbook import runbook
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

        return uploads.waiting(dataset, "test")

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
        dag_display_name=f"Score {dataset.name}",
        description=f"Score each file {dataset.inbox_pattern('test')} in the bucket test with the champion",
        schedule="@continuous",
        start_date=START,
        max_active_runs=1,
        default_args=DEFAULT_ARGS,
        doc_md=runbook(__doc__, name=dataset.name, files=dataset.inbox_pattern("test")),
        tags=["ml-platform", dataset.name],
    )
    def test() -> None:
        files = list_files()
        wait_for_file(dataset, "test") >> wait_for_champion() >> files
        take.expand(key=files)

    test()


for spec in catalog().datasets:
    make_test(spec)
