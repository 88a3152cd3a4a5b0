"""The groups of a sensitive column: its values, or ranges of its numbers. No I/O."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from ml_platform.specs.parts import NUMERIC_TYPES, ColumnType

MISSING = "(missing)"
FEW_VALUES = 6  # so few different numbers are groups of their own


def groups_of(values: pd.Series, kind: ColumnType, trained: pd.Series, cuts: Sequence[float] | None) -> pd.Series:
    """Return the group of each row, as a categorical whose categories are in the order of the values.

    Numbers become ranges: between the cuts, or else between the quartiles of the training rows. Missing values are a
    group of their own.

    Args:
        values: shape (n_rows,), typed as in a training set.
        kind: type of the column.
        trained: the same column of the training rows.
        cuts: where the second and each further group begins; None if the spec states none.
    """
    if kind not in NUMERIC_TYPES:
        names = values.map({0.0: "false", 1.0: "true"}) if kind == "boolean" else values.replace(MISSING, repr(MISSING))
        order = sorted(names.dropna().unique())
    elif cuts is None and trained.nunique() <= FEW_VALUES:
        numbers = sorted(values.dropna().unique())
        order = _texts(numbers)
        names = values.map(dict(zip(numbers, order, strict=True)))
    else:
        edges = _quartiles(trained) if cuts is None else list(cuts)
        order = _ranges(edges)
        names = pd.Series(np.array(order, dtype=object)[np.searchsorted(edges, values, side="right")], values.index)
    filled = names.astype(object).where(values.notna(), MISSING)
    return pd.Series(pd.Categorical(filled, [*order, MISSING]), values.index, name=values.name)


def _quartiles(trained: pd.Series) -> list[float]:
    known = trained.dropna()
    return [float(edge) for edge in np.unique(np.quantile(known, [0.25, 0.5, 0.75])) if edge > known.min()]


def _ranges(edges: Sequence[float]) -> list[str]:
    if not edges:
        return ["all"]
    texts = _texts(edges)
    between = [f"{low} to under {high}" for low, high in pairwise(texts)]
    return [f"under {texts[0]}", *between, f"{texts[-1]} or more"]


def _texts(numbers: Sequence[float]) -> list[str]:
    """Return numbers as texts, with as few digits as tell them apart."""
    for digits in (6, 9, 12, 15):
        texts = [f"{number:.{digits}g}" for number in numbers]
        if len(set(texts)) == len(texts):
            return texts
    return [repr(float(number)) for number in numbers]
