"""The space of an adaptive search: per estimator its parameters, each a list of values or a distribution."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from ml_platform.exceptions import ConfigurationError
from ml_platform.specs.distributions import Distribution
from ml_platform.specs.spec import Dataset
from ml_platform.specs.tasks import Estimator
from ml_platform.training.candidates import Candidate, check_names, check_values, first_values, selected


@dataclass(frozen=True)
class Values:
    """A choice from a list, without an order."""

    values: tuple[Any, ...]


@dataclass(frozen=True)
class Range:
    """The numbers between two bounds, which belong to it.

    Attributes:
        low: lower bound; if both are integers, whole numbers are drawn.
        high: upper bound.
        log: whether the logarithm is drawn evenly.
    """

    low: int | float
    high: int | float
    log: bool


Space = Mapping[Estimator, Mapping[str, Values | Range]]


def search_space(dataset: Dataset, *, estimators: Collection[str] = (), quick: bool = False) -> Space:
    """Return the space of a search; invalid values and bounds are found here, before the first fit.

    Args:
        dataset: the spec; its section `search` has the parameters.
        estimators: of these only; of all in the YAML if empty.
        quick: use only the first value of each list, but all values of `class_weight`.

    Raises:
        ConfigurationError: an estimator is not in the YAML, or a parameter, a value or a bound is invalid.
    """
    space: dict[Estimator, dict[str, Values | Range]] = {}
    for estimator, parameters in selected(dataset, estimators).items():
        check_names(dataset, estimator, parameters)
        defaults = Candidate(estimator, {}).build(dataset).get_params()
        space[estimator] = {
            name: _range(choice, defaults[name]) if isinstance(choice, Distribution) else Values(tuple(choice))
            for name, choice in (first_values(parameters) if quick else parameters).items()
        }
        _check_ends(dataset, estimator, space[estimator])
    return space


def _range(distribution: Distribution, default: object) -> Range:
    low, high = distribution.low, distribution.high
    # `C: {low: 1, high: 10}` means fractions, too: its default is one.
    if isinstance(low, int) and isinstance(high, int) and not isinstance(default, float):
        return Range(low, high, log=distribution.log)
    return Range(float(low), float(high), log=distribution.log)


def _check_ends(dataset: Dataset, estimator: Estimator, parameters: Mapping[str, Values | Range]) -> None:
    """Check every value of a list and both bounds of a range, one parameter at a time."""
    ends = {name: (p.low, p.high) if isinstance(p, Range) else p.values for name, p in parameters.items()}
    first = {name: values[0] for name, values in ends.items()}
    for name, values in ends.items():
        for value in values:
            try:
                check_values(dataset, Candidate(estimator, {**first, name: value}))
            except ConfigurationError as error:
                if isinstance(parameters[name], Range):
                    raise ConfigurationError(f"{error} (a bound of {name})") from None
                raise
