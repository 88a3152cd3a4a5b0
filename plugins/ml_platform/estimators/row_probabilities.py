"""Scores, probabilities and numbers that are the same to the bit, in whatever batch a row comes.

Each public function of a kind of estimator takes a fitted one, a sample of its inputs, shape (n_rows, n_columns), and
the response that is asked for. It returns a function that takes such rows and returns the response: probabilities,
shape (n_rows, n_classes); numbers, shape (n_rows, 1); or what `decision_function` returns, shape (n_rows, 1) with two
classes, else (n_rows, n_classes).
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ml_platform.estimators.boosted_trees import BoostedTrees
from ml_platform.estimators.sklearn_internals import tree_nodes

Matrix = NDArray[np.float64]
Predict = Callable[[Matrix], Matrix]
Response = Literal["predict_proba", "decision_function", "predict"]

BLOCK_ROWS = 64
FEW_ROWS = 32  # up to this number all boosted trees at once are faster than one after the other


def _response(classifier: Any, response: Response) -> Predict:
    """Return a method of a classifier, with two dimensions also where scikit-learn returns one."""
    method = getattr(classifier, response)
    return lambda matrix: method(matrix).reshape(len(matrix), -1)


def in_blocks(classifier: Any, sample: Matrix, response: Response) -> Predict:
    """Predict in blocks of a fixed number of rows; zeros fill the last block.

    The sums over the columns depend on the number of rows, so that number is always the same.
    """
    predict_block = _response(classifier, response)

    def predict(matrix: Matrix) -> Matrix:
        rows = len(matrix)
        padded = np.zeros((-(-rows // BLOCK_ROWS) * BLOCK_ROWS, matrix.shape[1]))
        padded[:rows] = matrix
        blocks = np.split(padded, len(padded) // BLOCK_ROWS)
        return np.vstack([predict_block(block) for block in blocks])[:rows]

    return predict


def in_one_call(classifier: Any, sample: Matrix, response: Response) -> Predict:
    """Predict all rows at once: the classifier's own methods give the same bits in any batch."""
    return _response(classifier, response)


def mean_of_trees(forest: Any, sample: Matrix, response: Response) -> Predict:
    """Average the trees of a forest in the order in which scikit-learn does with one job; it has no scores.

    scikit-learn takes longer to start a tree than the tree takes to predict a row. A number beyond float32 counts as
    infinite; scikit-learn would reject all rows because of it.
    """

    def predict_proba(matrix: Matrix) -> Matrix:
        with np.errstate(over="ignore"):
            narrow = matrix.astype(np.float32)
        total: Matrix = np.zeros((len(matrix), forest.estimators_[0].tree_.value.shape[2]))
        for tree in forest.estimators_:
            total += tree.tree_.predict(narrow)
        return total / len(forest.estimators_)

    return predict_proba


def all_trees_at_once(classifier: Any, sample: Matrix, response: Response) -> Predict:
    """Use the table of all boosted trees for few rows, and scikit-learn for many.

    scikit-learn predicts all rows if its trees cannot be read, or if the table does not give the same bits as
    scikit-learn on the sample.
    """
    nodes, predict_many = tree_nodes(classifier), _response(classifier, response)
    predict_few = _response(BoostedTrees(nodes), response) if nodes else None
    if predict_few is None or not np.array_equal(predict_few(sample), predict_many(sample)):
        return lambda matrix: _in_pairs(predict_many, matrix)

    def predict(matrix: Matrix) -> Matrix:
        return predict_many(matrix) if len(matrix) > FEW_ROWS else _in_pairs(predict_few, matrix)

    return predict


def calibrated(scores: Predict, calibrators: Sequence[Any]) -> Predict:
    """Turn scores into probabilities as scikit-learn does: each class alone, then divided by their sum.

    Args:
        scores: returns the scores of rows, shape (n_rows, n_classes), or with two classes those of the positive class
            alone, shape (n_rows, 1).
        calibrators: see `sklearn_internals.Calibrated`.
    """

    def predict_proba(matrix: Matrix) -> Matrix:
        columns = [
            calibrator.predict(np.ascontiguousarray(column))
            for calibrator, column in zip(calibrators, scores(matrix).T, strict=True)
        ]
        if len(columns) == 1:
            return np.column_stack([1 - columns[0], columns[0]])
        total = sum(columns)  # one class after the other, so the order of the sum does not depend on the rows
        even = np.full(len(matrix), 1 / len(columns))
        shares = (np.divide(column, total, out=even.copy(), where=total != 0) for column in columns)
        return np.column_stack(list(shares))

    return predict_proba


def _in_pairs(predict: Predict, matrix: Matrix) -> Matrix:
    """Predict a single row as two equal rows: one alone has another memory layout, so NumPy adds in another order."""
    return predict(matrix) if len(matrix) > 1 else predict(np.repeat(matrix, 2, axis=0))[:1]
