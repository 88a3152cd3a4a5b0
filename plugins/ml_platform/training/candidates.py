"""The candidates of a grid search, each an estimator with its parameters, and the pipeline that fits a candidate."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.model_selection import ParameterGrid
from sklearn.pipeline import Pipeline

from ml_platform.estimators.sklearn_internals import validate_params
from ml_platform.estimators.table import ESTIMATORS
from ml_platform.evaluation.tasks import kind_of
from ml_platform.exceptions import ConfigurationError
from ml_platform.specs.spec import Dataset
from ml_platform.specs.tasks import Estimator

_PLATFORM_PARAMS = (
    "n_jobs", "random_state", "verbose", "warm_start", "categorical_features", "monotonic_cst", "n_categories",
)  # fmt: skip


@dataclass(frozen=True)
class Candidate:
    """One point of the grid.

    Attributes:
        estimator: name in the YAML, such as `random_forest`.
        params: the parameters that the grid sets; the others have the platform's defaults.
    """

    estimator: Estimator
    params: dict[str, Any]

    @property
    def id(self) -> str:
        """A short hash of estimator and parameters, the same in every process."""
        return sha256(json.dumps([self.estimator, self.params], sort_keys=True).encode()).hexdigest()[:16]

    def __str__(self) -> str:
        """Return estimator and parameters as the log shows them."""
        return " ".join([self.estimator, *(f"{name}={value}" for name, value in self.params.items())])

    def build(self, dataset: Dataset) -> BaseEstimator:
        """Return the unfitted scikit-learn estimator for a data set's kind of label."""
        return ESTIMATORS[self.estimator].build(self.params, kind_of(dataset.label).estimator_type)


def candidates(dataset: Dataset, *, estimators: Collection[str] = (), quick: bool = False) -> list[Candidate]:
    """Return every combination of the grids; invalid values are found here, before the first fit.

    Args:
        dataset: the spec; its section `search` has the grids.
        estimators: of these only; of all in the grid if empty.
        quick: use only the first value of each parameter, but all values of `class_weight`.

    Raises:
        ConfigurationError: an estimator is not in the grid or cannot be used here, or a parameter or a value is
            invalid.
    """
    grids = dataset.search.candidates
    if unknown := sorted(set(estimators) - set(grids)):
        raise ConfigurationError(f"estimators: {unknown} are not among search.candidates; there are: {list(grids)}")
    by_id: dict[str, Candidate] = {}
    for estimator, grid in grids.items():
        if not estimators or estimator in estimators:
            _check_usable(estimator)
            _check_names(dataset, estimator, grid)
            for params in ParameterGrid(_first_values(grid) if quick else grid):
                candidate = Candidate(estimator, params)
                _check_values(dataset, candidate)
                by_id[candidate.id] = candidate
    return list(by_id.values())


def _first_values(grid: dict[str, list[Any]]) -> dict[str, list[Any]]:
    return {name: values if name == "class_weight" else values[:1] for name, values in grid.items()}


def _check_usable(estimator: Estimator) -> None:
    if problem := ESTIMATORS[estimator].problem():
        usable = [name for name, kind in ESTIMATORS.items() if kind.problem() is None]
        raise ConfigurationError(
            f"search.candidates: {estimator!r} cannot be used: {problem}. Estimators that can be used here: {usable}"
        )


def _check_names(dataset: Dataset, estimator: Estimator, grid: dict[str, list[Any]]) -> None:
    task = kind_of(dataset.label)
    fitting = [name for name, kind in ESTIMATORS.items() if getattr(kind, task.estimator_type)]
    if estimator not in fitting:
        raise ConfigurationError(
            f"search.candidates.{estimator}: is no {task.estimator_type}, which the label needs ({task.name}); "
            f"there are: {', '.join(fitting)}"
        )
    allowed = sorted(set(Candidate(estimator, {}).build(dataset).get_params()) - set(_PLATFORM_PARAMS))
    for name, values in grid.items():
        if name not in allowed:
            raise ConfigurationError(f"search.candidates.{estimator}.{name}: no such parameter; there are: {allowed}")
        if not values:
            raise ConfigurationError(f"search.candidates.{estimator}.{name}: the list is empty")


def _check_values(dataset: Dataset, candidate: Candidate) -> None:
    try:
        validate_params(candidate.build(dataset))
    except ValueError as error:
        raise ConfigurationError(f"search.candidates.{candidate.estimator}: {error}") from None


def pipeline(candidate: Candidate, dataset: Dataset) -> Pipeline:
    """Return the unfitted pipeline of a candidate.

    It takes a frame with the data set's feature columns: float64, or objects of str; NaN is missing. It also scores
    rows with missing values, empty columns and unknown categories.
    """
    categories = [name for name, column in dataset.features.items() if column.type == "category"]
    numbers = [name for name in dataset.features if name not in categories]
    kind = ESTIMATORS[candidate.estimator]
    model = candidate.build(dataset)
    if "n_categories" in model.get_params():  # the encoder puts them first
        model.set_params(n_categories=len(categories))
    steps = [("categories", kind.encoder(), categories), ("numbers", kind.scaler(), numbers)]
    return Pipeline(
        [
            ("columns", ColumnTransformer([step for step in steps if step[2]], verbose_feature_names_out=False)),
            (kind_of(dataset.label).estimator_type, model),
        ]
    )
