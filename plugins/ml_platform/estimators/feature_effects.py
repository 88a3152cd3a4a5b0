"""How much each feature of a row moves the output of a fitted estimator: Shapley values, which add up to the output.

Each public function of a kind of estimator takes a fitted one, the encoding of its inputs, and which outputs are
explained, and returns their `Effects`. An output is a sum of the raw ones, each times a weight: raw ones are what
`decision_function`, `predict_proba` or `predict` returns. The sums of a row do not depend on the other rows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import fsum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml_platform.estimators.sklearn_internals import covers_of, tree_nodes
from ml_platform.estimators.tree_shapley import LEAF, Integers, Matrix, Tree, TreeShapley, sums_by_feature

ORDERS = 32  # in which a network learns the features of a row, half of them the others backwards
CALL_ROWS = 4096  # that a network predicts in one call


@dataclass(frozen=True)
class Encoding:
    """What the columns of an estimator's inputs mean.

    Attributes:
        players: the feature of each column, shape (n_columns,).
        n_players: number of features.
        reference: the mean of each column over the training rows, shape (n_columns,); None if it is not known.
    """

    players: Integers
    n_players: int
    reference: Matrix | None = None

    def known_reference(self) -> Matrix:
        """Return the reference.

        Raises:
            ValueError: it is not known.
        """
        if self.reference is None:
            raise ValueError("its files lack the means of its inputs, which versions trained now have; train it again")
        return self.reference


@dataclass(frozen=True)
class Effects:
    """The effects of the features on the outputs that are explained.

    Attributes:
        base: the outputs if no feature is known, shape (n_outputs,).
        of_rows: returns the effect of each feature on one output of each row, shape (n_rows, n_players). It takes the
            inputs, shape (n_rows, n_columns), and the index of the output of each row, shape (n_rows,).
    """

    base: Matrix
    of_rows: Callable[[Matrix, Integers], Matrix]


EffectsOf = Callable[[Any, Encoding, Matrix], Effects]  # the last are the weights, shape (n_raw, n_outputs)


def linear(estimator: Any, encoding: Encoding, weights: Matrix) -> Effects:
    """Explain a linear model: the coefficient times the distance from the mean, which is exact."""
    reference = encoding.known_reference()
    coefficients = _weighted(weights, np.reshape(estimator.coef_, (len(weights), -1)))
    intercepts = _weighted(weights, np.broadcast_to(estimator.intercept_, len(weights)))
    parts = zip(coefficients * reference, intercepts, strict=True)
    base = np.array([fsum([*row, intercept]) for row, intercept in parts])

    def of_rows(matrix: Matrix, outputs: Integers) -> Matrix:
        parts = (matrix - reference) * coefficients[outputs]
        return sums_by_feature(parts, encoding.players, encoding.n_players)

    return Effects(base, of_rows)


def _weighted(weights: Matrix, raw: Matrix) -> Matrix:
    """Return the weighted sums of raw outputs, one output after the other.

    A product of matrices would be shorter, but its last bits depend on the kernel that BLAS takes in a process.

    Args:
        weights: shape (n_raw, n_outputs).
        raw: shape (n_raw, ...).

    Returns:
        Shape (n_outputs, ...).
    """
    return np.array([sum(weight * row for weight, row in zip(of_output, raw, strict=True)) for of_output in weights.T])


def forest(estimator: Any, encoding: Encoding, weights: Matrix) -> Effects:
    """Explain a random forest by TreeSHAP."""
    shares = weights / len(estimator.estimators_)
    trees = [_forest_tree(fitted.tree_, shares) for fitted in estimator.estimators_]
    table = TreeShapley(trees, encoding.players, encoding.n_players)

    def of_rows(matrix: Matrix, outputs: Integers) -> Matrix:
        with np.errstate(over="ignore"):
            narrow = matrix.astype(np.float32).astype(np.float64)  # as the trees compare it
        return table.effects(narrow, outputs)

    return Effects(table.base, of_rows)


def _forest_tree(tree: Any, weights: Matrix) -> Tree:
    return Tree(
        left=tree.children_left,
        right=tree.children_right,
        column=np.maximum(tree.feature, 0),
        threshold=tree.threshold,
        missing_left=np.zeros(tree.node_count, dtype=bool),  # the imputer leaves no value missing
        value=_weighted(weights, tree.value[:, 0, :].T).T,
        cover=tree.weighted_n_node_samples,
    )


def histogram_trees(estimator: Any, encoding: Encoding, weights: Matrix) -> Effects:
    """Explain histogram gradient boosting by TreeSHAP."""
    nodes = tree_nodes(estimator)
    if nodes is None:
        raise ValueError("its trees cannot be read")
    pairs = enumerate(zip(nodes.trees, covers_of(nodes), strict=True))
    trees = [_boosted_tree(tree, cover, weights[number % len(weights)]) for number, (tree, cover) in pairs]
    table = TreeShapley(trees, encoding.players, encoding.n_players)
    return Effects(_weighted(weights, nodes.baseline[0]) + table.base, table.effects)


def _boosted_tree(nodes: NDArray[Any], cover: Matrix, weights: Matrix) -> Tree:
    is_leaf = nodes["is_leaf"].astype(bool)
    return Tree(
        left=np.where(is_leaf, LEAF, nodes["left"].astype(np.intp)),
        right=np.where(is_leaf, LEAF, nodes["right"].astype(np.intp)),
        column=np.where(is_leaf, 0, nodes["feature_idx"]),
        threshold=nodes["num_threshold"],
        missing_left=nodes["missing_go_to_left"].astype(bool),
        value=nodes["value"][:, None] * weights,
        cover=cover,
    )


def library_trees(estimator: Any, encoding: Encoding, weights: Matrix) -> Effects:
    """Explain boosted trees of xgboost or lightgbm by the library's own TreeSHAP."""
    expected = estimator.contributions(np.zeros((1, len(encoding.players))))[0, :, -1]

    def of_rows(matrix: Matrix, outputs: Integers) -> Matrix:
        contributions, parts = estimator.contributions(matrix), np.zeros(matrix.shape)
        for number, of_raw in enumerate(weights):
            parts += contributions[:, number, :-1] * of_raw[outputs, None]
        return sums_by_feature(parts, encoding.players, encoding.n_players)

    return Effects(_weighted(weights, expected), of_rows)


