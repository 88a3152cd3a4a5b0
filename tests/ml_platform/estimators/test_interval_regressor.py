"""A regressor with an interval predicts as the regressor does."""

import numpy as np
from sklearn.base import clone, is_regressor
from sklearn.linear_model import Ridge

from ml_platform.estimators.interval_regressor import IntervalRegressor

FEATURES = np.random.default_rng(0).normal(size=(30, 2))
LABELS = FEATURES @ [1.0, 2.0]


def test_it_predicts_as_the_regressor_inside():
    model = IntervalRegressor(Ridge(), -1.0, 2.0, 0.9).fit(FEATURES, LABELS)
    assert np.array_equal(model.predict(FEATURES), Ridge().fit(FEATURES, LABELS).predict(FEATURES))
    assert is_regressor(model)


def test_a_clone_has_the_interval_and_is_not_fitted():
    copy = clone(IntervalRegressor(Ridge(), -1.0, 2.0, 0.9).fit(FEATURES, LABELS))
    assert (copy.lower, copy.upper, copy.coverage) == (-1.0, 2.0, 0.9)
    assert not hasattr(copy, "estimator_")
