"""The candidates of a search, each an estimator with its parameters, and the pipeline that fits a candidate."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, cast

from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.model_selection import ParameterGrid
from sklearn.pipeline import Pipeline

from ml_platform.estimators.sklearn_internals import validate_params
from ml_platform.estimators.table import ESTIMATORS, EstimatorKind
from ml_platform.estimators.weighted_mean import WeightedMean, WeightedMeanClassifier, WeightedMeanRegressor
from ml_platform.evaluation.tasks import kind_of
from ml_platform.exceptions import ConfigurationError
from ml_platform.specs.distributions import Parameters, check_lists
from ml_platform.specs.spec import Dataset
from ml_platform.specs.tasks import ENSEMBLE, CandidateKind, Estimator

_PLATFORM_PARAMS = (
    "n_jobs", "random_state", "verbose", "warm_start", "categorical_features", "monotonic_cst", "n_categories",
)  # fmt: skip
MAX_DIGITS = 8


@dataclass(frozen=True)
class Candidate:
    """One point of the grid or of the space of an adaptive search, or an ensemble of such points.

    Attributes:
        estimator: name in the YAML, such as `random_forest`; or `ensemble`.
        params: the parameters that the search sets; the others have the platform's defaults. Of an ensemble the
            `members`: weight, estimator and parameters of each.
    """

    estimator: CandidateKind
    params: dict[str, Any]

    @classmethod
    def ensemble(cls, members: Sequence[tuple[float, "Candidate"]]) -> "Candidate":
        """Return the ensemble of members, each with its weight; the sum of the weights is 1."""
        return cls(ENSEMBLE, {"members": [[weight, one.estimator, one.params] for weight, one in members]})

    @property
    def is_ensemble(self) -> bool:
        """Whether it is an ensemble of other candidates."""
        return self.estimator == ENSEMBLE

    @property
    def members(self) -> list[tuple[float, "Candidate"]]:
        """The members of an ensemble with their weights; any other candidate is its own member."""
        if not self.is_ensemble:
            return [(1.0, self)]
        return [(weight, Candidate(name, params)) for weight, name, params in self.params["members"]]

    @property
    def id(self) -> str:
        """A short hash of estimator and parameters, the same in every process."""
        return sha256(json.dumps([self.estimator, self.params], sort_keys=True).encode()).hexdigest()[:16]

    def __str__(self) -> str:
        """Return estimator and parameters as the log shows them; a long fraction has four digits.

        An ensemble has weight and estimator of each member; `texts` has their parameters, too.
        """
        if self.is_ensemble:
            return f"ensemble of {', '.join(f'{weight:.2f} {one.estimator}' for weight, one in self.members)}"
        return " ".join([self.estimator, *(f"{name}={_shown(value)}" for name, value in self.params.items())])

    @property
    def kind(self) -> EstimatorKind:
        """The row of its estimator in the table; an ensemble has none."""
        return ESTIMATORS[cast(Estimator, self.estimator)]

    def texts(self) -> dict[str, str]:
        """Return the parameters by name, or the members of an ensemble by number, as texts."""
        if self.is_ensemble:
            return {f"member_{k}": f"{weight:.2f} {one}" for k, (weight, one) in enumerate(self.members, 1)}
        return {name: str(value) for name, value in self.params.items()}

    def build(self, dataset: Dataset) -> BaseEstimator:
        """Return the unfitted scikit-learn estimator for a data set's kind of label; an ensemble has none."""
        return self.kind.build(self.params, kind_of(dataset.label).estimator_type)


def _shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) and len(str(value)) > MAX_DIGITS else str(value)


def candidates(dataset: Dataset, *, estimators: Collection[str] = (), quick: bool = False) -> list[Candidate]:
    """Return every combination of the grids; invalid values are found here, before the first fit.

    Args:
        dataset: the spec; its section `search` has the grids.
        estimators: of these only; of all in the grid if empty.
        quick: use only the first value of each parameter, but all values of `class_weight`.

    Raises:
        ConfigurationError: an estimator is not in the grid or cannot be used here, or a parameter or a value is
            invalid, or a distribution.
    """
    by_id: dict[str, Candidate] = {}
    for estimator, grid in selected(dataset, estimators).items():
        check_names(dataset, estimator, grid)
        try:
            check_lists(f"search.candidates.{estimator}", grid)
        except ValueError as error:
            raise ConfigurationError(str(error)) from None
        for params in ParameterGrid(first_values(grid) if quick else grid):
            candidate = Candidate(estimator, params)
            check_values(dataset, candidate)
            by_id[candidate.id] = candidate
    return list(by_id.values())