def sampled(estimator: Any, encoding: Encoding, weights: Matrix) -> Effects:
    """Explain any estimator by an estimate, whose sum is exact: features become known in some orders.

    A feature's effect is the mean change of the output when its columns change from their means to the values of the
    row. Sources: E. Strumbelj, I. Kononenko, Explaining Prediction Models and Individual Predictions with Feature
    Contributions (2014); R. Mitchell et al., Sampling Permutations for Shapley Value Estimation (2022), for orders that
    are taken forwards and backwards.
    """
    reference, predict = encoding.known_reference(), getattr(estimator, "predict_proba", estimator.predict)
    ranks = _ranks(encoding.n_players)
    n_steps = encoding.n_players + 1  # of an order; at the first one no feature is known
    per_call = max(1, CALL_ROWS // n_steps)

    def raw(matrix: Matrix) -> Matrix:
        outputs: Matrix = predict(matrix).reshape(len(matrix), len(weights))
        return outputs

    def of_row(row: Matrix, weight: Matrix) -> Matrix:
        total = np.zeros(encoding.n_players)
        for start in range(0, ORDERS, per_call):
            some = ranks[start : start + per_call]
            is_known = some[:, None, encoding.players] < np.arange(n_steps)[:, None]
            matrix = np.where(is_known, row, reference).reshape(-1, len(row))
            outputs = (raw(matrix) * weight).sum(axis=1).reshape(len(some), n_steps)
            total += np.take_along_axis(np.diff(outputs, axis=1), some, axis=1).sum(axis=0)
        effects: Matrix = total / ORDERS
        return effects

    def of_rows(matrix: Matrix, outputs: Integers) -> Matrix:
        return np.array([of_row(row, weights[:, output]) for row, output in zip(matrix, outputs, strict=True)])

    return Effects(_weighted(weights, raw(reference[None])[0]), of_rows)


def _ranks(n_players: int) -> Integers:
    """Return when each feature becomes known in each order, from 0, shape (ORDERS, n_players)."""
    random = np.random.default_rng(0)
    forwards = np.array([random.permutation(n_players) for _ in range(ORDERS // 2)])
    return np.concatenate([forwards, n_players - 1 - forwards])
