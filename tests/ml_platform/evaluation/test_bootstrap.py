"""The paired bootstrap: it equals drawing rows one by one, and a gain by chance is rarely significant."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from ml_platform.evaluation.bootstrap import BLOCKS, RESAMPLES, interval, resampled_error_gains, resampled_f1_gains


def predict(random, labels, right):
    """Return predictions of which about the share `right` is correct."""
    return np.where(random.random(len(labels)) < right, labels, random.integers(0, labels.max() + 1, len(labels)))


def rows_drawn_one_by_one(labels, ours, theirs, average, resamples=400):
    random, gains = np.random.default_rng(7), []
    for _ in range(resamples):
        rows = np.concatenate([random.choice(of, len(of)) for of in map(np.flatnonzero, np.eye(4)[labels].T == 1)])
        one, other = (f1_score(labels[rows], each[rows], average=average, zero_division=0.0) for each in (ours, theirs))
        gains.append(one - other)
    return np.array(gains)


@pytest.mark.slow
@pytest.mark.parametrize(("n_classes", "average"), [(2, "binary"), (3, "macro")])
def test_it_equals_drawing_rows_one_by_one(n_classes, average):
    random = np.random.default_rng(0)
    labels = random.integers(0, n_classes, 300)
    ours, theirs = predict(random, labels, 0.8), predict(random, labels, 0.7)
    quick = resampled_f1_gains(labels, ours, theirs, n_classes)
    slow = rows_drawn_one_by_one(labels, ours, theirs, average)
    assert quick.shape == (RESAMPLES,)
    assert quick.mean() == pytest.approx(slow.mean(), abs=0.005)
    assert quick.std() == pytest.approx(slow.std(), rel=0.15)


def test_the_same_rows_give_the_same_interval():
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 100)
    predictions = predict(random, labels, 0.8), predict(random, labels, 0.7)
    assert (resampled_f1_gains(labels, *predictions, 2) == resampled_f1_gains(labels, *predictions, 2)).all()
    assert (
        resampled_f1_gains(labels, *predictions, 2) == -resampled_f1_gains(labels, *predictions[::-1], 2)
    ).mean() < 1  # other draws
    assert interval(resampled_f1_gains(labels, *predictions, 2), 0.9) == interval(
        resampled_f1_gains(labels, *predictions, 2), 0.9
    )


@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_tie_has_no_width(n_classes):
    labels = np.arange(60) % n_classes
    found = interval(resampled_f1_gains(labels, labels, labels, n_classes), 0.9)
    assert (found.low, found.high) == (0.0, 0.0)


def test_an_interval_grows_with_its_confidence():
    gains = np.random.default_rng(0).normal(0.02, 0.01, RESAMPLES)
    found = [interval(gains, confidence) for confidence in (0.0, 0.5, 0.8, 0.9, 0.99)]
    assert found[0].low == found[0].high == np.median(gains)
    assert sorted(found, key=lambda one: one.high - one.low) == found
    assert [one.low for one in found] == sorted((one.low for one in found), reverse=True)


def test_a_coin_toss_wins_one_time_in_twenty_and_a_real_win_nearly_always():
    random = np.random.default_rng(0)
    wins = {0.75: 0, 0.82: 0}
    for right in wins:
        for _ in range(200):
            labels = (random.random(1600) < 0.3).astype(np.int64)
            predictions = predict(random, labels, right), predict(random, labels, 0.75)
            wins[right] += interval(resampled_f1_gains(labels, *predictions, 2), 0.9).low > 0
    assert wins[0.75] <= 20
    assert wins[0.82] >= 180


def test_one_more_bird_of_46_is_not_significant_and_six_are():
    labels = np.repeat([0, 1, 2], [20, 10, 16])
    for birds, is_sure in ((1, False), (2, False), (6, True)):
        theirs = labels.copy()
        theirs[:birds] = 1
        assert (interval(resampled_f1_gains(labels, labels, theirs, 3), 0.9).low > 0) == is_sure


def test_the_gain_in_error_is_paired_and_centred_on_the_measured_one():
    """Rows that are hard for both models say nothing about the gain, so its interval is narrow."""
    random = np.random.default_rng(0)
    hard = random.lognormal(0, 2, 400)
    gains = resampled_error_gains(0.9 * hard, hard)
    assert gains.shape == (RESAMPLES,)
    assert gains == pytest.approx(np.full(RESAMPLES, 0.1))


@pytest.mark.parametrize("rows", [400, 4 * BLOCKS])
def test_the_interval_of_an_error_gain_holds_the_true_one_as_often_as_stated(rows):
    """Also where blocks of rows are resampled: the two intervals are equally wide for the same rows."""
    random = np.random.default_rng(1)
    draws = 50 if rows < BLOCKS else 8
    held = []
    for _ in range(draws):
        ours, theirs = random.exponential(0.9, rows), random.exponential(1.0, rows)
        bounds = interval(resampled_error_gains(ours, theirs), 0.9)
        held.append(bounds.low < 0.1 < bounds.high)
    assert np.mean(held) > 0.7


def test_a_champion_without_error_cannot_be_beaten():
    assert (resampled_error_gains(np.ones(10), np.zeros(10)) == 0).all()
