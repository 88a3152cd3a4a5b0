"""The feature that carries the signal matters most, and a partial dependence follows it."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from ml_platform.evaluation.binary import Binary
from ml_platform.evaluation.importance import GRID, ROWS, dependences, importance
from ml_platform.evaluation.multiclass import Multiclass
from ml_platform.evaluation.regression import Regression
from tests.ml_platform.training.trainings import make_houses_frame, make_weeks_frame

THREE, TWO, NUMBERS = Multiclass(("poor", "fair", "good")), Binary(("no", "yes")), Regression(0.9)
WEEKS = make_weeks_frame(rows=ROWS + 200).assign(rain=lambda weeks: weeks["rain"].fillna(0.5))
FEATURES = WEEKS[["number", "heat", "rain"]]


def fitted(labels):
    return LogisticRegression(max_iter=1000).fit(FEATURES, labels)


@pytest.mark.parametrize(
    ("task", "labels", "metric"),
    [
        (THREE, WEEKS["sales"].to_numpy(), "F1"),
        (TWO, (WEEKS["sales"] > 0).astype(int).to_numpy(), "average precision"),
    ],
    ids=["three classes", "two classes"],
)
def test_the_feature_that_carries_the_signal_matters_most(task, labels, metric):
    found = importance(task, fitted(labels), FEATURES, labels)
    assert (found.names[0], found.metric) == ("heat", metric)
    assert found.lows[0] > max(found.highs[1:])
    assert (found.lows <= found.means).all()
    assert (found.means <= found.highs).all()


def test_of_a_number_the_error_grows():
    frame = make_houses_frame().dropna(subset="area")
    features, labels = frame[["rooms", "area"]], frame["price"].to_numpy()
    found = importance(NUMBERS, LinearRegression().fit(features, labels), features, labels)
    assert (found.names[0], found.metric) == ("area", "mean absolute error")
    assert found.means[0] > 30  # thousands: area moves the price by 75


def test_the_same_rows_are_drawn_each_time():
    labels = WEEKS["sales"].to_numpy()
    first, second = (importance(THREE, fitted(labels), FEATURES, labels) for _ in range(2))
    assert np.array_equal(first.means, second.means)


def test_a_feature_that_a_model_ignores_has_no_importance():
    labels = WEEKS["sales"].to_numpy()
    model = fitted(labels)
    model.coef_[:, 0] = 0.0
    found = importance(THREE, model, FEATURES, labels)
    last = found.names.index("number")
    assert (found.means[last], found.lows[last], found.highs[last]) == (0.0, 0.0, 0.0)


def test_a_partial_dependence_follows_the_model():
    frame = make_houses_frame().dropna(subset="area")
    features, labels = frame[["rooms", "area"]], frame["price"].to_numpy()
    model = LinearRegression().fit(features, labels)
    rooms, area = dependences(NUMBERS, model, features, ["rooms", "area"])
    assert rooms.values.tolist() == [1, 2, 3, 4, 5, 6]
    assert len(area.values) == GRID
    assert np.diff(area.means) / np.diff(area.values) == pytest.approx(np.full(GRID - 1, model.coef_[1]))


def test_several_classes_have_a_line_each_and_an_empty_feature_has_none():
    labels = WEEKS["sales"].to_numpy()
    found = dependences(THREE, fitted(labels), FEATURES.assign(number=np.nan), ["number"])
    assert found == []
    (heat,) = dependences(THREE, fitted(labels), FEATURES, ["heat"])
    assert heat.means.shape == (GRID, 3)
    assert heat.means.sum(axis=1) == pytest.approx(np.ones(GRID))
