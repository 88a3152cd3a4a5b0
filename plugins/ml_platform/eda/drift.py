"""Drift: how much the rows to score differ from the training rows, per feature."""

from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import chi2_contingency, ks_2samp

# The usual thresholds of the population stability index (Siddiqi, Credit Risk Scorecards, 2006).
SOME, STRONG = 0.1, 0.25
MISSING, OTHERS = "(missing)", "(others)"
_BINS, _COMMON = 10, 30
_LEAST_SHARE = 1e-4  # the share of an empty bin: with 0 the index would be infinite


def drift(train: pd.DataFrame, test: pd.DataFrame) -> pd.DataFrame:
    """Compare the columns that two frames have in common.

    Args:
        train: the training rows; columns of float64, bool, or objects of str; NaN or None is missing.
        test: the rows to score, with columns of the same types.

    Returns:
        One row per column, the strongest drift first: `psi`, the population stability index over the deciles of train
        or its 30 most common values, with one more bin for missing values; `test`, `statistic` and `p_value` of the
        two-sample Kolmogorov-Smirnov test (numbers) or the chi² test of independence (categories), NaN if a side has no
        values; `missing_train` and `missing_test`, shares from 0 to 1.
    """
    names = [name for name in train.columns if name in test.columns]
    rows = [_compare(train[name], test[name]) for name in names]
    columns = ["psi", "test", "statistic", "p_value", "missing_train", "missing_test"]
    return pd.DataFrame(rows, index=names, columns=columns).sort_values("psi", ascending=False, kind="stable")


def bin_edges(values: pd.Series) -> NDArray[np.float64]:
    """Return the edges of bins at the deciles of numbers, shape (n_bins + 1,); the outer edges are infinite."""
    present = values.dropna().to_numpy("float64")
    inner = np.unique(np.quantile(present, np.linspace(0, 1, _BINS + 1)[1:-1])) if len(present) else np.empty(0)
    return np.array([-np.inf, *inner, np.inf])


def bin_counts(train: pd.Series, test: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Return the number of values per bin in two columns, shapes (n_bins,), with the same index.

    The bins come from `train`: its deciles for numbers, its most common values for categories.
    """
    if pd.api.types.is_numeric_dtype(train.dtype):
        edges = bin_edges(train)
        return _histogram(train, edges), _histogram(test, edges)
    order = [str(value) for value in train.astype("string").value_counts().index[:_COMMON]]
    return _occurrences(train, order), _occurrences(test, order)


def _histogram(values: pd.Series, edges: NDArray[np.float64]) -> pd.Series:
    counts, _ = np.histogram(values.dropna().to_numpy("float64"), edges)
    names = [f"{low:.4g} to {high:.4g}" for low, high in pairwise(edges)]
    return pd.Series([*counts, values.isna().sum()], index=[*names, MISSING])


def _occurrences(values: pd.Series, order: list[str]) -> pd.Series:
    texts = values.astype("string")
    counts = texts.value_counts()
    others = counts.sum() - counts.reindex(order, fill_value=0).sum()
    common = [int(counts.get(text, 0)) for text in order]
    return pd.Series([*common, int(others), int(texts.isna().sum())], index=[*order, OTHERS, MISSING])


def _compare(train: pd.Series, test: pd.Series) -> tuple[float, str, float, float, float, float]:
    counts = bin_counts(train, test)
    shares = [np.maximum(one / max(1, one.sum()), _LEAST_SHARE) for one in counts]
    psi = float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())
    gaps = float(train.isna().mean()), float(test.isna().mean())
    if pd.api.types.is_numeric_dtype(train.dtype):
        one, two = (column.dropna().to_numpy("float64") for column in (train, test))
        if not len(one) or not len(two):
            return psi, "KS", float("nan"), float("nan"), *gaps
        result = ks_2samp(one, two, method="asymp")
        return psi, "KS", float(result.statistic), float(result.pvalue), *gaps
    table = np.array([one.to_numpy() for one in counts])
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2 or not table.sum(axis=1).all():
        return psi, "chi²", float("nan"), float("nan"), *gaps
    chi2 = chi2_contingency(table)
    return psi, "chi²", float(chi2.statistic), float(chi2.pvalue), *gaps
