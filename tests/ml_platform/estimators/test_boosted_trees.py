"""All trees at once give the bits of one after the other."""

import numpy as np
import pytest
from sklearn.model_selection import TunedThresholdClassifierCV
from threadpoolctl import threadpool_limits

from ml_platform.estimators.boosted_trees import BoostedTrees
from ml_platform.estimators.sklearn_internals import tree_nodes
from tests.ml_platform.estimators.test_row_scorer import fitted


@pytest.mark.parametrize("kind", ["shop", "weeks"])
def test_all_trees_at_once_give_the_bits_of_one_after_the_other(kind) -> None:
    _, model = fitted(kind, "hist_gradient_boosting")
    steps = model.estimator_ if isinstance(model, TunedThresholdClassifierCV) else model
    random = np.random.default_rng(0)
    matrix = random.normal(0, 3, (500, steps[-1].n_features_in_))
    matrix[random.random(matrix.shape) < 0.2] = np.nan
    matrix[random.random(matrix.shape) < 0.02] = np.inf
    with threadpool_limits(1):
        expected = steps[-1].predict_proba(matrix)
    assert len(np.unique(expected)) > 10
    assert np.array_equal(BoostedTrees(tree_nodes(steps[-1])).predict_proba(matrix), expected)
