"""An ensemble: the weighted mean of what its members predict, on the scale of probabilities or numbers.

scikit-learn's `VotingClassifier` predicts the same, but keeps its fitted members under two names, and a model file
would hold each of them twice.
"""

from collections.abc import Sequence
from functools import reduce
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, RegressorMixin, clone

Matrix = NDArray[np.float64]


class WeightedMean(MetaEstimatorMixin, BaseEstimator):  # type: ignore[misc] # untyped bases
    """What an ensemble of classes and one of numbers have in common.

    Args:
        members: unfitted estimators; `fit` fits a copy of each.
        weights: of the members, positive, in their order; their sum is 1.

    Attributes:
        members_: the fitted members, in the order of `weights`.
    """

    def __init__(self, members: Sequence[BaseEstimator], weights: Sequence[float]) -> None:
        """Keep the parameters."""
        self.members = members
        self.weights = weights

    def fit(self, features: Any, labels: Any) -> Self:
        """Fit a copy of each member on all rows.

        Raises:
            ValueError: the weights do not fit the members, or a member cannot be fitted.
        """
        if len(self.weights) != len(self.members) or min(self.weights) <= 0 or not np.isclose(sum(self.weights), 1):
            raise ValueError(
                f"weights: {len(self.members)} positive numbers with the sum 1 are needed, got {self.weights}"
            )
        self.members_ = [clone(member).fit(features, labels) for member in self.members]
        return self

    def _mean(self, outputs: Sequence[Matrix]) -> Matrix:
        return weighted_mean(self.weights, outputs)


class WeightedMeanClassifier(ClassifierMixin, WeightedMean):  # type: ignore[misc] # untyped base
    """The weighted mean of the members' probabilities.

    Attributes:
        classes_: values of the label, shape (n_classes,).
    """

    def fit(self, features: Any, labels: Any) -> Self:
        """Fit a copy of each member on all rows; see `WeightedMean.fit`."""
        self.classes_ = np.unique(labels)
        return super().fit(features, labels)

    def predict_proba(self, features: Any) -> Matrix:
        """Return the probabilities of the classes, shape (n_rows, n_classes)."""
        return self._mean([member.predict_proba(features) for member in self.members_])

    def predict(self, features: Any) -> NDArray[Any]:
        """Return the most probable class of each row, shape (n_rows,)."""
        classes: NDArray[Any] = self.classes_[self.predict_proba(features).argmax(axis=1)]
        return classes


class WeightedMeanRegressor(RegressorMixin, WeightedMean):  # type: ignore[misc] # untyped base
    """The weighted mean of the members' numbers."""

    def predict(self, features: Any) -> Matrix:
        """Return the predicted numbers, shape (n_rows,)."""
        return self._mean([member.predict(features) for member in self.members_])


def weighted_mean(weights: Sequence[float], outputs: Sequence[Matrix]) -> Matrix:
    """Return the weighted mean, one member after the other: so a row has the same bits in any batch.

    Args:
        weights: of the members; their sum is 1.
        outputs: of each member, all of the same shape.
    """
    return reduce(np.add, (weight * output for weight, output in zip(weights, outputs, strict=True)))
