"""The one module that touches scikit-learn's private members.

Each function has a guard: if a member is gone, it says so once in the log, and the caller goes on with scikit-learn's
public way, which is slower or later but as right.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import sklearn
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

log = logging.getLogger(__name__)

_NODE_FIELDS = ("left", "right", "is_leaf", "feature_idx", "num_threshold", "missing_go_to_left", "value", "depth")


@cache  # once per member, not once per model
def _report_missing(member: str, consequence: str) -> None:
    log.warning("scikit-learn %s has no %s any more: %s", sklearn.__version__, member, consequence)


def validate_params(estimator: BaseEstimator) -> None:
    """Check the parameters of an estimator before it is fitted.

    Raises:
        ValueError: it does not accept one of them; the text names it, its value and what is allowed.
    """
    validate = getattr(estimator, "_validate_params", None)
    if validate is None:
        _report_missing("BaseEstimator._validate_params", "parameters are checked when a model is fitted")
        return
    validate()


@dataclass(frozen=True)
class TreeNodes:
    """The fitted trees of a boosted classifier.

    Attributes:
        trees: per tree its nodes, in the order in which they are summed up; each a structured array with the fields
            `left`, `right`, `is_leaf`, `feature_idx`, `num_threshold`, `missing_go_to_left`, `value`, `depth`.
        baseline: what the sums begin with, shape (1, n_trees_per_iteration).
        link: turns sums of shape (n_rows, n_trees_per_iteration) into probabilities of shape (n_rows, n_classes).
    """

    trees: list[NDArray[Any]]
    baseline: NDArray[np.float64]
    link: Callable[[NDArray[np.float64]], NDArray[np.float64]]


def tree_nodes(classifier: Any) -> TreeNodes | None:
    """Return the trees of a fitted `HistGradientBoostingClassifier`; None if scikit-learn does not show them."""
    try:
        trees = [tree.nodes for iteration in classifier._predictors for tree in iteration]
        nodes = TreeNodes(trees, classifier._baseline_prediction, classifier._loss.predict_proba)
        missing = {field for tree in trees for field in _NODE_FIELDS if field not in tree.dtype.names}
    except AttributeError as error:
        _report_missing(str(error), "boosted trees are asked one after the other")
        return None
    if missing:
        _report_missing(f"node fields {sorted(missing)}", "boosted trees are asked one after the other")
        return None
    return nodes
