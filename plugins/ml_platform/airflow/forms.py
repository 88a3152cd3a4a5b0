"""What the trigger forms of the DAGs ask."""

from airflow.sdk import Param

from ml_platform.spec import Dataset
from ml_platform.spec_parts import METRICS


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
