"""The one module that touches scikit-learn's private members.

Each function has a guard: if scikit-learn no longer has a member, the log says so once, and the caller uses the public
interface instead. That is slower, or finds an error later, but its results are the same.
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
from sklearn.calibration import CalibratedClassifierCV

log = logging.getLogger(__name__)

_COVER_FIELDS = ("count", "is_categorical")
_NODE_FIELDS = ("left", "right", "is_leaf", "feature_idx", "num_threshold", "missing_go_to_left", "value", "depth")


@cache  # once per member, not once per model
def _report_missing(member: str, consequence: str) -> None:
    log.warning("scikit-learn %s no longer has %s: %s", sklearn.__version__, member, consequence)


def validate_params(estimator: BaseEstimator) -> None:
    """Check the parameters of an estimator before it is fitted; one of our own does it with `check_params`.

    Raises:
        ValueError: a parameter is invalid; the text names the parameter, its value and the allowed values.
    """
    validate = getattr(estimator, "check_params", None) or getattr(estimator, "_validate_params", None)
    if validate is None:
        _report_missing("BaseEstimator._validate_params", "invalid parameters are found when a model is fitted")
        return
    validate()


@dataclass(frozen=True)
class TreeNodes:
    """The fitted trees of a boosted classifier or regressor.

    Attributes:
        trees: the nodes of each tree, in the order in which the values are added; structured arrays with the fields
            `left`, `right`, `is_leaf`, `feature_idx`, `num_threshold`, `missing_go_to_left`, `value`, `depth`.
        baseline: the start of each sum, shape (1, n_trees_per_iteration).
        link: turns sums of shape (n_rows, n_trees_per_iteration) into probabilities of shape (n_rows, n_classes), or
            into numbers of shape (n_rows, 1).
    """

    trees: list[NDArray[Any]]
    baseline: NDArray[np.float64]
    link: Callable[[NDArray[np.float64]], NDArray[np.float64]]


def tree_nodes(model: Any) -> TreeNodes | None:
    """Return the trees of fitted histogram gradient boosting; None if they cannot be read."""
    try:
        trees = [tree.nodes for iteration in model._predictors for tree in iteration]
        loss = model._loss
        link = getattr(loss, "predict_proba", loss.link.inverse)  # a loss of numbers has no probabilities
        nodes = TreeNodes(trees, model._baseline_prediction, link)
        missing = {field for tree in trees for field in _NODE_FIELDS if field not in tree.dtype.names}
    except AttributeError as error:
        _report_missing(str(error), "boosted trees predict one after the other")
        return None
    if missing:
        _report_missing(f"node fields {sorted(missing)}", "boosted trees predict one after the other")
        return None
    return nodes


def covers_of(nodes: TreeNodes) -> list[NDArray[np.float64]]:
    """Return for each tree how many training rows came to each of its nodes, shape (n_nodes,).

    Raises:
        ValueError: the trees do not say it, or a split is one of categories.
    """
    for tree in nodes.trees:
        if missing := set(_COVER_FIELDS).difference(tree.dtype.names or ()):
            raise ValueError(f"scikit-learn {sklearn.__version__} no longer has the node fields {sorted(missing)}")
        if tree["is_categorical"].any():
            raise ValueError("the trees have splits by categories, which the platform does not make")
    return [tree["count"].astype(np.float64) for tree in nodes.trees]


def sigmoid_of(calibrator: Any) -> tuple[float, float]:
    """Return slope and intercept of Platt's calibrator: a probability has the log odds `slope * score + intercept`.

    Raises:
        ValueError: it is no such calibrator.
    """
    try:
        return -float(calibrator.a_), -float(calibrator.b_)
    except AttributeError:
        raise ValueError(f"{type(calibrator).__name__} is not a sigmoid of the score") from None


@dataclass(frozen=True)
class Calibrated:
    """A fitted classifier and the calibrators of its scores.

    Attributes:
        classifier: fitted on all rows.
        calibrators: each with a method `predict` from scores to probabilities, both of shape (n_rows,). With two
            classes there is one, for the positive class; with more there is one per class.
    """

    classifier: BaseEstimator
    calibrators: list[Any]


def calibrated_parts(model: CalibratedClassifierCV) -> Calibrated | None:
    """Return the parts of a fitted model that was calibrated with `ensemble=False`; None if they cannot be read."""
    try:
        (pair,) = model.calibrated_classifiers_
        return Calibrated(pair.estimator, list(pair.calibrators))
    except (AttributeError, ValueError) as error:
        _report_missing(str(error), "calibrated models predict with scikit-learn, which is slow for single rows")
        return None
