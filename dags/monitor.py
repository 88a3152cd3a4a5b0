"""Is the live model of {name} still as good as it was? Compare what it scores with its training, and with the truth.

**Starts** every {every}, when [test_{name}](dag:test_{name}) has scored a file with {rows} rows or more, and when new
training rows, which may bring the truth, are loaded. Also by hand: **Trigger** opens a form with the window, the
reference and a dry run.

**Comes in**:

- `drift`: the rows that the live version has scored since its last check: files in
  [processed/](bucket:test/processed), and the predictions of all rows in [predictions.log](table:predictions.log).
  They are compared with the training set of that version, without its hold-out;
- `performance`: all predictions of the live version, each with its label in [labels.{name}](table:labels.{name}), if
  that was loaded after the prediction.

**Goes out**, of each of the two tasks:

- a page in [reports/{name}/](bucket:reports/{name}): the verdict in one sentence, pictures, all figures;
- a row of [monitoring.checks](table:monitoring.checks);
- a point of each line in the experiment [monitoring](experiment:monitoring) of MLflow;
- the asset *checks of {name}*. Its event says the verdict.
{retraining}

**How**: `docs/monitoring.md` describes the tests, their limits, and how often they are right. Drift, or a model below
its promise, is no failure: the run is green.

**When it fails**:

- A task is skipped: nothing was compared, and its log says why: no model is live, too few rows or labels are new, or
  the training set is not here. The rows are checked with later ones.
- A task is retried: a server cannot be reached. Nothing is lost.
- A task is red at once: the live model cannot be loaded; trigger [rollback_{name}](dag:rollback_{name}).
- Every task is idempotent: you can clear it at any time. A check that is made again replaces its row and its page.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from airflow.sdk import AssetOrTimeSchedule, DeltaTriggerTimetable, TriggerRule, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from ml_platform.airflow import forms, retrainings, wiring
from ml_platform.airflow.runbook import runbook
from ml_platform.airflow.wiring import DEFAULT_ARGS, START, fail_at_once_on
from ml_platform.exceptions import ConfigurationError, RegistryError
from ml_platform.specs.catalog import catalog
from ml_platform.specs.parts import timedelta_of
from ml_platform.specs.spec import Dataset

if TYPE_CHECKING:
    from ml_platform.monitoring.checks import Check
    from ml_platform.monitoring.drift_check import Plan, Skipped

RETRAINING = """
`retrain` then starts [train_{name}](dag:train_{name}) if a check has found drift or a performance below the promise, or
if no model is live. Its decision, with the reason, is a row of [monitoring.retrainings](table:monitoring.retrainings).
"""


def documentation(dataset: Dataset) -> str:
    """Return the runbook; only some data sets are retrained."""
    monitor, retraining = dataset.monitor, RETRAINING.replace("{name}", dataset.name)
    fields = {"every": monitor.every, "rows": f"{monitor.rows:,}", "retraining": retraining * monitor.retrains}
    return runbook(__doc__, name=dataset.name, **fields)


def make_monitor(dataset: Dataset) -> None:
    """Define `monitor_<data set>`."""
    checked, news = wiring.checks(dataset), wiring.scored_rows(dataset) | wiring.training_data(dataset)

    def outcome(check: Callable[[Dataset, "Plan", str], "Check | Skipped"]) -> str:
        """Make a check, and tell the asset."""
        from ml_platform.monitoring.drift_check import Plan, Skipped

        context = get_current_context()
        plan = Plan(end=context["dag_run"].run_after, **forms.monitor_options(context["params"]))
        result = check(dataset, plan, wiring.started_by())
        if isinstance(result, Skipped):
            raise AirflowSkipException(result.reason)
        context["outlet_events"][checked].extra = result.facts() | {"is_dry_run": plan.is_dry}
        return result.verdict

    @task(outlets=[checked])
    @fail_at_once_on(ConfigurationError, RegistryError)
    def drift() -> str:
        from ml_platform.monitoring import drift_check

        return outcome(drift_check.check)

    @task(outlets=[checked])
    @fail_at_once_on(ConfigurationError, RegistryError)
    def performance() -> str:
        from ml_platform.monitoring import performance_check

        return outcome(performance_check.check)

    @task(outlets=[retrainings.retraining(dataset)], trigger_rule=TriggerRule.ALL_DONE)
    @fail_at_once_on(ConfigurationError)
    def retrain() -> str:
        return retrainings.start(dataset)

    @dag(
        dag_id=f"monitor_{dataset.name}",
        dag_display_name=f"Monitor {dataset.name}",
        description=f"Compare what the live model of {dataset.name} scores with its training, and with the truth",
        schedule=AssetOrTimeSchedule(timetable=DeltaTriggerTimetable(timedelta_of(dataset.monitor.every)), assets=news),
        start_date=START,
        max_active_runs=1,
        default_args=DEFAULT_ARGS,
        params=forms.monitoring(dataset),
        doc_md=documentation(dataset),
        tags=["ml-platform", dataset.name],
    )
    def monitor() -> None:
        checks = [drift(), performance()]
        if dataset.monitor.retrains:
            checks >> retrain()

    monitor()


for spec in catalog().datasets:
    make_monitor(spec)
