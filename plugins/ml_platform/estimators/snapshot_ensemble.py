"""Snapshot ensembles: one training of a network, a snapshot at each minimum of its learning rate, averaged.

Source: G. Huang, Y. Li, G. Pleiss, Z. Liu, J. E. Hopcroft, K. Q. Weinberger, Snapshot Ensembles: Train 1, Get M for
Free (ICLR 2017), https://arxiv.org/abs/1704.00109.

Inputs are numbers without missing values, best with mean 0 and variance 1. All numbers are float64: in float32 an input
that is far outside of the training rows would overflow, and its probability would be NaN.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state, compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from ml_platform.estimators.dense_network import (
    Matrix,
    Network,
    Objective,
    copy_of,
    descend,
    initial_network,
    outputs_of,
    softmax,
)


def cosine_learning_rates(peak: float, cycle: int, cycles: int) -> Iterator[float]:
    """Yield the learning rate of each iteration: equation 2 of the paper.

    Each cycle begins at the peak and falls along half a cosine to nearly 0; then the rate jumps back.

    Args:
        peak: the rate of the first iteration of each cycle.
        cycle: number of iterations of a cycle.
        cycles: number of cycles.
    """
    for iteration in range(cycle * cycles):
        yield peak / 2 * (math.cos(math.pi * (iteration % cycle) / cycle) + 1)


class _SnapshotEnsemble(BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """The parameters of both estimators, and the training."""

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (64,),
        *,
        n_snapshots: int = 5,
        n_averaged: int | None = None,
        epochs: int = 40,
        learning_rate: float = 0.01,
        batch_size: int = 64,
        momentum: float = 0.9,
        alpha: float = 1e-3,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.n_snapshots = n_snapshots
        self.n_averaged = n_averaged
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.momentum = momentum
        self.alpha = alpha
        self.random_state = random_state

    def check_params(self) -> None:
        """Check the parameters; a search calls this before the first fit.

        Raises:
            ValueError: a parameter is invalid; the text names the parameter, its value and the allowed values.
        """
        for name in ("n_snapshots", "epochs", "batch_size"):
            self._require(name, _is_count(getattr(self, name)), "an int of at least 1")
        most = self.n_snapshots
        is_valid = self.n_averaged is None or (_is_count(self.n_averaged) and self.n_averaged <= most)
        self._require("n_averaged", is_valid, f"None or an int from 1 to n_snapshots, which is {most}")
        sizes = _hidden_sizes(self.hidden_layer_sizes)
        is_valid = bool(sizes) and all(map(_is_count, sizes))
        self._require("hidden_layer_sizes", is_valid, "an int of at least 1 or a list of such ints, one per layer")
        self._require("learning_rate", _is_within(self.learning_rate, 0) and self.learning_rate != 0, "a number over 0")
        self._require("momentum", _is_within(self.momentum, 0) and self.momentum < 1, "a number from 0 to below 1")
        self._require("alpha", _is_within(self.alpha, 0), "a number of at least 0")

    def _require(self, name: str, is_valid: bool, allowed: str) -> None:
        if not is_valid:
            estimator, value = type(self).__name__, getattr(self, name)
            raise ValueError(f"The {name!r} parameter of {estimator} must be {allowed}. Got {value!r} instead.")

    def _train(self, inputs: Matrix, targets: Matrix, row_weights: Matrix, objective: Objective) -> None:
        """Run all cycles, and keep the snapshots that are averaged.

        Raises:
            ValueError: the weights are no longer finite.
        """
        random = check_random_state(self.random_state)
        sizes = [inputs.shape[1], *_hidden_sizes(self.hidden_layer_sizes), targets.shape[1]]
        network, snapshots = initial_network(sizes, random), list[Network]()
        # Rounded up, so that the last cycle is as long as the others and ends at its minimum, too.
        cycle = math.ceil(self.epochs * math.ceil(len(inputs) / self.batch_size) / self.n_snapshots)
        rates = cosine_learning_rates(self.learning_rate, cycle, self.n_snapshots)
        steps = descend(
            network, inputs, targets, row_weights, objective, rates,
            batch_size=self.batch_size, momentum=self.momentum, alpha=self.alpha, random=random,
        )  # fmt: skip
        # One thread: the sums of BLAS depend on their number, and more of them gain nothing on matrices of this size.
        with threadpool_limits(1), np.errstate(over="ignore", invalid="ignore"):
            for iteration, _ in enumerate(steps, start=1):
                if iteration % cycle == 0:
                    self._check_finite(network)
                    snapshots.append(copy_of(network))
        self.n_iter_ = cycle * self.n_snapshots
        self.snapshots_ = snapshots[-(self.n_averaged or self.n_snapshots) :]

    def _check_finite(self, network: Network) -> None:
        if not all(np.isfinite(parameter).all() for layer in network for parameter in layer):
            raise ValueError(
                f"{type(self).__name__}: the training diverged, a learning_rate of {self.learning_rate} is too large "
                f"for these inputs; use a smaller one, or scale the inputs"
            )

    def _inputs(self, inputs: ArrayLike) -> Matrix:
        check_is_fitted(self)
        matrix: Matrix = validate_data(self, inputs, dtype=np.float64, reset=False)
        return matrix


class SnapshotEnsembleClassifier(ClassifierMixin, _SnapshotEnsemble):  # type: ignore[misc] # as above
    """A network for two or more classes, whose snapshots average their probabilities.

    Args:
        hidden_layer_sizes: number of units of each hidden layer; one number is one layer.
        n_snapshots: number of cycles of the learning rate (M in the paper). With 1 it is a plain network.
        n_averaged: number of snapshots that are averaged, the last ones (m in the paper); None is all.
        epochs: passes over the training rows in all cycles together. It is rounded up to whole cycles.
        learning_rate: at the start of each cycle.
        batch_size: number of rows of a step.
        momentum: of Nesterov's method.
        alpha: strength of the L2 penalty on the weights (weight decay).
        class_weight: `balanced`, or a weight by class; None weighs all rows equally. Weights are scaled to mean 1, so
            they do not change the size of the steps.
        random_state: draws the first weights and the order of the rows.

    Attributes:
        classes_: the labels, shape (n_classes,).
        snapshots_: per averaged snapshot its layers, each as weights of shape (n_inputs, n_outputs) and bias of shape
            (n_outputs,).
        n_iter_: number of steps.
    """

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (64,),
        *,
        n_snapshots: int = 5,
        n_averaged: int | None = None,
        epochs: int = 40,
        learning_rate: float = 0.05,
        batch_size: int = 64,
        momentum: float = 0.9,
        alpha: float = 1e-3,
        class_weight: Mapping[Any, float] | str | None = None,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        """Keep the parameters; they are checked in `fit`."""
        super().__init__(
            hidden_layer_sizes,
            n_snapshots=n_snapshots,
            n_averaged=n_averaged,
            epochs=epochs,
            learning_rate=learning_rate,
            batch_size=batch_size,
            momentum=momentum,
            alpha=alpha,
            random_state=random_state,
        )
        self.class_weight = class_weight

    def check_params(self) -> None:
        """Check the parameters.

        Raises:
            ValueError: see the base class.
        """
        super().check_params()
        is_valid = self.class_weight in (None, "balanced") or isinstance(self.class_weight, Mapping)
        self._require("class_weight", is_valid, "None, 'balanced' or a dict of a weight per class")

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803 – scikit-learn's name
        """Train on rows of shape (n_rows, n_features) and labels of shape (n_rows,).

        Raises:
            ValueError: a parameter is invalid, an input is not a finite number, there is only one class, or the
                training diverged.
        """
        self.check_params()
        inputs, labels = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(labels)
        self.classes_, indices = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"{type(self).__name__} needs two classes or more; y has 1 class: {self.classes_[0]!r}")
        weights = compute_class_weight(self.class_weight, classes=self.classes_, y=labels)[indices]
        self._train(inputs, np.eye(len(self.classes_))[indices], weights / weights.mean(), "cross_entropy")
        return self

    def predict_proba(self, X: ArrayLike) -> Matrix:  # noqa: N803
        """Return the mean of the snapshots' probabilities, shape (n_rows, n_classes)."""
        inputs = self._inputs(X)
        total: Matrix = np.zeros((len(inputs), len(self.classes_)))
        for network in self.snapshots_:
            total += softmax(outputs_of(network, inputs))
        return total / len(self.snapshots_)

    def predict(self, X: ArrayLike) -> NDArray[Any]:  # noqa: N803
        """Return the most probable class, shape (n_rows,)."""
        probabilities = self.predict_proba(X)
        labels: NDArray[Any] = self.classes_[probabilities.argmax(axis=1)]
        return labels


