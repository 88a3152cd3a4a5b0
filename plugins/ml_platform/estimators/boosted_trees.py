"""All trees of a boosted classifier in one table, so that a row goes down all of them at once."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml_platform.estimators.sklearn_internals import TreeNodes

Matrix = NDArray[np.float64]


class BoostedTrees:
    """The trees of a fitted classifier; a row takes one step in all of them at a time.

    scikit-learn calls each tree by itself, which for one row takes longer than all the rest. The sums are made in its
    order, so the bits are the same.
    """

    def __init__(self, nodes: TreeNodes) -> None:
        """Put the trees into one table."""
        sizes = [len(tree) for tree in nodes.trees]
        table, places = np.concatenate(nodes.trees), np.arange(sum(sizes))
        self._roots = np.cumsum([0, *sizes[:-1]])
        shift, is_leaf = np.repeat(self._roots, sizes), table["is_leaf"].astype(bool)
        # From a leaf it goes on to itself, until the deepest one is reached.
        self._left, self._right = (np.where(is_leaf, places, table[side] + shift) for side in ("left", "right"))
        self._feature = np.where(is_leaf, 0, table["feature_idx"])
        self._threshold: NDArray[Any] = table["num_threshold"]
        self._missing_left = table["missing_go_to_left"].astype(bool)
        self._value, self._depth = table["value"], int(table["depth"].max())
        self._baseline, self._link = nodes.baseline, nodes.link

    def predict_proba(self, matrix: Matrix) -> Matrix:
        """Return the probabilities of rows, shape (n_rows, n_classes)."""
        nodes, rows = np.tile(self._roots, (len(matrix), 1)), np.arange(len(matrix))[:, None]
        for _ in range(self._depth):
            cells = matrix[rows, self._feature[nodes]]
            is_left = np.where(np.isnan(cells), self._missing_left[nodes], cells <= self._threshold[nodes])
            nodes = np.where(is_left, self._left[nodes], self._right[nodes])
        values = self._value[nodes].reshape(len(matrix), -1, self._baseline.shape[1])
        begin = np.broadcast_to(self._baseline, (len(matrix), *self._baseline.shape))
        sums = np.add.accumulate(np.concatenate([begin, values], axis=1), axis=1)
        return self._link(np.asfortranarray(sums[:, -1]))
