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
from ml_platform.airflow.typed_values import passes_dataclasses
from ml_platform.airflow.wiring import DEFAULT_ARGS, START, fail_at_once_on, skip_without_news
from ml_platform.exceptions import ConfigurationError, DegenerateDataError
from ml_platform.promotion.results import GateResult, TrainingCard
from ml_platform.specs.catalog import catalog
from ml_platform.specs.spec import Dataset
from ml_platform.training.results import Challenger, SearchResult, TrainingSetReference

MAY_WAIT = 16  # trainings whose model waits for an approval; they hold no worker, and search one after the other


def make_train(dataset: Dataset) -> None:
    """Define `train_<data set>`."""

    @task
    @fail_at_once_on(ConfigurationError, DegenerateDataError)
    @passes_dataclasses
    def freeze_training_set() -> TrainingSetReference:
        from ml_platform.training import build_training_set

        return build_training_set.freeze(dataset)

    @task(max_active_tis_per_dag=1)
    @fail_at_once_on(ConfigurationError, DegenerateDataError)
    @passes_dataclasses
    def search(frozen: TrainingSetReference) -> SearchResult:
        from ml_platform.training import steps, training_set
        from ml_platform.training.search_plan import SearchPlan

        context = get_current_context()
        form = dict(context["params"])
        quick = form.pop("grid") == "quick"
        plan = SearchPlan.of(dataset.search, quick=quick, attempt_id=context["run_id"], **form)
        return steps.search(training_set.load(dataset, frozen), plan)

    @task(max_active_tis_per_dag=1)
    @fail_at_once_on(ConfigurationError, DegenerateDataError)
    @passes_dataclasses
    def refit(frozen: TrainingSetReference, searched: SearchResult) -> Challenger:
        from ml_platform.training import steps, training_set

        return steps.refit(training_set.load(dataset, frozen), searched)

    @task.short_circuit
    @fail_at_once_on(ConfigurationError, DegenerateDataError)
    @passes_dataclasses
    def gate(frozen: TrainingSetReference, challenger: Challenger) -> GateResult | None:
        from ml_platform.promotion import steps
        from ml_platform.training import training_set

        return steps.run_gate(training_set.load(dataset, frozen), challenger, by=wiring.started_by())

    @task(outlets=[wiring.champion(dataset)])
    @fail_at_once_on(ConfigurationError, DegenerateDataError)
    @skip_without_news
    @passes_dataclasses
    def promote(
        frozen: TrainingSetReference,
        challenger: Challenger,
        passed: GateResult,
        response: dict[str, Any] | None = None,
    ) -> TrainingCard | None:
        from ml_platform.promotion import steps
        from ml_platform.training import training_set

        answer = approval_task.answer_of(response) if response else None
        training = training_set.load(dataset, frozen)
        card = steps.promote(training, challenger, by=wiring.started_by(), passed=passed, answer=answer)
        return card if card.promoted else None

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
        frozen = freeze_training_set()
        challenger = refit(frozen, search(frozen))
        passed = gate(frozen, challenger)
        if dataset.gate.approval:
            approval = approval_task.ask(dataset.gate, question_from="gate")
            passed >> approval
            promote(frozen, challenger, passed, approval.output)
        else:
            promote(frozen, challenger, passed)

    train()


for found in catalog().datasets:
    make_train(found)
