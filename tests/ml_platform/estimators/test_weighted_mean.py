"""An ensemble predicts the weighted mean of its members; see test_row_scorer.py for single rows."""

import numpy as np
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LogisticRegression, Ridge

from ml_platform.estimators.weighted_mean import WeightedMeanClassifier, WeightedMeanRegressor

FEATURES = np.random.default_rng(0).normal(size=(60, 2))
NUMBERS = FEATURES @ [1.0, 2.0]
CLASSES = np.digitize(NUMBERS, [-1, 1])


def test_numbers_are_the_weighted_mean_of_the_members():
    model = WeightedMeanRegressor([Ridge(), DummyRegressor()], [0.75, 0.25]).fit(FEATURES, NUMBERS)
    expected = 0.75 * Ridge().fit(FEATURES, NUMBERS).predict(FEATURES) + 0.25 * NUMBERS.mean()
    assert model.predict(FEATURES) == pytest.approx(expected)
    assert is_regressor(model)


def test_probabilities_are_the_weighted_mean_and_the_most_probable_class_is_predicted():
    texts = np.array(["low", "middle", "top"])[CLASSES]
    model = WeightedMeanClassifier([LogisticRegression(), DummyClassifier()], [0.5, 0.5]).fit(FEATURES, texts)
    means = [one.predict_proba(FEATURES) / 2 for one in model.members_]
    assert model.predict_proba(FEATURES) == pytest.approx(means[0] + means[1])
    assert model.classes_.tolist() == ["low", "middle", "top"]
    assert (model.predict(FEATURES) == model.classes_[(means[0] + means[1]).argmax(axis=1)]).all()
    assert is_classifier(model)


def test_a_clone_has_the_weights_and_is_not_fitted():
    model = WeightedMeanRegressor([Ridge(alpha=3.0)], [1.0]).fit(FEATURES, NUMBERS)
    copy = clone(model)
    assert (copy.weights, copy.members[0].alpha) == ([1.0], 3.0)
    assert copy.members[0] is not model.members[0]
    assert not hasattr(copy, "members_")


@pytest.mark.parametrize("weights", [[1.0], [0.5, 0.6], [1.0, 0.0], [1.5, -0.5]], ids=str)
def test_weights_that_do_not_fit_are_refused(weights):
    with pytest.raises(ValueError, match="weights: 2 positive numbers with the sum 1 are needed, got"):
        WeightedMeanRegressor([Ridge(), Ridge()], weights).fit(FEATURES, NUMBERS)
