"""How sure the measures of groups and their differences are: resamples of the rows of each group. No I/O."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ml_platform import RANDOM_STATE
from ml_platform.evaluation.group_measures import Measure

CONFIDENCE = 0.9
RESAMPLES = 1000
BLOCKS = 2000  # of a group's rows
FURTHER_ROWS = 4  # of all groups, in each resample of a group
MIN_ROWS = 20  # of a group: with fewer, it is only counted
MIN_MEASURED = 10  # rows of a group that a measure is about, such as the positive ones for the recall

Numbers = NDArray[np.float64]


def measured_rows(measure: Measure, rows: NDArray[np.bool_]) -> int:
    """Return how many rows of a group a measure is about; `rows` is a mask of shape (n_rows,)."""
    return int((measure.of[rows] > 0).sum(axis=0).min())


def has_enough(measure: Measure, rows: NDArray[np.bool_]) -> bool:
    """Return whether a group has enough rows for a measure; `rows` is a mask of shape (n_rows,)."""
    return bool(rows.sum() >= MIN_ROWS and measured_rows(measure, rows) >= MIN_MEASURED)


def resampled_measures(measures: Sequence[Measure], codes: NDArray[np.intp], n_groups: int) -> Numbers:
    """Return each measure of each group per resample.

    The rows of each group are drawn with replacement; more than `BLOCKS` rows are put into that many blocks at random,
    and blocks are drawn. A few further rows come from all groups: without them, a group in which all of ten positive
    rows are found would have a recall of 1 in every resample, as if that were certain. As they are no rows of the
    group, the spread is made that of the group's own number of rows. Sources: B. Efron and
    R. Tibshirani, An Introduction to the Bootstrap (1993), chapter 8.3 (each sample resampled by itself); A. Agresti
    and B. Coull, Approximate Is Better than "Exact" for Interval Estimation of Binomial Proportions (1998), for four
    further rows.

    Args:
        measures: of all rows.
        codes: the group of each row, from 0; -1 for none; shape (n_rows,).
        n_groups: number of groups.

    Returns:
        Shape (RESAMPLES, n_groups, n_measures); NaN where a group has too few rows. The same for the same rows.
    """
    random = np.random.default_rng(RANDOM_STATE)
    resampled = np.full((RESAMPLES, n_groups, len(measures)), np.nan)
    for i in range(n_groups):
        of_group = codes == i
        rows = random.permutation(np.flatnonzero(of_group))
        blocks = min(len(rows), BLOCKS)
        starts = np.arange(blocks) * len(rows) // blocks
        weights = random.multinomial(blocks, np.full(blocks, 1 / blocks), RESAMPLES)
        for j, measure in enumerate(measures):
            if has_enough(measure, of_group):
                hits, of = (
                    weights @ np.add.reduceat(part[rows], starts) + further
                    for part, further in zip((measure.hits, measure.of), _further_rows(measure, random), strict=True)
                )
                values, own = (hits / of).mean(axis=1), measured_rows(measure, of_group)
                center, spread = values.mean(), np.sqrt((own + FURTHER_ROWS) / own)
                resampled[:, i, j] = center + (values - center) * spread
    return resampled


def _further_rows(measure: Measure, random: np.random.Generator) -> Numbers:
    """Return the sums of hits and of denominators over a few rows, shape (2, RESAMPLES, n_ratios)."""
    ratios = []
    for hits, of in zip(measure.hits.T, measure.of.T, strict=True):
        drawn = random.choice(np.flatnonzero(of > 0), (RESAMPLES, FURTHER_ROWS))
        ratios.append([hits[drawn].sum(axis=1), of[drawn].sum(axis=1)])
    return np.array(ratios).transpose(1, 2, 0)


def half_widths(drawn: Numbers, rows: NDArray[np.intp]) -> Numbers:
    """Return half the width of simultaneous intervals.

    In a share `CONFIDENCE` of all hold-outs every one of them holds its true difference, so many groups and measures
    raise no more false alarms than few. Source: P. Westfall and S. Young, Resampling-Based Multiple Testing (1993),
    chapter 2: the maximum over all, in standard errors. The standard error of few rows is itself uncertain, so that
    quantile of the normal distribution becomes one of Student's, with the fewer rows of the pair less 1 as degrees of
    freedom.

    Args:
        drawn: the differences per resample, shape (RESAMPLES, n_pairs, n_measures); NaN where there is none.
        rows: that a measure is about in the group of a pair that has fewer, shape (n_pairs, n_measures).

    Returns:
        Shape (n_pairs, n_measures); NaN where there is no difference.
    """
    errors: Numbers = drawn.std(axis=0)
    if not (errors > 0).any():
        return errors
    deviations = np.abs(drawn - drawn.mean(axis=0))
    relative = np.divide(deviations, errors, out=np.zeros_like(deviations), where=errors > 0)
    beyond = stats.norm.sf(np.quantile(relative.max(axis=(1, 2)), CONFIDENCE))
    widths: Numbers = errors * stats.t.isf(beyond, np.maximum(rows - 1, 1))
    return widths
