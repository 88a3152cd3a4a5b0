"""The estimators of xgboost give what the library gives with the same parameters."""

import numpy as np
import pytest
import xgboost

from ml_platform.estimators.xgboost_model import XGBoostClassifier, XGBoostRegressor
from tests.ml_platform.estimators.boosted import make_matrix, make_target

PARAMS = {"learning_rate": 0.1, "max_depth": 3, "min_child_weight": 2.0, "gamma": 0.1, "subsample": 0.8,
          "colsample_bytree": 0.8, "reg_alpha": 0.1, "reg_lambda": 2.0, "n_estimators": 12}  # fmt: skip
LIBRARY = {"random_state": 5, "n_jobs": 1, "tree_method": "hist", "enable_categorical": True,
           "feature_types": ["c"] * 2 + ["q"] * 4}  # fmt: skip


@pytest.mark.parametrize("target", ["two classes", "three classes"])
def test_a_classifier_equals_that_of_the_library(target) -> None:
    matrix, rows = make_matrix(), make_matrix(90, seed=1)
    own = XGBoostClassifier(**PARAMS, random_state=5, n_categories=2, early_stopping_rounds=None)
    its = xgboost.XGBClassifier(**PARAMS, **LIBRARY)
    own, its = (model.fit(matrix, make_target(matrix, target)) for model in (own, its))
    np.testing.assert_allclose(own.predict_proba(rows), its.predict_proba(rows), rtol=0, atol=1e-6)


def test_a_regressor_equals_that_of_the_library() -> None:
    matrix, rows = make_matrix(), make_matrix(90, seed=1)
    own = XGBoostRegressor(**PARAMS, random_state=5, n_categories=2, early_stopping_rounds=None)
    its = xgboost.XGBRegressor(**PARAMS, **LIBRARY)
    own, its = (model.fit(matrix, make_target(matrix, "a number")) for model in (own, its))
    assert np.array_equal(own.predict(rows), its.predict(rows))


def test_an_unknown_category_is_like_a_missing_one() -> None:
    """The encoder makes both the same; a code that was not there while fitting does no harm either."""
    matrix = make_matrix()
    model = XGBoostClassifier(n_categories=2, n_estimators=20).fit(matrix, make_target(matrix, "two classes"))
    assert np.isfinite(model.predict_proba(np.where(np.arange(6) < 2, [1e6], matrix))).all()


def test_numbers_beyond_its_range_are_very_large() -> None:
    matrix = make_matrix()
    matrix[:9, 2], matrix[9:19, 2] = 1e300, -1e300
    model = XGBoostClassifier(n_categories=2, n_estimators=20).fit(matrix, make_target(matrix, "two classes"))
    row = matrix[[30]]
    large, larger = (model.predict_proba(np.where(np.arange(6) == 2, value, row)) for value in (1e39, 1e308))
    assert np.array_equal(large, larger)
