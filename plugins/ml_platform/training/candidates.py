"""The candidates of a grid search: an estimator with its parameters each, and the pipeline that it is fitted in."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import ParameterGrid
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from ml_platform.exceptions import ConfigurationError
from ml_platform.specs.parts import Search
from ml_platform.specs.spec import Dataset

RANDOM_STATE = 20130101
MISSING = "(missing)"

_DEFAULTS: dict[str, tuple[type[BaseEstimator], dict[str, Any]]] = {
    "logistic_regression": (LogisticRegression, {"max_iter": 1000, "random_state": RANDOM_STATE}),
    "random_forest": (RandomForestClassifier, {"n_estimators": 150, "n_jobs": 1, "random_state": RANDOM_STATE}),
    "hist_gradient_boosting": (
        HistGradientBoostingClassifier,
        {"max_iter": 150, "max_leaf_nodes": 15, "early_stopping": False, "random_state": RANDOM_STATE},
    ),
}
_OURS = ("n_jobs", "random_state", "verbose", "warm_start", "categorical_features", "monotonic_cst")


@dataclass(frozen=True)
class Candidate:
    """One point of the grid.

    Attributes:
        estimator: its name in the YAML, such as `random_forest`.
        params: what the grid sets of it; the rest are the platform's defaults.
    """

    estimator: str
    params: dict[str, Any]

    @property
    def id(self) -> str:
        """A short hash of estimator and parameters: the same in every process and run."""
        return sha256(json.dumps([self.estimator, self.params], sort_keys=True).encode()).hexdigest()[:16]

    def __str__(self) -> str:
        """Return estimator and parameters as one reads them in a log."""
        return " ".join([self.estimator, *(f"{name}={value}" for name, value in self.params.items())])

    def build(self) -> BaseEstimator:
        """Return the unfitted scikit-learn classifier."""
        kind, defaults = _DEFAULTS[self.estimator]
        return kind(**(defaults | self.params))


def candidates(search: Search, *, estimators: Collection[str] = (), quick: bool = False) -> list[Candidate]:
    """Return every combination of the grids, each checked before any of them is fitted.

    Args:
        search: the data set's grids.
        estimators: the ones to try; all of the data set's if empty.
        quick: take the first value of each parameter only, `class_weight` excepted.

    Raises:
        ConfigurationError: an estimator is not in the data set's grid, or it does not accept a value.
    """
    if unknown := sorted(set(estimators) - set(search.candidates)):
        raise ConfigurationError(
            f"estimators: {unknown} are not among search.candidates; there are: {list(search.candidates)}"
        )
    found: dict[str, Candidate] = {}
    for estimator, grid in search.candidates.items():
        if not estimators or estimator in estimators:
            _check_names(estimator, grid)
            for params in ParameterGrid(_first_values(grid) if quick else grid):
                candidate = Candidate(estimator, params)
                _check_values(candidate)
                found[candidate.id] = candidate
    return list(found.values())


def _first_values(grid: dict[str, list[Any]]) -> dict[str, list[Any]]:
    return {name: values if name == "class_weight" else values[:1] for name, values in grid.items()}


def _check_names(estimator: str, grid: dict[str, list[Any]]) -> None:
    kind, _ = _DEFAULTS[estimator]
    allowed = sorted(set(kind().get_params()) - set(_OURS))
    for name, values in grid.items():
        if name not in allowed:
            raise ConfigurationError(f"search.candidates.{estimator}.{name}: no such parameter; there are: {allowed}")
        if not values:
            raise ConfigurationError(f"search.candidates.{estimator}.{name}: the list is empty")


def _check_values(candidate: Candidate) -> None:
    try:
        candidate.build()._validate_params()
    except ValueError as error:
        raise ConfigurationError(f"search.candidates.{candidate.estimator}: {error}") from None


def pipeline(candidate: Candidate, dataset: Dataset) -> Pipeline:
    """Return the unfitted pipeline of a candidate.

    It takes a frame with the data set's feature columns (float64, or object with str; NaN is missing). Missing values,
    columns without any value and categories that were never seen score like any others.
    """
    categories = [name for name, column in dataset.features.items() if column.type == "category"]
    numbers = [name for name in dataset.features if name not in categories]
    steps = [("categories", _encoder(candidate), categories), ("numbers", _scaler(candidate), numbers)]
    return Pipeline(
        [
            ("columns", ColumnTransformer([step for step in steps if step[2]], verbose_feature_names_out=False)),
            ("classifier", candidate.build()),
        ]
    )


def _encoder(candidate: Candidate) -> Pipeline:
    imputer = SimpleImputer(strategy="constant", fill_value=MISSING, keep_empty_features=True)
    if candidate.estimator == "hist_gradient_boosting":
        # Ordinal codes, not `categorical_features`: that makes MLflow's safe format ask to trust functools.partial.
        return make_pipeline(
            imputer, OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, max_categories=200)
        )
    return make_pipeline(
        imputer,
        OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=5, max_categories=50, sparse_output=False),
    )


def _scaler(candidate: Candidate) -> Pipeline:
    # Trees get the median too: a column without any value in one fold breaks histogram binning in scikit-learn 1.9.
    imputer = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    return make_pipeline(imputer, StandardScaler()) if candidate.estimator == "logistic_regression" else imputer
