"""What the trigger forms of the DAGs ask."""

from airflow.sdk import Param

from ml_platform.specs.parts import METRICS
from ml_platform.specs.spec import Dataset


def training(dataset: Dataset) -> dict[str, Param]:
    """Return what the form of `train_<data set>` asks; what is not filled in stands in the data set's YAML."""
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


def rollback() -> dict[str, Param]:
    """Return what the form of `rollback_<data set>` asks."""
    return {
        "reason": _reason("Why the model that is live must go; it goes into the history."),
        "to": _version("Of the registered model; the previous champion if left empty."),
    }


def promotion() -> dict[str, Param]:
    """Return what the form of `promote_<data set>` asks."""
    return {
        "environment": Param(
            "production",
            type="string",
            pattern="^[a-z][a-z0-9_]{0,40}$",
            title="Environment",
            description="Where the version goes; its registry is the Airflow connection mlflow_<environment>.",
        ),
        "version": _version("Of the registered model here; the champion if left empty."),
        "reason": _reason("Why it goes live there; it goes into the history."),
    }


def _reason(description: str) -> Param:
    return Param(type="string", minLength=1, title="Reason", description=description)


def _version(description: str) -> Param:
    return Param(None, type=["null", "integer"], minimum=1, title="Version", description=description)
