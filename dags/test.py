"""Score the files of {name} with the champion.

**Starts** by itself: one run always waits for a file. It uses no worker while it waits. A file that comes before the
first champion waits for it, and is scored within half a minute of its promotion.

**Comes in**: files named `{files}` in the [bucket test](bucket:test), as CSV, `.csv.gz`, Parquet or JSON lines, with
the columns that the champion was trained with. The label's column may be empty or missing. Features of other tables
are joined as of each row's time.

**Goes out**:

- a CSV, or a Parquet file if the YAML says so (`result`), in [result/{name}/](bucket:result/{name}), named after the
  file and its upload time: key (or the row's number, if there is no key), prediction, probability or interval, and
  model version of each row, in the order of the file;
- a card (`.json`) beside it: the model version, the hash of the file, how many rows were read, scored and rejected, and
  warnings about what differs from the training;
- after a file of {rows} rows or more, the asset *scored rows of {name}*: it starts
  [monitor_{name}](dag:monitor_{name});
- the file, in [processed/](bucket:test/processed), or in [rejected/](bucket:test/rejected) with a report that says
  why.

Results are never overwritten.

**How**: unknown categories and missing values are scored. A row that cannot be read is listed with its reason
instead. The champion is a version of the [registered model {name}](model:{name}); its files are checked before it
scores.

**When it fails**:

- `score` is red, and its log names each file and the reason:
  - *is rejected*: read the report beside it, fix the file and upload it again;
  - *stays in the inbox*, because the champion is not what was recorded at its training: trigger
    [rollback_{name}](dag:rollback_{name}), or train again with [train_{name}](dag:train_{name});
  - *stays in the inbox* for another reason: the file is tried again after 5 seconds, 10 seconds, … 5 minutes.
- `score` is retried: the bucket or the database cannot be reached. Nothing is lost.
- Every task is idempotent: you can clear it at any time.
"""

from functools import partial

from airflow.sdk import dag, get_current_context, task

from ml_platform.airflow.runbook import runbook
from ml_platform.airflow.wiring import (
    DEFAULT_ARGS,
    FOREVER,
    START,
    TAKE_FILES,
    announce_scored,
    scored_files,
    take_files,
    wait_for_file,
)
from ml_platform.specs.catalog import catalog
from ml_platform.specs.spec import Dataset


def make_test(dataset: Dataset) -> None:
    """Define `test_<data set>`."""

    @task.sensor(mode="reschedule", poke_interval=30, timeout=FOREVER)
    def wait_for_champion() -> bool:
        from ml_platform.scoring import batch

        return batch.is_ready(dataset, is_first_look=not get_current_context()["task_reschedule_count"])

    @task(**TAKE_FILES, outlets=[scored_files(dataset)])
    def score() -> None:
        from ml_platform.scoring import batch

        reports = take_files(dataset, "test", partial(batch.answer, dataset))
        announce_scored(dataset, [report["rows_read"] - report["rows_rejected"] for report in reports])

    @dag(
        dag_id=f"test_{dataset.name}",
        dag_display_name=f"Score {dataset.name}",
        description=f"Score each file {dataset.inbox_pattern('test')} in the bucket test with the champion",
        schedule="@continuous",
        start_date=START,
        max_active_runs=1,
        default_args=DEFAULT_ARGS,
        doc_md=runbook(
            __doc__, name=dataset.name, files=dataset.inbox_pattern("test"), rows=f"{dataset.monitor.rows:,}"
        ),
        tags=["ml-platform", dataset.name],
    )
    def test() -> None:
        wait_for_file(dataset, "test") >> wait_for_champion() >> score()

    test()


for spec in catalog().datasets:
    make_test(spec)
