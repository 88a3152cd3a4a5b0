"""How sure the metrics of one model are: their intervals over bootstrap resamples of the rows. No I/O."""

import numpy as np

from ml_platform import RANDOM_STATE
from ml_platform.evaluation.bootstrap import Interval, interval
from ml_platform.evaluation.task import Outputs, Task, Values

CONFIDENCE = 0.9
MOST_RESAMPLES, FEWEST_RESAMPLES = 200, 40
ROW_BUDGET = 2_000_000  # rows of all resamples: a large hold-out needs fewer, because its metrics hardly vary


def metric_intervals(task: Task, labels: Values, outputs: Outputs) -> dict[str, Interval]:
    """Return the percentile interval of each metric.

    Rows are drawn with replacement, within each class if there are classes. Source: B. Efron and R. Tibshirani, An
    Introduction to the Bootstrap (1993), chapter 13.

    Args:
        task: measures the outputs; with its threshold or interval.
        labels: shape (n_rows,).
        outputs: of the model for these rows.
    """
    random = np.random.default_rng(RANDOM_STATE)
    strata = [np.flatnonzero(labels == index) for index in range(len(task.classes))] or [np.arange(len(labels))]
    number = min(MOST_RESAMPLES, max(FEWEST_RESAMPLES, ROW_BUDGET // max(len(labels), 1)))
    resamples = []
    for _ in range(number):
        rows = np.concatenate([random.choice(stratum, len(stratum)) for stratum in strata])
        resamples.append(task.metrics(labels[rows], outputs[rows]))
    return {
        metric: interval(np.array([one[metric] for one in resamples]), CONFIDENCE)
        for metric in resamples[0]
        if all(metric in one for one in resamples)
    }
