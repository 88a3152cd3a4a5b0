"""Draw columns from tables of frequencies and quantiles.

The name of a table says which column it draws and on which columns that depends, such as `JOB|EDUCATION,SEX`. Two
methods keep the sample close to its tables, and add the dependencies that are in no table:

* Latin hypercube sampling (McKay, Beckman and Conover, Technometrics 21, 1979): each of a group's n rows takes one of
  n equal slices of probability, so the frequencies are right for nearly every seed.
* a Gaussian copula (Nelsen, An Introduction to Copulas, 2006): the rank of a latent normal value selects the
  slice of a row, and that value may be correlated with columns drawn before.
"""

from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

Column = NDArray[Any]
Table = Mapping[str, Any]  # by group: frequencies by value, or quantiles on the grid


class Population(dict[str, Column]):
    """Columns by name, all of the same length. A draw can depend on the columns drawn before it."""

    def __init__(self, tables: Mapping[str, Table], grid: Sequence[float], size: int, rng: np.random.Generator) -> None:
        """Start without columns; `grid` has the levels of the quantiles in the tables."""
        super().__init__()
        self.tables, self.grid, self.size, self.rng = tables, grid, size, rng

    def draw(self, table: str, lean: Mapping[str, float] | None = None) -> Column:
        """Draw the column of `table`, with the rank correlations of `lean` to the columns named there."""
        name, _, given = table.partition("|")
        groups = self._groups(given)
        slices = self._slices(groups, self.latent(lean or {}))
        self[name] = np.empty(self.size, dtype=object)
        for group, distribution in self.tables[table].items():
            rows = groups == group
            self[name][rows] = self._invert(distribution, slices[rows])
        return self[name]

    def latent(self, lean: Mapping[str, float]) -> Column:
        """Return standard normal values whose correlation with each column of `lean` is about the given number."""
        rest = 1 - sum(weight**2 for weight in lean.values())
        noise = np.sqrt(rest) * self.rng.standard_normal(self.size)
        return noise + sum(weight * normal_scores(self[name]) for name, weight in lean.items())

    def either(self, condition: Column, name: str) -> None:
        """Add the column `name`: `yes` where the condition is true, else `no`."""
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
    """Return ranks from 0 (smallest) to n-1; equal values keep their order."""
    return np.argsort(np.argsort(values, kind="stable"), kind="stable")


def normal_scores(values: Column) -> Column:
    """Return the standard normal quantiles of the ranks of values (van der Waerden scores)."""
    inverse = NormalDist().inv_cdf
    return np.array([inverse((rank + 0.5) / len(values)) for rank in ranks(values)])
