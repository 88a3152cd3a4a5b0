"""Small data for the estimators of xgboost and lightgbm: codes of two categories, then numbers; some are missing."""

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml_platform.estimators.boosters import Boosted
from ml_platform.estimators.lightgbm_model import LightGBMClassifier, LightGBMRegressor
from ml_platform.estimators.xgboost_model import XGBoostClassifier, XGBoostRegressor

CLASSIFIERS = (XGBoostClassifier, LightGBMClassifier)
REGRESSORS = (XGBoostRegressor, LightGBMRegressor)
TARGETS = ("two classes", "three classes", "a number")


def make_matrix(rows: int = 900, seed: int = 0) -> NDArray[np.float64]:
    """Draw inputs: codes 0 to 4, codes 0 to 39, three numbers, and a column without any value."""
    random = np.random.default_rng(seed)
    codes = [random.integers(0, 5, rows), random.integers(0, 40, rows)]
    matrix = np.column_stack([*codes, random.normal(0, 1, (rows, 3)), np.zeros(rows)])
    matrix[random.random(matrix.shape) < 0.15] = np.nan
    matrix[:, 5] = np.nan
    return matrix


def make_target(matrix: NDArray[np.float64], target: str, seed: int = 0) -> NDArray[Any]:
    """Draw a target that depends on both categories, a number, and on whether another number is missing."""
    signal = np.isin(matrix[:, 0], (1, 3)) + 1.0 * (matrix[:, 1] > 20) + np.nan_to_num(matrix[:, 2])
    signal = signal + np.isnan(matrix[:, 3]) + np.random.default_rng(seed).normal(0, 0.5, len(matrix))
    limits = {"two classes": [1.0], "three classes": [0.5, 1.5], "a number": []}[target]
    return np.digitize(signal, limits) if limits else signal * 1000 + 5


def fit(kind: type[Boosted], target: str, **params: Any) -> Any:
    """Return a small fitted estimator."""
    matrix = make_matrix()
    return kind(**{"n_categories": 2, "n_estimators": 40, **params}).fit(matrix, make_target(matrix, target))


fitted = cache(fit)  # for tests that do not change it


KINDS = [(kind, target) for kind in CLASSIFIERS for target in TARGETS[:2]] + [(kind, TARGETS[2]) for kind in REGRESSORS]
IDS = [f"{kind.__name__} {target}" for kind, target in KINDS]
