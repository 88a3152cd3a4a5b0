"""The estimators of lightgbm give what the library gives with the same parameters."""

import lightgbm
import numpy as np
import pytest

from ml_platform.estimators.lightgbm_model import LightGBMClassifier, LightGBMRegressor
from tests.ml_platform.estimators.boosted import make_matrix, make_target

PARAMS = {"learning_rate": 0.1, "num_leaves": 6, "max_depth": 4, "min_child_samples": 9, "min_child_weight": 0.01,
          "min_split_gain": 0.01, "subsample": 0.8, "colsample_bytree": 0.8, "reg_alpha": 0.1, "reg_lambda": 2.0,
          "min_data_per_group": 20, "cat_smooth": 5.0, "n_estimators": 12}  # fmt: skip
LIBRARY = {"random_state": 5, "n_jobs": 1, "subsample_freq": 1, "deterministic": True, "force_row_wise": True,
           "verbosity": -1}  # fmt: skip


def both(own, its, target):
    """Return what both predict; the library gets its rows as a set, whose columns have the same names."""
    matrix, rows = make_matrix(), make_matrix(90, seed=1)
    own.fit(matrix, make_target(matrix, target))
    its.fit(matrix, make_target(matrix, target), categorical_feature=[0, 1])
    if hasattr(own, "predict_proba"):
        return own.decision_function(rows), its.predict(rows, raw_score=True, validate_features=False)
    return own.predict(rows), its.predict(rows)


@pytest.mark.parametrize("target", ["two classes", "three classes"])
def test_a_classifier_equals_that_of_the_library(target) -> None:
    own = LightGBMClassifier(**PARAMS, random_state=5, n_categories=2, early_stopping_rounds=None)
    assert np.array_equal(*both(own, lightgbm.LGBMClassifier(**PARAMS, **LIBRARY), target))


def test_a_regressor_equals_that_of_the_library() -> None:
    own = LightGBMRegressor(**PARAMS, random_state=5, n_categories=2, early_stopping_rounds=None)
    assert np.array_equal(*both(own, lightgbm.LGBMRegressor(**PARAMS, **LIBRARY), "a number"))


def test_an_unknown_category_is_like_a_missing_one() -> None:
    matrix = make_matrix()
    model = LightGBMClassifier(n_categories=2, n_estimators=20).fit(matrix, make_target(matrix, "two classes"))
    unknown, missing = (np.where(np.arange(6) < 2, value, matrix) for value in (1e6, np.nan))
    assert np.array_equal(model.predict_proba(unknown), model.predict_proba(missing))


def test_nothing_but_the_trees_is_stored() -> None:
    matrix = make_matrix()
    model = LightGBMClassifier(n_categories=2, n_estimators=20).fit(matrix, make_target(matrix, "two classes"))
    assert model.booster_.endswith(b"\nend of trees\n")
