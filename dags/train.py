"""Train a model on everything that was loaded, and make it champion if it is better.

**Starts** when `ingest_<data set>` has loaded new rows, or by hand: *Trigger* opens a form with the estimators, the
folds, the metric, the parallel jobs, and a switch between the quick and the full grid.

**Goes out**: a frozen training set (Parquet, named by its content hash); in MLflow one run for the search with one
child run for every candidate, also a failed one, its charts and its training card; a new version of the registered
model `<data set>` with the alias `challenger`; and the alias `champion`, if the challenger's F1 on the hold-out is
better than the champion's on the same rows, beyond chance. `gate` judges, `promote` moves the alias; with
`gate.approval: true` a person is asked between them, under *Required Actions*. The decision is a row of
`models.decisions`, and a card with pictures in MLflow (`gate/card.md`); `docs/gate.md` explains it.

**How**: each label is joined with the features that were known at its time. The hold-out (entities by a hash of their
key; with an event time, the latest rows) is in no training. The decision threshold is chosen out-of-fold; with several
classes there is none, and F1 is the macro average.

**When it fails**: `search`, retried or cleared, goes on where it stopped. Data that cannot train a model (a single
class, too few rows of one) fails at once and says so. Until a better model is promoted the champion stays as it is:
`promote` is skipped, and the run ends green.
"""

from typing import Any

from airflow.sdk import dag, get_current_context, task

from ml_platform.airflow import approval_task, forms, wiring
from ml_platform.airflow.wiring import DEFAULT_ARGS, START, fail_at_once_on, skip_without_news
from ml_platform.exceptions import ConfigurationError, DegenerateDataError
from ml_platform.specs.catalog import catalog
from ml_platform.specs.spec import Dataset

MAY_WAIT = 16  # trainings whose model waits for an approval; they hold no worker, and search one after the other


def make_train(dataset: Dataset) -> None:
    """Define `train_<data set>`."""

    @task
    @fail_at_once_on(ConfigurationError, DegenerateDataError)
    def freeze_training_set() -> dict[str, Any]:
        from ml_platform.training import build_training_set

        return build_training_set.freeze(dataset)

    @task(max_active_tis_per_dag=1)
    @fail_at_once_on(ConfigurationError, DegenerateDataError)
    def search(reference: dict[str, Any]) -> dict[str, Any]:
        from ml_platform.training import steps, training_set

        context = get_current_context()
        asked = dict(context["params"])
        quick = asked.pop("grid") == "quick"
        frozen = training_set.load(dataset, reference)
        return steps.run_search(frozen, attempt_id=context["run_id"], quick=quick, **asked)

    @task(max_active_tis_per_dag=1)
    @fail_at_once_on(ConfigurationError, DegenerateDataError)
    def refit(reference: dict[str, Any], searched: dict[str, Any]) -> dict[str, Any]:
        from ml_platform.training import steps, training_set

        return steps.refit(training_set.load(dataset, reference), searched)

    @task.short_circuit
    @fail_at_once_on(ConfigurationError, DegenerateDataError)
    def gate(reference: dict[str, Any], challenger: dict[str, Any]) -> dict[str, Any] | None:
        from ml_platform.promotion import steps
        from ml_platform.training import training_set

        return steps.judge(training_set.load(dataset, reference), challenger, by=wiring.started_by())

    @task(outlets=[wiring.champion(dataset)])
    @fail_at_once_on(ConfigurationError, DegenerateDataError)
    @skip_without_news
    def promote(
        reference: dict[str, Any],
        challenger: dict[str, Any],
        judged: dict[str, Any],
        response: dict[str, Any] | None = None,
    ) -> dict[str, Any] | None:
        from ml_platform.promotion import steps
        from ml_platform.training import training_set

        answer = approval_task.answered(response) if response else None
        frozen = training_set.load(dataset, reference)
        card = steps.promote(frozen, challenger, by=wiring.started_by(), judged=judged, answer=answer)
        return card if card["promoted"] else None

    @dag(
        dag_id=f"train_{dataset.name}",
        description=f"Search, refit and judge a model of {dataset.name}",
        schedule=[wiring.training_data(dataset)],
        start_date=START,
        max_active_runs=MAY_WAIT if dataset.gate.approval else 1,
        default_args=DEFAULT_ARGS,
        params=forms.training(dataset),
        doc_md=__doc__,
        tags=["ml-platform", dataset.name],
    )
    def train() -> None:
        reference = freeze_training_set()
        challenger = refit(reference, search(reference))
        judged = gate(reference, challenger)
        if dataset.gate.approval:
            asked = approval_task.ask(dataset.gate, told_by="gate")
            judged >> asked
            promote(reference, challenger, judged, asked.output)
        else:
            promote(reference, challenger, judged)

    train()


for found in catalog().datasets:
    make_train(found)
