"""All trees of a boosted classifier or regressor in one table, so that a row goes down all of them at once."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml_platform.estimators.sklearn_internals import TreeNodes

Matrix = NDArray[np.float64]


class BoostedTrees:
    """The trees of a fitted classifier; a row takes one step in all trees at the same time.

    scikit-learn calls each tree separately. For a single row these calls take longer than all other work. The values
    of the leaves are added in scikit-learn's order, so the probabilities are the same to the bit.
    """

    def __init__(self, nodes: TreeNodes) -> None:
        """Put the nodes of all trees into one table."""
        sizes = [len(tree) for tree in nodes.trees]
        table, positions = np.concatenate(nodes.trees), np.arange(sum(sizes))
        self._roots = np.cumsum([0, *sizes[:-1]])
        shift, is_leaf = np.repeat(self._roots, sizes), table["is_leaf"].astype(bool)
        # A leaf leads to itself: a row that has arrived waits there until all rows have arrived.
        self._left, self._right = (np.where(is_leaf, positions, table[side] + shift) for side in ("left", "right"))
        self._feature = np.where(is_leaf, 0, table["feature_idx"])
        self._threshold: NDArray[Any] = table["num_threshold"]
        self._missing_left = table["missing_go_to_left"].astype(bool)
        self._value, self._depth = table["value"], int(table["depth"].max())
        self._baseline, self._link = nodes.baseline, nodes.link

    def predict_proba(self, matrix: Matrix) -> Matrix:
        """Return the probabilities of rows, shape (n_rows, n_classes); see `decision_function` for the argument."""
        return self._link(self.decision_function(matrix))

    def predict(self, matrix: Matrix) -> Matrix:
        """Return the numbers of a regressor for rows, shape (n_rows, 1); see `decision_function` for the argument."""
        return self._link(self.decision_function(matrix))

    def decision_function(self, matrix: Matrix) -> Matrix:
        """Return the sums of all trees for rows, shape (n_rows, n_trees_per_iteration).

        Args:
            matrix: the classifier's inputs, shape (n_rows, n_columns); NaN is missing.
        """
        nodes, rows = np.tile(self._roots, (len(matrix), 1)), np.arange(len(matrix))[:, None]
        for _ in range(self._depth):
            cells = matrix[rows, self._feature[nodes]]
            is_left = np.where(np.isnan(cells), self._missing_left[nodes], cells <= self._threshold[nodes])
            nodes = np.where(is_left, self._left[nodes], self._right[nodes])
        values = self._value[nodes].reshape(len(matrix), -1, self._baseline.shape[1])
        start = np.broadcast_to(self._baseline, (len(matrix), *self._baseline.shape))
        sums = np.add.accumulate(np.concatenate([start, values], axis=1), axis=1)  # `sum` would add in another order
        return np.asfortranarray(sums[:, -1])
