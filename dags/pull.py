"""Pull new {what} of {name} from {origin} into the bucket {bucket}.

**Starts** by itself when the source has something new; it is asked every {every}, in the triggerer, without a worker.
Also once an hour, and by hand: **Trigger** opens a form. Leave its fields empty to pull now; fill them in to read a
range again.

**Comes in**: what is new in {origin}. Address and login are in the Airflow connection `{connection}`. The options of
`source` are in `datasets/{name}.yaml`; `docs/sources.md` describes them.

**Goes out**: files in the [bucket {bucket}](bucket:{bucket}), named `{files}`. [{next}_{name}](dag:{next}_{name})
takes them like files that people drop. An entry that is no row comes back as a rejected row, with its place in the
source.

**How**: the rows between two positions become one file. The range is committed in
[sources.ranges](table:sources.ranges) before it is read. So a pull that was killed makes the same file again, and the
ledger loads it once. `./ml-platform sources list` shows position and lag.

**When it fails**:

- `pull` is skipped: the source cannot be reached. It is waited for, and the pull starts when it is back.
- `pull` is retried: the source, the bucket or the database went away while a range was read. Nothing is lost.
- `pull` is red, and its log names what is to be changed in the YAML or in the connection. It is tried again when that
  has changed, and once an hour.
- Every task is idempotent: you can clear it at any time.
"""

from datetime import timedelta

from airflow.sdk import Asset, AssetOrTimeSchedule, AssetWatcher, DeltaTriggerTimetable, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from ml_platform.airflow import forms
from ml_platform.airflow.runbook import runbook
from ml_platform.airflow.source_trigger import SourceTrigger
from ml_platform.airflow.wiring import DEFAULT_ARGS, START, fail_at_once_on, started_by
from ml_platform.exceptions import ConfigurationError
from ml_platform.specs.catalog import catalog
from ml_platform.specs.parts import PURPOSES, Purpose
from ml_platform.specs.sources import SourceBase
from ml_platform.specs.spec import Table

AT_LEAST = timedelta(hours=1)


def documentation(table: Table, purpose: Purpose, source: SourceBase) -> str:
    """Return the runbook."""
    return runbook(
        __doc__,
        name=table.name,
        what="training rows" if purpose == "train" else "rows to be scored",
        bucket=purpose,
        next="ingest" if purpose == "train" else "test",
        origin=source.origin,
        every=source.every,
        connection=source.connection,
        files=f"{table.inbox_prefix(purpose)}.{source.short_name}.*",
    )


def new_rows(table: Table, purpose: Purpose, source: SourceBase) -> Asset:
    """Return the asset of a source; its watcher updates it when the source has something new."""
    name = f"{purpose} source of {table.name}"
    trigger = SourceTrigger(source.model_dump_json(), table.name, purpose)
    uri = f"ml-platform://source/{purpose}/{table.name}"
    return Asset(name=name, uri=uri, watchers=[AssetWatcher(name=name, trigger=trigger)])


def make_pull(table: Table, purpose: Purpose, source: SourceBase) -> None:
    """Define `pull_<name>`, or `pull_test_<name>` for rows to be scored."""

    @task
    @fail_at_once_on(ConfigurationError)
    def pull() -> int:
        from ml_platform.airflow.connections import source_connection
        from ml_platform.sources import pull as sources
        from ml_platform.sources.ranges import Feed

        feed, connection = Feed(table, purpose, source), source_connection(source.connection)
        if named := forms.named_range(form := get_current_context()["params"]):
            keys = sources.read_again(feed, connection, named, by=started_by(), reason=form["reason"] or "")
            return len(keys)
        pulled = sources.pull(feed, connection, by=started_by())
        if pulled.away:
            raise AirflowSkipException(f"{pulled.away}: it is waited for")
        return pulled.landed

    @dag(
        dag_id=f"pull_{table.name}" if purpose == "train" else f"pull_{purpose}_{table.name}",
        dag_display_name=f"Pull {table.name}" if purpose == "train" else f"Pull {table.name} to score",
        description=f"Pull what is new in {source.origin} for {table.name} into the bucket {purpose}",
        schedule=AssetOrTimeSchedule(
            timetable=DeltaTriggerTimetable(AT_LEAST), assets=[new_rows(table, purpose, source)]
        ),
        start_date=START,
        max_active_runs=1,
        default_args=DEFAULT_ARGS,
        params=forms.pull(),
        doc_md=documentation(table, purpose, source),
        tags=["ml-platform", table.name],
    )
    def pull_source() -> None:
        pull()

    pull_source()


specs = catalog()
for spec in (*specs.tables, *specs.datasets):
    for use in PURPOSES:
        if origin := spec.source_of(use):
            make_pull(spec, use, origin)
