"""Compare what the live model of {name} scores with what it was trained on.

**Starts** every {every}, and when [test_{name}](dag:test_{name}) has scored a file with {rows} rows or more. Also by
hand: **Trigger** opens a form with the window, the reference and a dry run.

**Comes in**: the rows that the live version has scored since its last check: files in
[processed/](bucket:test/processed), and the predictions of all rows, also over HTTP and of streams, in
[predictions.log](table:predictions.log). They are compared with the training set of that version, without its hold-out.

**Goes out**:

- a page in [reports/{name}/](bucket:reports/{name}): the verdict in one sentence, pictures, every test;
- a row of [monitoring.checks](table:monitoring.checks);
- a point of each line in the experiment [monitoring](experiment:monitoring) of MLflow;
- the asset *checks of {name}*. Its event says the verdict.

**How**: each feature, its missing values, all features together and the predictions are compared. There is drift if a
difference is significant, with control of false discoveries, and large enough to matter. `docs/monitoring.md` describes
the tests, their limits, and how often they are right. Drift is no failure: the run is green.

**When it fails**:

- `check` is skipped: nothing was compared, and its log says why: no model is live, fewer than {rows} rows are new, or
  the training set is not here. The rows are checked with later ones.
- `check` is retried: a server cannot be reached. Nothing is lost.
- `check` is red at once: the live model cannot be loaded; trigger [rollback_{name}](dag:rollback_{name}).
- Every task is idempotent: you can clear it at any time. A check that is made again replaces its row and its page.
"""

from airflow.sdk import AssetOrTimeSchedule, DeltaTriggerTimetable, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from ml_platform.airflow import forms, wiring
from ml_platform.airflow.runbook import runbook
from ml_platform.airflow.wiring import DEFAULT_ARGS, START, fail_at_once_on
from ml_platform.exceptions import ConfigurationError, RegistryError
from ml_platform.specs.catalog import catalog
from ml_platform.specs.parts import timedelta_of
from ml_platform.specs.spec import Dataset


def make_monitor(dataset: Dataset) -> None:
    """Define `monitor_<data set>`."""
    checked = wiring.checks(dataset)

    @task(outlets=[checked])
    @fail_at_once_on(ConfigurationError, RegistryError)
    def check() -> str:
        from ml_platform.monitoring import drift_check

        context = get_current_context()
        plan = drift_check.Plan(end=context["dag_run"].run_after, **forms.monitor_options(context["params"]))
        result = drift_check.check(dataset, plan, by=wiring.started_by())
        if isinstance(result, drift_check.Skipped):
            raise AirflowSkipException(result.reason)
        context["outlet_events"][checked].extra = result.facts() | {"is_dry_run": plan.is_dry}
        return result.verdict

    @dag(
        dag_id=f"monitor_{dataset.name}",
        dag_display_name=f"Monitor {dataset.name}",
        description=f"Compare the rows that the live model of {dataset.name} scored with its training: is there drift?",
        schedule=AssetOrTimeSchedule(
            timetable=DeltaTriggerTimetable(timedelta_of(dataset.monitor.every)), assets=[wiring.scored_rows(dataset)]
        ),
        start_date=START,
        max_active_runs=1,
        default_args=DEFAULT_ARGS,
        params=forms.monitoring(dataset),
        doc_md=runbook(__doc__, name=dataset.name, every=dataset.monitor.every, rows=f"{dataset.monitor.rows:,}"),
        tags=["ml-platform", dataset.name],
    )
    def monitor() -> None:
        check()

    monitor()


for spec in catalog().datasets:
    make_monitor(spec)
