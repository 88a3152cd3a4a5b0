"""The interval around a predicted number: chosen by conformal prediction, and measured.

Sources: V. Vovk et al., Algorithmic Learning in a Random World (2005); R. Barber et al., Predictive Inference With the
Jackknife+ (2021), for residuals out of fold; I. Steinwart and A. Christmann, Estimating Conditional Quantiles With the
Help of the Pinball Loss (2011).
"""

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import mean_pinball_loss

from ml_platform.estimators.interval_regressor import Interval

Numbers = NDArray[np.float64]


def conformal_interval(labels: Numbers, predictions: Numbers, coverage: float) -> Interval:
    """Return the interval that holds `coverage` of the residuals, and as many on each side beyond it.

    The residuals must be out of fold. The ranks are those of conformal prediction: they make up for the finite number
    of rows. With fewer than 2 / (1 - coverage) rows, the ends are the extreme residuals, and hold a smaller share.

    Args:
        labels: shape (n_rows,), at least one row.
        predictions: of models that were not fitted on these rows, shape (n_rows,).
        coverage: in (0, 1).
    """
    residuals, tail = np.sort(labels - predictions), (1 - coverage) / 2
    beyond = max(int(np.floor((len(residuals) + 1) * tail + 1e-9)), 1)  # number of residuals at or beyond each end
    return Interval(float(residuals[beyond - 1]), float(residuals[-beyond]), coverage)


def interval_metrics(labels: Numbers, predictions: Numbers, interval: Interval) -> dict[str, float]:
    """Return the share inside the interval, its width, and the mean pinball loss of its two ends.

    Args:
        labels: shape (n_rows,).
        predictions: shape (n_rows,).
        interval: around each prediction.
    """
    low, high, tail = predictions + interval.lower, predictions + interval.upper, (1 - interval.coverage) / 2
    losses = mean_pinball_loss(labels, low, alpha=tail), mean_pinball_loss(labels, high, alpha=1 - tail)
    return {
        "pinball": float(np.mean(losses)),
        "coverage": float(np.mean((low <= labels) & (labels <= high))),
        "interval_width": interval.upper - interval.lower,
    }
