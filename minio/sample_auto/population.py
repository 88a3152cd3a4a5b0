"""Draw columns from tables of frequencies and quantiles.

A table is named after what it draws and what that depends on, as in `JOB|EDUCATION,SEX`. Two methods keep the sample
close to its tables and give the dependencies that no table holds:

* Latin hypercube sampling (McKay, Beckman and Conover, Technometrics 21, 1979): each of a group's n rows takes one of
  n equal slices of probability, so the frequencies come out right for nearly every seed.
* a Gaussian copula (Nelsen, An Introduction to Copulas, 2006): which row takes which slice follows the rank of a
  latent normal value, and that may lean toward columns drawn before.
"""

from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

Column = NDArray[Any]
Table = Mapping[str, Any]  # by group: frequencies by value, or quantiles on the grid


class Population(dict[str, Column]):
    """Columns by name, all of one length. Every draw may depend on the columns drawn before it."""

    def __init__(self, tables: Mapping[str, Table], grid: Sequence[float], size: int, rng: np.random.Generator) -> None:
        """Start with no columns; `grid` holds the levels at which the tables give their quantiles."""
        super().__init__()
        self.tables, self.grid, self.size, self.rng = tables, grid, size, rng

    def draw(self, table: str, lean: Mapping[str, float] | None = None) -> Column:
        """Draw the column that `table` names, leaning toward the columns of `lean` by these correlations of ranks."""
        name, _, given = table.partition("|")
        groups = self._groups(given)
        slices = self._slices(groups, self.latent(lean or {}))
        self[name] = np.empty(self.size, dtype=object)
        for group, distribution in self.tables[table].items():
            rows = groups == group
            self[name][rows] = self._invert(distribution, slices[rows])
        return self[name]

    def latent(self, lean: Mapping[str, float]) -> Column:
        """Standard normal values whose correlation with each column of `lean` is about the number given there."""
        rest = 1 - sum(weight**2 for weight in lean.values())
        noise = np.sqrt(rest) * self.rng.standard_normal(self.size)
        return noise + sum(weight * normal_scores(self[name]) for name, weight in lean.items())

    def either(self, condition: Column, name: str) -> None:
        """Add a column of `yes` and `no`."""
        self[name] = np.where(condition, "yes", "no")

    def _groups(self, given: str) -> Column:
        if not given:
            return np.full(self.size, "all")
        columns = [self[name].astype(str) for name in given.split(",")]
        return np.array(["|".join(key) for key in zip(*columns, strict=True)])

    def _slices(self, groups: Column, latent: Column) -> Column:
        slices = np.empty(self.size)
        for group in np.unique(groups):
            rows = groups == group
            slices[rows] = (ranks(latent[rows]) + self.rng.random(rows.sum())) / rows.sum()
        return slices

    def _invert(self, distribution: Mapping[str, float] | Sequence[float], slices: Column) -> Column:
        """Invert the distribution function: of categories, or of numbers given by their quantiles."""
        if not isinstance(distribution, Mapping):
            return np.interp(slices, self.grid, distribution)
        upper = np.cumsum(list(distribution.values()))
        return np.array(list(distribution))[np.searchsorted(upper[:-1], slices, side="right")]


def ranks(values: Column) -> Column:
    """Give 0 to the smallest value and n-1 to the largest; equal ones keep their order."""
    return np.argsort(np.argsort(values, kind="stable"), kind="stable")


def normal_scores(values: Column) -> Column:
    """Map values to the standard normal quantiles of their ranks (van der Waerden scores)."""
    inverse = NormalDist().inv_cdf
    return np.array([inverse((rank + 0.5) / len(values)) for rank in ranks(values)])
