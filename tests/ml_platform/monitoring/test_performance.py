"""A model by the late truth: its promise, the tests of its mistakes, and the estimate before the truth comes."""

import numpy as np
import pytest

from ml_platform.estimators.interval_regressor import Interval
from ml_platform.evaluation.binary import Binary
from ml_platform.evaluation.multiclass import Multiclass
from ml_platform.evaluation.regression import Regression
from ml_platform.monitoring.performance import ALPHA, Predicted, expected_score, mistake_tests, score

BINARY = Binary(names=("no", "yes"), threshold=0.5)
THREE = Multiclass(names=("a", "b", "c"))
NUMBER = Regression(coverage=0.9, interval=Interval(-2.0, 2.0, 0.9))


def binary(rows: int, seed: int, missed: float = 0.2, alarms: float = 0.1) -> Predicted:
    """Return rows of which half are positive; these shares of positives and negatives are predicted otherwise."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, rows)
    other = random.random(rows) < np.where(labels == 1, missed, alarms)
    return Predicted(labels, np.where(other, 1 - labels, labels))


def test_a_model_that_keeps_its_promise_is_seldom_called_broken() -> None:
    holdout = binary(1000, 0)
    broken = [any(one.is_broken for one in mistake_tests(BINARY, holdout, binary(1500, seed))) for seed in range(1, 61)]
    assert sum(broken) <= ALPHA * len(broken)


def test_the_kind_of_mistake_that_became_more_frequent_is_named_with_the_row_of_the_change() -> None:
    before, after = binary(600, 1), binary(600, 2, missed=0.5)
    later = Predicted(*(np.concatenate(pair) for pair in zip(before, after, strict=True)))
    found = {one.kind: one for one in mistake_tests(BINARY, binary(1000, 0), later)}
    assert (found["false negatives"].is_broken, found["false positives"].is_broken) == (True, False)
    assert abs(found["false negatives"].change - 600) < 120
    assert found["false positives"].change is None
    assert found["false negatives"].on_holdout < found["false negatives"].promised < found["false negatives"].seen


def test_several_classes_and_numbers_have_mistakes_of_their_own() -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, 900)
    good = Predicted(labels, np.where(random.random(900) < 0.1, (labels + 1) % 3, labels))
    bad = Predicted(labels, np.where(random.random(900) < 0.3, (labels + 1) % 3, labels))
    assert [(one.kind, one.is_broken) for one in mistake_tests(THREE, good, bad)] == [("other classes", True)]
    numbers = random.normal(0, 1, 900)
    close, far = (Predicted(numbers, numbers + random.normal(0, spread, 900)) for spread in (1.0, 3.0))
    assert [one.is_broken for one in mistake_tests(NUMBER, close, close)] == [False]
    [test] = mistake_tests(NUMBER, close, far)
    assert (test.kind, test.is_broken) == ("values outside of the interval", True)


def test_without_rows_of_a_kind_nothing_is_broken() -> None:
    none = Predicted(np.zeros(50, dtype=np.int64), np.zeros(50, dtype=np.int64))
    assert not any(one.is_broken for one in mistake_tests(BINARY, none, none))


def test_the_interval_is_around_the_metric() -> None:
    found = score(BINARY, binary(400, 3))
    assert found.interval.low < found.value < found.interval.high
    assert score(NUMBER, Predicted(np.arange(9.0), np.arange(9.0) + 1)).value == 1.0


@pytest.mark.parametrize("rows", [300, 3000])
def test_calibrated_probabilities_let_expect_the_true_score(rows: int) -> None:
    inside = 0
    for seed in range(20):
        random = np.random.default_rng(seed)
        probabilities = random.beta(1, 2, rows)
        predictions = (probabilities >= 0.4).astype(np.int64)
        labels = (random.random(rows) < probabilities).astype(np.int64)
        expected = expected_score(BINARY, probabilities, predictions)
        inside += expected.interval.low <= BINARY.prediction_score(labels, predictions) <= expected.interval.high
    assert inside >= 16  # of 20: the interval holds 90 %


def test_of_several_classes_the_accuracy_is_expected_and_of_numbers_nothing() -> None:
    probabilities = np.full(2000, 0.8)
    found = expected_score(THREE, probabilities, np.zeros(2000, dtype=np.int64))
    assert found.value == pytest.approx(0.8, abs=0.01)
    assert expected_score(NUMBER, np.full(10, np.nan), np.zeros(10)) is None
