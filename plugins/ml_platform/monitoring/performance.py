"""How well a model does, by the truth that came later, beside what it promised on its hold-out. No I/O.

The promise is the rate of each kind of mistake on the hold-out; because that is a sample, its upper confidence bound
counts. A sequential test says whether the rate of a kind has risen above it, see `sequential_test`.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import beta

from ml_platform import RANDOM_STATE
from ml_platform.evaluation.bootstrap import Interval, interval
from ml_platform.evaluation.task import Mistakes, Task, Values
from ml_platform.monitoring.sequential_test import Evidence, evidence

ALPHA = 0.05  # the probability that a model that keeps its promise is ever said to break it
CONFIDENCE = 0.9
RESAMPLES = 200
_LEAST_RATE = 0.001  # of a kind that the hold-out does not have at all


class Predicted(NamedTuple):
    """Rows with a prediction and the truth, in the order of time: class indices or numbers, each of shape (n_rows,)."""

    labels: Values
    predictions: Values


def predicted(task: Task, rows: pd.DataFrame) -> Predicted:
    """Return the columns `label` and `prediction`, neither with missing values, in the type of the task's labels."""
    return Predicted(*(rows[name].to_numpy().astype(task.label_type) for name in ("label", "prediction")))


class Score(NamedTuple):
    """The metric of the gate, and its interval."""

    value: float
    interval: Interval


@dataclass(frozen=True)
class MistakeTest:
    """One kind of mistake: promised and seen.

    Attributes:
        kind: in words, such as `false negatives`.
        promised: the upper bound of its rate on the hold-out.
        on_holdout: its rate there.
        seen: its rate since then.
        evidence: that the rate is above what was promised.
        position: of the rows that can be such a mistake, among all rows, shape (n_such_rows,).
    """

    kind: str
    promised: float
    on_holdout: float
    seen: float
    evidence: Evidence
    position: NDArray[np.intp]

    @property
    def is_broken(self) -> bool:
        """Whether there are significantly more of these mistakes than promised."""
        return self.evidence.alarm is not None

    @property
    def change(self) -> int | None:
        """The row, among all rows, from which on there are more; None if the promise is kept."""
        if self.evidence.change is None or not len(self.position):
            return None
        return int(self.position[min(self.evidence.change, len(self.position) - 1)])


def mistake_tests(task: Task, holdout: Predicted, later: Predicted) -> list[MistakeTest]:
    """Test each kind of mistake; together they raise a false alarm with a probability of `ALPHA` at most.

    Args:
        task: of the model.
        holdout: the rows on which the gate measured it.
        later: predictions whose truth came later.
    """
    promised, seen = task.mistakes(*holdout), task.mistakes(*later)
    alpha = ALPHA / len(promised) / 2  # half for the bound, half for the test
    return [_test(kind, one, seen[kind], alpha) for kind, one in promised.items()]


def _test(kind: str, promised: Mistakes, seen: Mistakes, alpha: float) -> MistakeTest:
    before, now = promised.made[promised.possible], seen.made[seen.possible]
    bound = _upper_bound(before, alpha)
    found = evidence(now.astype(np.float64), bound, alpha)
    return MistakeTest(kind, bound, _rate(before), _rate(now), found, np.flatnonzero(seen.possible))


def _upper_bound(mistakes: NDArray[np.bool_], alpha: float) -> float:
    """Return the upper bound of Clopper and Pearson (1934) of a rate."""
    number, rows = int(mistakes.sum()), len(mistakes)
    bound = float(beta.ppf(1 - alpha, number + 1, rows - number)) if number < rows else 1.0
    return min(max(bound, _LEAST_RATE), 1 - _LEAST_RATE)


def _rate(mistakes: NDArray[np.bool_]) -> float:
    return float(mistakes.mean()) if len(mistakes) else 0.0


def score(task: Task, rows: Predicted) -> Score:
    """Return the metric of the gate for some rows, with its interval over bootstrap resamples of the rows."""
    random, labels, predictions = np.random.default_rng(RANDOM_STATE), *rows
    drawn = (random.integers(0, len(labels), len(labels)) for _ in range(RESAMPLES))
    resampled = np.array([task.prediction_score(labels[one], predictions[one]) for one in drawn])
    return Score(task.prediction_score(labels, predictions), interval(resampled, CONFIDENCE))


def expected_score(task: Task, probabilities: NDArray[np.float64], predictions: Values) -> Score | None:
    """Return the metric that calibrated probabilities let expect, before the truth is known; None without them.

    Source: confidence-based performance estimation, as in J. Białek et al., Estimating Model Performance Under
    Covariate Shift Without Labels (2024). The interval is that of the rows and of what may happen to each.

    Args:
        task: of the model.
        probabilities: as logged, of the events of `Task.events`, shape (n_rows,).
        predictions: class indices, shape (n_rows,).
    """
    if task.event_metric is None or not len(predictions):
        return None
    random, rows = np.random.default_rng(RANDOM_STATE), len(predictions)
    drawn = np.empty(RESAMPLES)
    for number in range(RESAMPLES):
        one = random.integers(0, rows, rows)
        drawn[number] = task.event_score(random.random(rows) < probabilities[one], predictions[one])
    return Score(float(drawn.mean()), interval(drawn, CONFIDENCE))
