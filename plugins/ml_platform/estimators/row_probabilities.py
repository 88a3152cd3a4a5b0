"""Probabilities that are the same to the bit, in whatever batch a row comes.

Each public function takes a fitted classifier and a sample of its inputs, shape (n_rows, n_columns). It returns a
function that takes such rows and returns their probabilities, shape (n_rows, n_classes).
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml_platform.estimators.boosted_trees import BoostedTrees
from ml_platform.estimators.sklearn_internals import tree_nodes

Matrix = NDArray[np.float64]
PredictProba = Callable[[Matrix], Matrix]

BLOCK_ROWS = 64
FEW_ROWS = 32  # up to this number all boosted trees at once are faster than one after the other


def in_blocks(classifier: Any, sample: Matrix) -> PredictProba:
    """Predict in blocks of a fixed number of rows; zeros fill the last block.

    The sums over the columns depend on the number of rows, so that number is always the same.
    """

    def predict_proba(matrix: Matrix) -> Matrix:
        rows = len(matrix)
        padded = np.zeros((-(-rows // BLOCK_ROWS) * BLOCK_ROWS, matrix.shape[1]))
        padded[:rows] = matrix
        blocks = np.split(padded, len(padded) // BLOCK_ROWS)
        return np.vstack([classifier.predict_proba(block) for block in blocks])[:rows]

    return predict_proba


def mean_of_trees(forest: Any, sample: Matrix) -> PredictProba:
    """Average the trees of a forest in the order in which scikit-learn does with one job.

    scikit-learn takes longer to start a tree than the tree takes to predict a row. A number beyond float32 counts as
    infinite; scikit-learn would reject all rows because of it.
    """

    def predict_proba(matrix: Matrix) -> Matrix:
        with np.errstate(over="ignore"):
            narrow = matrix.astype(np.float32)
        total: Matrix = np.zeros((len(matrix), len(forest.classes_)))
        for tree in forest.estimators_:
            total += tree.tree_.predict(narrow)
        return total / len(forest.estimators_)

    return predict_proba


def all_trees_at_once(classifier: Any, sample: Matrix) -> PredictProba:
    """Use the table of all boosted trees for few rows, and scikit-learn for many.

    scikit-learn predicts all rows if its trees cannot be read, or if the table does not give the same bits as
    scikit-learn on the sample.
    """
    nodes = tree_nodes(classifier)
    trees = BoostedTrees(nodes) if nodes else None
    if trees is None or not np.array_equal(trees.predict_proba(sample), classifier.predict_proba(sample)):
        return lambda matrix: _in_pairs(classifier.predict_proba, matrix)

    def predict_proba(matrix: Matrix) -> Matrix:
        if len(matrix) > FEW_ROWS:
            probabilities: Matrix = classifier.predict_proba(matrix)
            return probabilities
        return _in_pairs(trees.predict_proba, matrix)

    return predict_proba


def _in_pairs(predict_proba: PredictProba, matrix: Matrix) -> Matrix:
    """Predict a single row as two equal rows: one alone has another memory layout, so NumPy adds in another order."""
    return predict_proba(matrix) if len(matrix) > 1 else predict_proba(np.repeat(matrix, 2, axis=0))[:1]
