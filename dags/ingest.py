"""Load the training files of {name} into the database.

**Starts** by itself: one run always waits for a file. It uses no worker while it waits.

**Comes in**: files named `{files}` in the [bucket train](bucket:train), as CSV, `.csv.gz`, Parquet or JSON lines,
with the columns that `datasets/{name}.yaml` declares. {label_files}{answers}Several files are loaded at once, each is
settled as soon as it is loaded, and a file that comes meanwhile is taken too. `docs/files.md` describes the formats,
`docs/data-sets.md` the YAML.

**Goes out**:

- the rows, in {tables};
{online}- the file, in [processed/](bucket:train/processed), with a report (`.report.json`) and, if rows were rejected,
  these rows with line and reason (`.rejected.csv`);
- a file that breaks the contract, in [rejected/](bucket:train/rejected), with a report that says why.

{next_step}

**How**: a file is identified by the hash of its bytes. The same bytes under another name are recorded, but not loaded
again. One transaction writes the ledger entry and the rows, so a file is loaded completely or not at all.

**When it fails**:

- `load` is red, and its log names each file and the reason:
  - *is rejected*: read the report beside it, fix the file and upload it again;
  - *stays in the inbox*, and the YAML is incompatible with rows already loaded: put the YAML right, and the file is
    loaded by itself;
  - *stays in the inbox* for another reason: the file is tried again after 5 seconds, 10 seconds, … 5 minutes.
- `load` is retried: the bucket or the database cannot be reached. Nothing is lost.
{not_online}- Every task is idempotent: you can clear it at any time.
"""

from functools import partial

from airflow.sdk import TriggerRule, dag, get_current_context, task

from ml_platform.airflow.runbook import runbook
from ml_platform.airflow.wiring import (
    DEFAULT_ARGS,
    START,
    TAKE_FILES,
    fail_at_once_on,
    skip_if_nothing_new,
    take_files,
    training_data,
    wait_for_file,
)
from ml_platform.exceptions import ConfigurationError
from ml_platform.specs.catalog import catalog
from ml_platform.specs.label_files import label_files
from ml_platform.specs.spec import Dataset, Table


def documentation(table: Table) -> str:
    """Return the runbook; a feature table has no labels and starts no training. Rows without a key are not online."""
    name = table.name
    tables = f"[features.{name}](table:features.{name})"
    next_step = "The next training of a data set that uses this feature table joins the new rows."
    if isinstance(table, Dataset):
        tables += f" and [labels.{name}](table:labels.{name})"
        verb = "monitor" if table.monitor.retrains else "train"
        next_step = f"New rows start [{verb}_{name}](dag:{verb}_{name})."
    online = not_online = labels = answers = ""
    if isinstance(table, Dataset):
        answers = (
            f"Files named `{table.answer_prefix}*` in the [bucket label](bucket:label) bring labels of scored rows. "
        )
    if table.has_key and isinstance(table, Dataset):
        labels = f"Files named `{label_files(table).inbox_pattern('train')}` there bring labels alone. "
    if table.has_key:
        online = (
            f"- the newest row of each entity, in Feast's online store ([feature view](feast:{name})), where the HTTP\n"
            "  service finds it by its key;\n"
        )
        not_online = "- `materialize` is red: the rows are loaded, but not online yet. The next run writes them.\n"
    fields = {
        "online": online,
        "not_online": not_online,
        "next_step": next_step,
        "label_files": labels,
        "answers": answers,
    }
    return runbook(__doc__, name=name, files=table.inbox_pattern("train"), tables=tables, **fields)


def make_ingest(table: Table) -> None:
    """Define `ingest_<name>`."""

    @task(**TAKE_FILES)  # type: ignore[untyped-decorator] # because of the options' type
    def load() -> None:
        from ml_platform.ingestion import uploads

        take_files(table, "train", partial(uploads.ingest, table))

    @task(outlets=[training_data(table)], trigger_rule=TriggerRule.ALL_DONE)
    @skip_if_nothing_new
    def announce() -> int:
        from ml_platform.ingestion import uploads

        return uploads.announce(table, get_current_context()["run_id"])

    @task(trigger_rule=TriggerRule.ALL_DONE)
    @fail_at_once_on(ConfigurationError)
    def materialize() -> int:
        from ml_platform.feature_store import online_rows

        return online_rows.materialize(table)

    @dag(
        dag_id=f"ingest_{table.name}",
        dag_display_name=f"Load {table.name}",
        description=f"Load each file {table.inbox_pattern('train')} in the bucket train into the database",
        schedule="@continuous",
        start_date=START,
        max_active_runs=1,
        default_args=DEFAULT_ARGS,
        doc_md=documentation(table),
        tags=["ml-platform", table.name],
    )
    def ingest() -> None:
        after = [announce(), *([materialize()] if table.has_key else [])]  # without a key, nobody can ask for a row
        wait_for_file(table, "train") >> load() >> after

    ingest()


specs = catalog()
for spec in (*specs.tables, *specs.datasets):
    make_ingest(spec)
