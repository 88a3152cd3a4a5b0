"""Train a model on everything that was loaded, and make it champion if it is better.

**Starts** when `ingest_<data set>` has loaded new rows, or by hand: *Trigger* opens a form with the estimators, the
folds, the metric, the parallel jobs, and a switch between the quick and the full grid.

**Goes out**: a frozen training set (Parquet, named by its content hash); in MLflow one run for the search with one
child run for every candidate, also a failed one, its charts and its training card; a new version of the registered
model `<data set>` with the alias `challenger`; and the alias `champion`, if the challenger's F1 on the hold-out is
better than the champion's on the same rows, beyond chance. The decision is a row of `models.decisions`, and a card with
pictures in MLflow (`gate/card.md`); `docs/gate.md` explains it.

**How**: each label is joined with the features that were known at its time. The hold-out (entities by a hash of their
key; with an event time, the latest rows) is in no training. The decision threshold is chosen out-of-fold; with several
classes there is none, and F1 is the macro average.

**When it fails**: `search`, retried or cleared, goes on where it stopped. Data that cannot train a model (a single
class, too few rows of one) fails at once and says so. Until a better model is promoted the champion stays as it is.
"""

from typing import Any

from airflow.sdk import Param, dag, get_current_context, task

from ml_platform.airflow import wiring
from ml_platform.airflow.wiring import DEFAULT_ARGS, START, fail_at_once_on, skip_without_news
from ml_platform.datasets import catalog
from ml_platform.exceptions import ConfigurationError, DegenerateDataError
from ml_platform.spec import Dataset
from ml_platform.spec_parts import METRICS


def form(dataset: Dataset) -> dict[str, Param]:
    """Return what the trigger form asks; what is not filled in stands in the data set's YAML."""
    search, estimators = dataset.search, list(dataset.search.candidates)
    return {
        "grid": Param(
            "full",
            type="string",
            enum=["quick", "full"],
            title="Grid",
            description="full: every combination of the grid. quick: the first value of each parameter, "
            "with and without class weights.",
        ),
        "estimators": Param(
            estimators,
            type="array",
            items={"type": "string", "enum": estimators},
            examples=estimators,
            minItems=1,
            uniqueItems=True,
            title="Estimators",
            description="Which families of models to search.",
        ),
        "scoring": Param(
            search.scoring,
            type="string",
            enum=list(METRICS),
            title="Scoring",
            description="The cross-validated metric that chooses the best candidate.",
        ),
        "folds": Param(
            search.folds,
            type="integer",
            minimum=2,
            maximum=20,
            title="Folds",
            description="Parts of the cross-validation: more are slower and steadier.",
        ),
        "jobs": Param(
            search.jobs,
            type="integer",
            minimum=1,
            maximum=64,
            title="Parallel jobs",
            description="Candidates that are fitted side by side; at most the number of cores.",
        ),
    }


def make_train(dataset: Dataset) -> None:
    """Define `train_<data set>`."""

    @task
    @fail_at_once_on(ConfigurationError, DegenerateDataError)
    def freeze_training_set() -> dict[str, Any]:
        from ml_platform import freezing

        return freezing.freeze(dataset)

    @task
    @fail_at_once_on(ConfigurationError, DegenerateDataError)
    def search(reference: dict[str, Any]) -> dict[str, Any]:
        from ml_platform import training, training_set

        context = get_current_context()
        asked = dict(context["params"])
        quick = asked.pop("grid") == "quick"
        frozen = training_set.load(dataset, reference)
        return training.run_search(frozen, attempt_id=context["run_id"], quick=quick, **asked)

    @task
    @fail_at_once_on(ConfigurationError, DegenerateDataError)
    def refit(reference: dict[str, Any], searched: dict[str, Any]) -> dict[str, Any]:
        from ml_platform import training, training_set

        return training.refit(training_set.load(dataset, reference), searched)

    @task(outlets=[wiring.champion(dataset)])
    @skip_without_news
    def gate(reference: dict[str, Any], challenger: dict[str, Any]) -> dict[str, Any] | None:
        from ml_platform import promotion, training_set

        card = promotion.promote(training_set.load(dataset, reference), challenger, by=wiring.started_by())
        return card if card["promoted"] else None

    @dag(
        dag_id=f"train_{dataset.name}",
        description=f"Search, refit and judge a model of {dataset.name}",
        schedule=[wiring.training_data(dataset)],
        start_date=START,
        max_active_runs=1,
        default_args=DEFAULT_ARGS,
        params=form(dataset),
        doc_md=__doc__,
        tags=["ml-platform", dataset.name],
    )
    def train() -> None:
        reference = freeze_training_set()
        gate(reference, refit(reference, search(reference)))

    train()


for found in catalog().datasets:
    make_train(found)
