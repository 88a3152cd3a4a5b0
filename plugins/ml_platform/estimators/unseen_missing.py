"""The step that leaves missing numbers to an estimator that handles them itself."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import validate_data

Matrix = NDArray[np.float64]


class UnseenMissingImputer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc] # untyped base
    """Fills missing numbers with the median in columns that had none when it was fitted; others stay missing.

    In such a column no tree has learned where missing values go: lightgbm reads them as 0, and xgboost follows a branch
    that means nothing.

    Attributes:
        statistics_: the median of each column that had no missing number, else NaN, shape (n_columns,).
        indicator_: None; named as in `SimpleImputer`.
    """

    def fit(self, X: ArrayLike, y: object = None) -> "UnseenMissingImputer":  # noqa: N803 – scikit-learn's name
        """Learn the medians of numbers, shape (n_rows, n_columns)."""
        numbers = validate_data(self, X, dtype="float64", ensure_all_finite="allow-nan")
        self.statistics_: Matrix = np.median(numbers, axis=0)  # NaN if one is missing
        self.indicator_ = None
        return self

    def transform(self, X: ArrayLike) -> Matrix:  # noqa: N803 – scikit-learn's name
        """Return the numbers, shape (n_rows, n_columns)."""
        numbers = validate_data(self, X, reset=False, dtype="float64", ensure_all_finite="allow-nan")
        return np.where(np.isnan(numbers), self.statistics_, numbers)