def selected(dataset: Dataset, estimators: Collection[str]) -> dict[Estimator, Parameters]:
    """Return the parameters of the named estimators, in the order of the YAML; of all if none is named.

    Raises:
        ConfigurationError: an estimator is not in the YAML.
    """
    grids = dataset.search.candidates
    if unknown := sorted(set(estimators) - set(grids)):
        raise ConfigurationError(f"estimators: {unknown} are not among search.candidates; there are: {list(grids)}")
    return {name: grid for name, grid in grids.items() if not estimators or name in estimators}


def first_values(parameters: Parameters) -> Parameters:
    """Return the parameters with the first value of each list, but all values of `class_weight`."""
    return {
        name: values[:1] if isinstance(values, list) and name != "class_weight" else values
        for name, values in parameters.items()
    }


def _check_usable(dataset: Dataset, estimator: Estimator) -> None:
    if problem := ESTIMATORS[estimator].problem():
        usable = [name for name, kind in ESTIMATORS.items() if kind.problem() is None]
        raise ConfigurationError(
            f"search.candidates: {estimator!r} cannot be used: {problem}. Estimators that can be used here: {usable}"
        )
    task = kind_of(dataset.label)
    fitting = [name for name, kind in ESTIMATORS.items() if getattr(kind, task.estimator_type)]
    if estimator not in fitting:
        raise ConfigurationError(
            f"search.candidates.{estimator}: is no {task.estimator_type}, which the label needs ({task.name}); "
            f"there are: {', '.join(fitting)}"
        )


def check_names(dataset: Dataset, estimator: Estimator, parameters: Parameters) -> None:
    """Check that the estimator can be used, that it has these parameters, and that no list is empty.

    Raises:
        ConfigurationError: it cannot, or it has not, or the platform sets the parameter itself.
    """
    _check_usable(dataset, estimator)
    allowed = sorted(set(Candidate(estimator, {}).build(dataset).get_params()) - set(_PLATFORM_PARAMS))
    for name, values in parameters.items():
        if name not in allowed:
            raise ConfigurationError(f"search.candidates.{estimator}.{name}: no such parameter; there are: {allowed}")
        if not values:
            raise ConfigurationError(f"search.candidates.{estimator}.{name}: the list is empty")


def check_values(dataset: Dataset, candidate: Candidate) -> None:
    """Check the values of a candidate's parameters.

    Raises:
        ConfigurationError: the estimator does not accept one; the text names it and what is allowed.
    """
    try:
        validate_params(candidate.build(dataset))
    except ValueError as error:
        raise ConfigurationError(f"search.candidates.{candidate.estimator}: {error}") from None


def pipeline(candidate: Candidate, dataset: Dataset) -> BaseEstimator:
    """Return the unfitted pipeline of a candidate, or the unfitted ensemble of several pipelines.

    It takes a frame with the data set's feature columns: float64, or objects of str; NaN is missing. It also scores
    rows with missing values, empty columns and unknown categories.
    """
    if candidate.is_ensemble:
        return _ensemble(candidate, dataset)
    categories = [name for name, column in dataset.features.items() if column.type == "category"]
    numbers = [name for name in dataset.features if name not in categories]
    kind, model = candidate.kind, candidate.build(dataset)
    if "n_categories" in model.get_params():  # the encoder puts them first
        model.set_params(n_categories=len(categories))
    steps = [("categories", kind.encoder(), categories), ("numbers", kind.scaler(), numbers)]
    return Pipeline(
        [
            ("columns", ColumnTransformer([step for step in steps if step[2]], verbose_feature_names_out=False)),
            (kind_of(dataset.label).estimator_type, model),
        ]
    )


def _ensemble(candidate: Candidate, dataset: Dataset) -> WeightedMean:
    means = {"classifier": WeightedMeanClassifier, "regressor": WeightedMeanRegressor}
    weights, members = zip(*candidate.members, strict=True)
    return means[kind_of(dataset.label).estimator_type]([pipeline(one, dataset) for one in members], list(weights))
