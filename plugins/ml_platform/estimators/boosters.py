"""What the estimators of xgboost and lightgbm share: early stopping, the stored form of the trees, checked parameters.

The trees are kept in the library's own format, as bytes. So a model file holds no object of the library, and loading it
runs no code: the library reads numbers. It is imported when an estimator is fitted or loaded.
"""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state, compute_sample_weight
from sklearn.utils.validation import check_is_fitted, validate_data

from ml_platform.estimators.optional_package import OptionalPackage
from ml_platform.estimators.param_types import Count, NotNegative, Share, check_params

Matrix = NDArray[np.float64]


class Rows(NamedTuple):
    """Rows to fit: the matrix, shape (n_rows, n_columns); target and weights, each of shape (n_rows,)."""

    matrix: Matrix
    target: NDArray[Any]
    weights: Matrix

    def where(self, mask: NDArray[np.bool_]) -> "Rows":
        """Return the rows where a mask, shape (n_rows,), is True."""
        return Rows(self.matrix[mask], self.target[mask], self.weights[mask])


@dataclass(eq=False, repr=False, kw_only=True)
class Boosted(BaseEstimator):  # type: ignore[misc] # untyped base
    """Boosted trees of a library, with native categories and missing values.

    The number of trees is found by early stopping on a random share of the rows, by log loss or squared error. Then as
    many are fitted on all rows. Source: I. Goodfellow, Y. Bengio, A. Courville, Deep Learning (2016),
    section 7.8: after early stopping, fit on all data for the same number of passes.

    Attributes:
        learning_rate: weight of each tree.
        n_estimators: number of trees at most.
        early_stopping_rounds: stop after this number of trees that did not help; None fits all `n_estimators` trees.
        validation_fraction: share of the rows on which that is measured, of each class.
        n_categories: the first columns hold codes of categories, from 0; NaN is a missing one.
        random_state: seeds the validation rows, and what the library draws.
        n_trees_: fitted trees, per class with more than two.
        booster_: all trees, in the library's own format.
    """

    learning_rate: Share = 0.05
    n_estimators: Count = 1000
    early_stopping_rounds: Count | None = 50
    validation_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.2
    n_categories: Annotated[int, Field(ge=0)] = 0
    random_state: Annotated[int, Field(ge=0, lt=2**31)] = 0

    package: ClassVar[OptionalPackage]

    @abstractmethod
    def _train(
        self, rows: Rows, n_trees: int, objective: Mapping[str, Any], validation: Rows | None
    ) -> tuple[Any, int]:
        """Return the library's booster, and the number of trees that is best on the validation rows."""

    @abstractmethod
    def _dump(self, booster: Any) -> bytes:
        """Return a booster in the library's format."""

    @abstractmethod
    def _parse(self, text: bytes) -> Any:
        """Return the booster that `_dump` wrote; raise a ValueError if the library cannot read it."""

    @abstractmethod
    def _check(self, text: bytes, n_columns: int, n_sums: int) -> None:
        """Raise an error if what `_dump` wrote is malformed; see `stored_trees`."""

    @abstractmethod
    def _sums(self, booster: Any, matrix: Matrix) -> NDArray[Any]:
        """Return the sums of the trees for rows, shape (n_rows,) or (n_rows, n_classes)."""

    @abstractmethod
    def _contributions(self, booster: Any, matrix: Matrix) -> NDArray[Any]:
        """Return what each column adds to each sum, and after the columns of a sum its expected value.

        Shape (n_rows, n_sums * (n_columns + 1)), or the same numbers in three dimensions.
        """

    def check_params(self) -> None:
        """Check the parameters before a fit; see `param_types.check_params`."""
        check_params(self)

    def _fit(self, rows: Rows, strata: NDArray[Any], objective: Mapping[str, Any]) -> None:
        """Find the number of trees, and fit them on all rows.

        Args:
            rows: all of them.
            strata: groups of which the validation rows are a share each, shape (n_rows,).
            objective: the library's parameters for the kind of target.
        """
        self.check_params()
        if self.n_categories > rows.matrix.shape[1]:
            raise ValueError(f"n_categories is {self.n_categories}, but there are {rows.matrix.shape[1]} columns")
        self.n_trees_ = self.n_estimators
        if self.early_stopping_rounds is not None:
            held_out = validation_rows(strata, self.validation_fraction, self.random_state)
            if held_out.any():
                fitted, validation = rows.where(~held_out), rows.where(held_out)
                self.n_trees_ = self._train(fitted, self.n_estimators, objective, validation)[1]
        booster, _ = self._train(rows, self.n_trees_, objective, None)
        self.booster_ = self._dump(booster)
        self._booster = self._stored_booster()  # not the fitted one: a loaded model predicts the same

    def _n_sums(self) -> int:
        """Return the number of sums per row."""
        return 1

    def _stored_booster(self) -> Any:
        name = type(self).__name__
        try:
            text = bytes(memoryview(self.booster_))
            self._check(text, self.n_features_in_, self._n_sums())
            return self._parse(text)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(f"the stored trees of {name} are malformed: {type(error).__name__}: {error}") from error

    def _predicted_sums(self, X: ArrayLike) -> Matrix:  # noqa: N803 – scikit-learn's name
        check_is_fitted(self)
        matrix = validate_data(self, X, reset=False, dtype="float64", order="C", ensure_all_finite="allow-nan")
        return np.ascontiguousarray(self._sums(self._booster, matrix), dtype=np.float64)

    def contributions(self, X: ArrayLike) -> Matrix:  # noqa: N803 – scikit-learn's name
        """Return what each column adds to the sums of the trees, by the library's TreeSHAP.

        Args:
            X: rows, shape (n_rows, n_columns).

        Returns:
            Shape (n_rows, n_sums, n_columns + 1); the last one is the expected sum, the same for all rows.
        """
        check_is_fitted(self)
        matrix = validate_data(self, X, reset=False, dtype="float64", order="C", ensure_all_finite="allow-nan")
        parts = np.asarray(self._contributions(self._booster, matrix), dtype=np.float64)
        return parts.reshape(len(matrix), self._n_sums(), matrix.shape[1] + 1)

    def __getstate__(self) -> dict[str, Any]:
        """Return what is stored: all but the library's object."""
        return {name: value for name, value in super().__getstate__().items() if name != "_booster"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore a stored estimator.

        Raises:
            ValueError: the trees are malformed.
            ImportError: the library cannot be imported.
        """
        super().__setstate__(state)
        if "booster_" in state:
            self._booster = self._stored_booster()

    def __sklearn_tags__(self) -> Any:
        """Return scikit-learn's tags: missing values are allowed."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags


@dataclass(eq=False, repr=False, kw_only=True)
class BoostedClassifier(ClassifierMixin, Boosted):  # type: ignore[misc] # untyped base
    """Boosted trees for two or more classes.

    Attributes:
        class_weight: as in scikit-learn; also weights the validation rows.
        classes_: values of the label, shape (n_classes,).
    """

    class_weight: Literal["balanced"] | dict[Any, NotNegative] | None = None

    @abstractmethod
    def _objective(self, n_classes: int) -> Mapping[str, Any]:
        """Return the library's parameters for a number of classes."""

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803 – scikit-learn's name
        """Fit on rows, shape (n_rows, n_columns), and their labels, shape (n_rows,).

        Raises:
            ValueError: a parameter is invalid, there is one class only, or the library cannot fit it.
        """
        matrix, labels = validate_data(self, X, y, dtype="float64", order="C", ensure_all_finite="allow-nan")
        self.classes_, indices = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"{type(self).__name__} needs at least 2 classes; there is one: {str(self.classes_[0])!r}")
        rows = Rows(matrix, indices, compute_sample_weight(self.class_weight, labels))
        self._fit(rows, indices, self._objective(len(self.classes_)))
        return self

    def _n_sums(self) -> int:
        return len(self.classes_) if len(self.classes_) > 2 else 1

    def decision_function(self, X: ArrayLike) -> Matrix:  # noqa: N803 – scikit-learn's name
        """Return the sums of the trees: of the positive class, shape (n_rows,), or shape (n_rows, n_classes)."""
        return self._predicted_sums(X)

    def predict_proba(self, X: ArrayLike) -> Matrix:  # noqa: N803 – scikit-learn's name
        """Return the probabilities of the classes, shape (n_rows, n_classes)."""
        sums = self._predicted_sums(X)
        if sums.ndim == 1:
            return np.column_stack([1 - expit(sums), expit(sums)])
        powers = np.exp(sums - sums.max(axis=1, keepdims=True))
        # One class after the other: NumPy's own order of a sum depends on the number of rows.
        probabilities: Matrix = powers / np.add.accumulate(powers, axis=1)[:, -1:]
        return probabilities

    def predict(self, X: ArrayLike) -> NDArray[Any]:  # noqa: N803 – scikit-learn's name
        """Return the most probable class of each row, shape (n_rows,)."""
        most_probable = self.predict_proba(X).argmax(axis=1)
        classes: NDArray[Any] = self.classes_[most_probable]
        return classes


