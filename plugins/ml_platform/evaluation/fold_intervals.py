"""Intervals of means over the folds of a cross-validation."""

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats


def half_width(values: ArrayLike, confidence: float = 0.95) -> float:
    """Return half the width of the confidence interval of a mean over folds.

    The folds share most of their training rows, so their values are not independent, and the usual interval would be
    too narrow. This is the interval of the corrected resampled t-test, whose variance is larger by the ratio of test
    rows to training rows: C. Nadeau, Y. Bengio, Inference for the Generalization Error, Machine Learning 52 (2003).

    Args:
        values: one per fold, shape (n_folds,), two folds at least; of one model, or the differences of two models on
            the same folds.
        confidence: in (0, 1).
    """
    folds = np.asarray(values, dtype=np.float64)
    variance = folds.var(ddof=1) * (1 / len(folds) + 1 / (len(folds) - 1))
    return float(stats.t.ppf((1 + confidence) / 2, len(folds) - 1) * np.sqrt(variance))
