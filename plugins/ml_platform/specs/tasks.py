"""The kinds of problem by name, and what fits each: metrics, estimators and the default grid."""

from typing import Literal, get_args

from ml_platform.specs.distributions import Parameters

TaskName = Literal["binary", "multiclass", "regression"]
ClassMetric = Literal["f1", "roc_auc", "average_precision", "precision", "recall", "accuracy"]
NumberMetric = Literal["mae", "rmse", "r2", "mape", "pinball"]
Metric = ClassMetric | NumberMetric
Estimator = Literal[
    "logistic_regression", "ridge", "random_forest", "hist_gradient_boosting", "xgboost", "lightgbm",
    "snapshot_ensemble",
]  # fmt: skip
Grid = dict[Estimator, Parameters]
ENSEMBLE: Literal["ensemble"] = "ensemble"
CandidateKind = Estimator | Literal["ensemble"]

ERRORS: frozenset[Metric] = frozenset({"mae", "rmse", "mape", "pinball"})  # less is better
# the first metric of each is the default of `search.scoring`
METRICS: dict[TaskName, tuple[Metric, ...]] = {
    "binary": get_args(ClassMetric), "multiclass": get_args(ClassMetric), "regression": get_args(NumberMetric),
}  # fmt: skip
METRIC_TITLES: dict[str, str] = {
    "f1": "F1", "roc_auc": "ROC AUC", "average_precision": "average precision", "precision": "precision",
    "recall": "recall", "accuracy": "accuracy", "mae": "mean absolute error", "rmse": "root mean squared error",
    "r2": "R²", "mape": "mean absolute percentage error", "pinball": "pinball loss of the interval",
    "coverage": "share inside the interval", "interval_width": "width of the interval",
    "brier": "Brier score", "calibration_error": "calibration error",
}  # fmt: skip

_CLASS_GRID: Grid = {
    "logistic_regression": {"class_weight": [None, "balanced"], "C": [0.1, 1.0]},
    "hist_gradient_boosting": {
        "class_weight": [None, "balanced"],
        "learning_rate": [0.05],
        "max_iter": [400],
        "max_leaf_nodes": [3, 8],
    },
    "random_forest": {"class_weight": [None, "balanced"], "min_samples_leaf": [5]},
}
_NUMBER_GRID: Grid = {
    "ridge": {"alpha": [0.1, 1.0, 10.0, 100.0]},
    "hist_gradient_boosting": {"learning_rate": [0.05], "max_iter": [200, 400], "max_leaf_nodes": [3, 8, 15]},
    "random_forest": {"min_samples_leaf": [1, 3]},
}
GRIDS: dict[TaskName, Grid] = {"binary": _CLASS_GRID, "multiclass": _CLASS_GRID, "regression": _NUMBER_GRID}


def sign(metric: Metric) -> int:
    """Return 1 if more of a metric is better, and -1 if less is."""
    return -1 if metric in ERRORS else 1


def gain(metric: Metric, ours: float, theirs: float) -> float:
    """Return by how much a model is better than another: the difference, or by which share its error is lower.

    An error has the unit of the label, so its difference says nothing without it. If the other has no error, it is 0.
    """
    if metric not in ERRORS:
        return ours - theirs
    return 1 - ours / theirs if theirs > 0 else 0.0