@dataclass(eq=False, repr=False, kw_only=True)
class BoostedRegressor(RegressorMixin, Boosted):  # type: ignore[misc] # untyped base
    """Boosted trees for a number, fitted by squared error."""

    objective: ClassVar[Mapping[str, Any]]

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803 – scikit-learn's name
        """Fit on rows, shape (n_rows, n_columns), and their numbers, shape (n_rows,).

        Raises:
            ValueError: a parameter is invalid, or the library cannot fit it.
        """
        matrix, numbers = validate_data(
            self, X, y, dtype="float64", order="C", ensure_all_finite="allow-nan", y_numeric=True
        )
        rows = Rows(matrix, np.asarray(numbers, dtype="float64"), np.ones(len(matrix)))
        self._fit(rows, np.zeros(len(matrix), dtype=int), self.objective)
        return self

    def predict(self, X: ArrayLike) -> Matrix:  # noqa: N803 – scikit-learn's name
        """Return the predicted numbers, shape (n_rows,)."""
        return self._predicted_sums(X)


def validation_rows(strata: NDArray[Any], fraction: float, random_state: int) -> NDArray[np.bool_]:
    """Draw a share of the rows of each group; at least one of each group with two rows or more.

    Args:
        strata: group of each row, shape (n_rows,).
        fraction: the share.
        random_state: the seed.

    Returns:
        True for the drawn rows, shape (n_rows,).
    """
    random, drawn = check_random_state(random_state), np.zeros(len(strata), dtype=bool)
    for group in np.unique(strata):
        rows = random.permutation(np.flatnonzero(strata == group))
        drawn[rows[: min(max(round(fraction * len(rows)), 1), len(rows) - 1)]] = True
    return drawn
