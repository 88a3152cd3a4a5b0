"""How a fitted classifier is asked so that a row gets the same bits in whatever batch it comes.

Each function takes a fitted classifier and a sample of its inputs, shape (n_rows, n_columns), and returns the function
that gives the probabilities of such rows, shape (n_rows, n_classes).
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml_platform.estimators.boosted_trees import BoostedTrees
from ml_platform.estimators.sklearn_internals import tree_nodes

Matrix = NDArray[np.float64]
Ask = Callable[[Matrix], Matrix]

BLOCK_ROWS = 64
FEW_ROWS = 32  # up to here all boosted trees at once are quicker than one after the other


def in_blocks(classifier: Any, sample: Matrix) -> Ask:
    """Ask for blocks of always the same number of rows, filled up with zeros: sums over columns depend on it."""

    def ask(matrix: Matrix) -> Matrix:
        rows = len(matrix)
        padded = np.zeros((-(-rows // BLOCK_ROWS) * BLOCK_ROWS, matrix.shape[1]))
        padded[:rows] = matrix
        blocks = np.split(padded, len(padded) // BLOCK_ROWS)
        return np.vstack([classifier.predict_proba(block) for block in blocks])[:rows]

    return ask


def mean_of_trees(forest: Any, sample: Matrix) -> Ask:
    """Add up the trees in the order in which the forest does with one job; scikit-learn takes longer to start each.

    A number beyond float32 is infinite to it, where the forest would refuse all rows because of it.
    """

    def ask(matrix: Matrix) -> Matrix:
        with np.errstate(over="ignore"):
            narrow = matrix.astype(np.float32)
        total: Matrix = np.zeros((len(matrix), len(forest.classes_)))
        for tree in forest.estimators_:
            total += tree.tree_.predict(narrow)
        return total / len(forest.estimators_)

    return ask


def all_trees_at_once(classifier: Any, sample: Matrix) -> Ask:
    """Ask all boosted trees at once for a few rows, and scikit-learn for many.

    If the table of the trees cannot be read or does not give scikit-learn's own bits on the sample, it is not used.
    """
    nodes = tree_nodes(classifier)
    trees = BoostedTrees(nodes) if nodes else None
    if trees is None or not np.array_equal(trees.predict_proba(sample), classifier.predict_proba(sample)):
        return lambda matrix: _never_alone(classifier.predict_proba, matrix)

    def ask(matrix: Matrix) -> Matrix:
        if len(matrix) > FEW_ROWS:
            many: Matrix = classifier.predict_proba(matrix)
            return many
        return _never_alone(trees.predict_proba, matrix)

    return ask


def _never_alone(ask: Ask, matrix: Matrix) -> Matrix:
    """Ask for a single row as for two: alone it has another memory layout, and NumPy adds up in another order."""
    return ask(matrix) if len(matrix) > 1 else ask(np.repeat(matrix, 2, axis=0))[:1]
