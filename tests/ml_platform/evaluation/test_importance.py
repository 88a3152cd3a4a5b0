"""The feature that carries the signal matters most, in any metric."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from ml_platform.evaluation.importance import ROWS, importance
from tests.ml_platform.training.trainings import make_weeks_frame


@pytest.mark.parametrize("metric", ["f1_macro", "accuracy"])
def test_the_feature_that_carries_the_signal_matters_most(metric):
    frame = make_weeks_frame().assign(rain=lambda weeks: weeks["rain"].fillna(0.5))
    features, labels = frame[["number", "heat", "rain"]], frame["sales"].to_numpy()
    means, sds = importance(LogisticRegression(max_iter=1000).fit(features, labels), features, labels, metric)
    assert means.shape == sds.shape == (3,)
    assert means.argmax() == 1
    assert means[1] > 5 * sds[1]


def test_the_same_sample_is_drawn_each_time():
    frame = make_weeks_frame(rows=ROWS + 200)
    features, labels = frame[["number", "heat"]], frame["sales"].to_numpy()
    model = LogisticRegression(max_iter=1000).fit(features, labels)
    first, second = (importance(model, features, labels, "accuracy") for _ in range(2))
    assert np.array_equal(first, second)


def test_a_feature_that_a_model_ignores_has_no_importance():
    frame = make_weeks_frame(rows=100)
    features, labels = frame[["number", "heat"]], frame["sales"].to_numpy()
    model = LogisticRegression(max_iter=1000).fit(features, labels)
    model.coef_[:, 0] = 0.0
    means, sds = importance(model, features, labels, "accuracy")
    assert (means[0], sds[0]) == (0.0, 0.0)
