"""Train a model on all loaded rows of {name}, and make it the champion if it is better.

**Starts** when {starts}, or by hand: **Trigger** opens a form with the grid (quick or full), the strategy with its
trials and timeout, the size of an ensemble, the estimators, the metric, the folds and the parallel jobs.

**Comes in**: all rows of [labels.{name}](table:labels.{name}). Each label is joined with the features that were known
at its time.

**Goes out**:

- a frozen training set (Parquet), named by the hash of its content;
- in [MLflow](experiment:{name}) one run for the search, with a child run for each candidate (also for a failed one),
  charts and a training card;
- a new version of the [registered model {name}](model:{name}) with the alias `challenger`; the alias `champion` moves
  to it if it passes the gate;
- the decision: a row of [models.decisions](table:models.decisions), and a card with charts in MLflow
  (`gate/card.md`).

**How**: no training sees the hold-out. It consists of entities chosen by a hash of their key or, if there is an event
time, of the latest rows. The simplest candidate that is as good as the best is chosen, calibrated and given its
decision threshold, all out of fold: `docs/model-quality.md`. With several classes there is no threshold, and F1 is the
macro average. A number gets an interval. `gate` compares the challenger and the champion on the same hold-out rows: the
gain in F1, or of a number in the mean absolute error, must be statistically significant. `promote` moves the alias.
If the YAML wants it, the winner is tried in `shadow` before, and a person is asked, under **Required Actions**.
`docs/gate.md` explains the gate.

**When it fails**:

- `search` is red: clear it. It continues with the candidates that are left.
- The data cannot train a model (a single class, too few rows of a class): the task fails at once, and its log says
  what is missing. Load more rows.
- `promote` is skipped: the challenger did not pass the gate, or its trial in shadow. This is no failure: the champion
  stays, the run is green.
"""

from functools import partial
from typing import Any

from airflow.sdk import TriggerRule, dag, get_current_context, task

from ml_platform.airflow import approval_task, forms, retrainings, shadow_task, wiring
from ml_platform.airflow.runbook import runbook
from ml_platform.airflow.typed_values import passes_dataclasses
from ml_platform.airflow.wiring import DEFAULT_ARGS, START, fail_at_once_on, skip_if_nothing_new
from ml_platform.exceptions import ConfigurationError, DegenerateDataError
from ml_platform.promotion.results import GateResult, TrainingCard
from ml_platform.specs.catalog import catalog
from ml_platform.specs.spec import Dataset
from ml_platform.training.results import Challenger, SearchResult, TrainingSetReference

MAX_WAITING_RUNS = 16  # trainings that may wait for a person or the truth; they use no worker, and only one searches


def make_train(dataset: Dataset) -> None:
    """Define `train_<data set>`."""

    @task
    @fail_at_once_on(ConfigurationError, DegenerateDataError)
    @passes_dataclasses
    @retrainings.skipped_if_known(dataset)
    @wiring.emits_lineage(dataset)
    def freeze_training_set() -> TrainingSetReference:
        from ml_platform.training import build_training_set

        return build_training_set.freeze(dataset)

    @task(max_active_tis_per_dag=1)
    @fail_at_once_on(ConfigurationError, DegenerateDataError)
    @passes_dataclasses
    def search(reference: TrainingSetReference) -> SearchResult:
        from ml_platform.training import steps, training_set
        from ml_platform.training.search_plan import SearchPlan

        context = get_current_context()
        plan = SearchPlan.of(dataset, attempt_id=context["run_id"], **forms.search_options(context["params"]))
        return steps.search(training_set.load(dataset, reference), plan)

    @task(max_active_tis_per_dag=1)
    @fail_at_once_on(ConfigurationError, DegenerateDataError)
    @passes_dataclasses
    @wiring.emits_lineage(dataset)
    def refit(reference: TrainingSetReference, search_result: SearchResult) -> Challenger:
        from ml_platform.training import steps, training_set

        return steps.refit(training_set.load(dataset, reference), search_result)

    @task.short_circuit
    @fail_at_once_on(ConfigurationError, DegenerateDataError)
    @passes_dataclasses
    def gate(reference: TrainingSetReference, challenger: Challenger) -> GateResult | None:
        from ml_platform.promotion import steps
        from ml_platform.training import training_set

        training = training_set.load(retrainings.of_run(dataset), reference)
        return retrainings.with_reason(dataset, steps.run_gate(training, challenger, by=wiring.started_by()))

    @task(outlets=[wiring.champion(dataset)], trigger_rule=TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS)
    @fail_at_once_on(ConfigurationError, DegenerateDataError)
    @skip_if_nothing_new
    @passes_dataclasses
    def promote(
        reference: TrainingSetReference, challenger: Challenger, gate_result: GateResult, response: Any = None
    ) -> TrainingCard | None:
        from ml_platform.promotion import steps
        from ml_platform.training import training_set

        answer = approval_task.answer_of(response) if response else None
        training = training_set.load(retrainings.of_run(dataset), reference)
        card = steps.promote(training, challenger, by=wiring.started_by(), gate_result=gate_result, answer=answer)
        return card if card.promoted else None

    @dag(
        dag_id=f"train_{dataset.name}",
        dag_display_name=f"Train {dataset.name}",
        description=f"Train a model on all loaded rows of {dataset.name}; it becomes the champion if it is better",
        schedule=[retrainings.starts_training(dataset)],
        start_date=START,
        max_active_runs=MAX_WAITING_RUNS if retrainings.can_wait(dataset) else 1,
        default_args=DEFAULT_ARGS,
        params=forms.training(dataset),
        doc_md=runbook(__doc__, name=dataset.name, starts=retrainings.starts_when(dataset)),
        tags=["ml-platform", dataset.name],
    )
    def train() -> None:
        reference = freeze_training_set()
        challenger = refit(reference, search(reference))
        gate_result = shadow_task.follow(dataset, reference, challenger, gate(reference, challenger))
        if retrainings.can_ask(dataset):
            is_needed = partial(retrainings.needs_approval, dataset)
            approval = approval_task.ask(dataset.gate, "compare" if dataset.shadow else "gate", is_needed)
            gate_result >> approval
            promote(reference, challenger, gate_result, approval.output)
        else:
            promote(reference, challenger, gate_result)

    train()


for spec in catalog().datasets:
    make_train(spec)
