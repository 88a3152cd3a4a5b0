"""All trees at once give the bits of one after the other."""

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from ml_platform.estimators.boosted_trees import BoostedTrees
from ml_platform.estimators.sklearn_internals import tree_nodes
from tests.ml_platform.estimators.fitted_models import fitted, fitted_ten_classes, pipeline_of


def random_inputs(columns: int, rows: int = 500) -> np.ndarray:
    """Draw inputs with missing and infinite values."""
    random = np.random.default_rng(0)
    matrix = random.normal(0, 3, (rows, columns))
    matrix[random.random(matrix.shape) < 0.2] = np.nan
    matrix[random.random(matrix.shape) < 0.02] = np.inf
    return matrix


@pytest.fixture(scope="module", params=["shop", "weeks", "ten"])
def classifier(request: pytest.FixtureRequest):
    """A fitted boosted classifier of two, three and ten classes."""
    estimator = "hist_gradient_boosting"
    _, model = fitted_ten_classes(estimator) if request.param == "ten" else fitted(request.param, estimator)
    return pipeline_of(model)[-1]


def test_all_trees_at_once_give_the_bits_of_one_after_the_other(classifier) -> None:
    matrix = random_inputs(classifier.n_features_in_)
    with threadpool_limits(1):
        expected = classifier.predict_proba(matrix)
    assert len(np.unique(expected)) > 10
    assert np.array_equal(BoostedTrees(tree_nodes(classifier)).predict_proba(matrix), expected)


def test_trees_of_one_leaf_give_the_baseline() -> None:
    matrix, labels = np.zeros((40, 2)), np.arange(40) % 2  # nothing to split by
    classifier = HistGradientBoostingClassifier(max_iter=3).fit(matrix, labels)
    assert np.array_equal(BoostedTrees(tree_nodes(classifier)).predict_proba(matrix), np.full((40, 2), 0.5))
