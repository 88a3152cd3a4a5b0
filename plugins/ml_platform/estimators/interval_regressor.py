"""A regressor whose predictions have an interval, as `FixedThresholdClassifier` is a classifier with a threshold."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin, RegressorMixin, clone


@dataclass(frozen=True)
class Interval:
    """Where the ends of an interval are, relative to the prediction, in the unit of the label.

    Attributes:
        lower: distance to the low end, usually negative.
        upper: distance to the high end, usually positive.
        coverage: the share of true values that it is made to hold, in (0, 1).
    """

    lower: float
    upper: float
    coverage: float


class IntervalRegressor(RegressorMixin, MetaEstimatorMixin, BaseEstimator):  # type: ignore[misc] # untyped bases
    """A regressor with the distances from a prediction to both ends of its interval.

    Args:
        estimator: the regressor; `fit` fits a copy of it, `estimator_`.
        lower: from the prediction to the low end, usually negative, in the unit of the label.
        upper: from the prediction to the high end, usually positive, in the unit of the label.
        coverage: the share of true values that the interval is made to hold, in (0, 1).
    """

    def __init__(self, estimator: BaseEstimator, lower: float, upper: float, coverage: float) -> None:
        """Keep the parameters."""
        self.estimator = estimator
        self.lower = lower
        self.upper = upper
        self.coverage = coverage

    def fit(self, features: Any, labels: Any) -> "IntervalRegressor":
        """Fit a copy of the regressor."""
        self.estimator_ = clone(self.estimator).fit(features, labels)
        return self

    def predict(self, features: Any) -> NDArray[Any]:
        """Return the predicted numbers, shape (n_rows,)."""
        predictions: NDArray[Any] = self.estimator_.predict(features)
        return predictions