class SnapshotEnsembleRegressor(RegressorMixin, _SnapshotEnsemble):  # type: ignore[misc] # as above
    """A network for a number, whose snapshots average their predictions; it minimises the squared error.

    For the parameters see `SnapshotEnsembleClassifier`; there is no `class_weight`. The target is scaled to mean 0 and
    variance 1 for the training, so the learning rate does not depend on its unit.

    Attributes:
        snapshots_: see `SnapshotEnsembleClassifier`.
        n_iter_: number of steps.
        target_mean_: mean of the target.
        target_scale_: standard deviation of the target; 1 if it is constant.
    """

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803
        """Train on rows of shape (n_rows, n_features) and numbers of shape (n_rows,).

        Raises:
            ValueError: a parameter is invalid, an input is not a finite number, or the training diverged.
        """
        self.check_params()
        inputs, target = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        target = target.astype(np.float64)
        self.target_mean_, self.target_scale_ = float(target.mean()), float(target.std()) or 1.0
        scaled = (target - self.target_mean_) / self.target_scale_
        self._train(inputs, scaled[:, None], np.ones(len(scaled)), "squared_error")
        return self

    def predict(self, X: ArrayLike) -> Matrix:  # noqa: N803
        """Return the mean of the snapshots' predictions, shape (n_rows,)."""
        inputs = self._inputs(X)
        total: Matrix = np.zeros(len(inputs))
        for network in self.snapshots_:
            total += outputs_of(network, inputs)[:, 0]
        return self.target_mean_ + self.target_scale_ * total / len(self.snapshots_)


def _hidden_sizes(sizes: object) -> list[object]:
    return list(sizes) if isinstance(sizes, Sequence | np.ndarray) else [sizes]


def _is_count(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= 1


def _is_within(value: object, low: float) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and low <= float(value) < math.inf
