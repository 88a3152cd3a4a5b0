"""What each threshold of a model of two classes does on given rows: right and wrong predictions, and their cost.

No I/O.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix_at_thresholds

from ml_platform.evaluation.metrics import Labels, Probabilities


@dataclass(frozen=True)
class Confusion:
    """The confusion matrix of two classes, as numbers of rows."""

    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int

    @property
    def precision(self) -> float:
        """The share of the positive predictions that are right; 0 if there are none."""
        return _share(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> float:
        """The share of the positive rows that are found; 0 if there are none."""
        return _share(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall; 0 if no row is found."""
        return _share(2 * self.true_positives, 2 * self.true_positives + self.false_positives + self.false_negatives)

    def cost(self, per_false_positive: float, per_false_negative: float) -> float:
        """Return the cost of all errors."""
        return self.false_positives * per_false_positive + self.false_negatives * per_false_negative


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


@dataclass(frozen=True)
class ThresholdCurve:
    """The confusion matrix at each threshold that makes a difference; all arrays have the shape (n_thresholds,).

    Attributes:
        thresholds: every different probability, ascending; a row that reaches the threshold is positive. The last is
            1, so that no row, or as few as possible, is positive.
        true_positives: numbers of rows, as the three below.
        false_positives: negative rows that are predicted as positive.
        false_negatives: positive rows that are predicted as negative.
        true_negatives: negative rows that are predicted as such.
    """

    thresholds: Probabilities
    true_positives: NDArray[np.int64]
    false_positives: NDArray[np.int64]
    false_negatives: NDArray[np.int64]
    true_negatives: NDArray[np.int64]

    @classmethod
    def of(cls, labels: Labels, probabilities: Probabilities) -> "ThresholdCurve":
        """Return the curve of a model.

        Args:
            labels: 0 or 1, shape (n_rows,), at least one row.
            probabilities: of the positive class, finite, shape (n_rows,).
        """
        found = confusion_matrix_at_thresholds(labels, probabilities, pos_label=1)
        tns, fps, fns, tps, thresholds = (one[::-1] for one in found)
        counts = [one.astype(np.int64) for one in (tps, fps, fns, tns)]
        if thresholds[-1] < 1:
            at_one = (0, 0, int((labels == 1).sum()), int((labels != 1).sum()))
            thresholds = np.append(thresholds, 1.0)
            counts = [np.append(one, last) for one, last in zip(counts, at_one, strict=True)]
        return cls(thresholds, *counts)

    def at(self, threshold: float) -> Confusion:
        """Return the confusion matrix at a threshold from 0 to 1."""
        return self._confusion(min(int(np.searchsorted(self.thresholds, threshold)), len(self.thresholds) - 1))

    def costs(self, per_false_positive: float, per_false_negative: float) -> NDArray[np.float64]:
        """Return the cost of all errors at each threshold, shape (n_thresholds,)."""
        return self.false_positives * per_false_positive + self.false_negatives * per_false_negative

    def cheapest(self, per_false_positive: float, per_false_negative: float) -> float:
        """Return the threshold with the least cost; of several, the highest."""
        costs = self.costs(per_false_positive, per_false_negative)[::-1]
        return float(self.thresholds[::-1][costs.argmin()])

    def spread(self, number: int) -> NDArray[np.intp]:
        """Return the positions of at most so many thresholds, evenly over the curve, for a chart."""
        last = len(self.thresholds) - 1
        return np.unique(np.linspace(0, last, min(number, last + 1)).round().astype(np.intp))

    def _confusion(self, position: int) -> Confusion:
        counts = (self.true_positives, self.false_positives, self.false_negatives, self.true_negatives)
        return Confusion(*(int(one[position]) for one in counts))
