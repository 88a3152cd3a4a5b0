"""Intervals of groups: how often equal groups seem to differ, and that certainty is not made of few rows."""

import numpy as np
import pandas as pd
import pytest

from ml_platform.evaluation.binary import Binary
from ml_platform.evaluation.group_intervals import half_widths, has_enough, resampled_measures
from ml_platform.evaluation.group_report import group_report

TASK = Binary(("0", "1"), 0.5)


def measure(name, labels, outputs):
    return next(one for one in TASK.group_measures(np.array(labels), np.array(outputs)) if one.name == name)


def test_the_errors_are_those_of_the_binomial_distribution():
    random = np.random.default_rng(3)
    labels, outputs, codes = random.integers(0, 2, 900), random.random(900), np.repeat([0, 1, 1], 300)
    recall = measure("recall", labels, outputs)
    drawn = resampled_measures([recall], codes, 2)
    assert drawn.shape == (1000, 2, 1)
    for code in (0, 1):
        positives = int(labels[codes == code].sum())
        value = float((outputs >= 0.5)[(codes == code) & (labels == 1)].mean())
        assert drawn[:, code, 0].std() == pytest.approx(np.sqrt(value * (1 - value) / positives), rel=0.1)
    assert (resampled_measures([recall], codes, 2) == drawn).all()


def test_a_group_in_which_all_few_rows_are_right_is_not_certain():
    labels, codes = np.ones(120, dtype=int), np.repeat([0, 1], [100, 20])
    outputs = np.where(np.arange(120) % 10 == 0, 0.1, 0.9)
    outputs[codes == 1] = 0.9
    drawn = resampled_measures([measure("recall", labels, outputs)], codes, 2)
    assert drawn[:, 1, 0].std() > 0.01


def test_many_rows_are_drawn_in_blocks_with_the_same_error(monkeypatch):
    random = np.random.default_rng(3)
    labels, outputs, codes = random.integers(0, 2, 3000), random.random(3000), np.zeros(3000, dtype=int)
    rate = measure("selection_rate", labels, outputs)
    whole = resampled_measures([rate], codes, 1).std()
    monkeypatch.setattr("ml_platform.evaluation.group_intervals.BLOCKS", 500)
    assert resampled_measures([rate], codes, 1).std() == pytest.approx(whole, rel=0.15)


def test_too_few_rows_have_no_value():
    labels = np.array([1] * 9 + [0] * 30)
    recall, rate = (measure(name, labels, np.full(39, 0.7)) for name in ("recall", "selection_rate"))
    everything = np.ones(39, dtype=bool)
    assert (has_enough(recall, everything), has_enough(rate, everything)) == (False, True)
    assert not has_enough(rate, np.arange(39) < 19)
    drawn = resampled_measures([recall, rate], np.zeros(39, dtype=int), 1)
    assert np.isnan(drawn[:, 0, 0]).all()
    assert not np.isnan(drawn[:, 0, 1]).any()


def test_more_differences_have_wider_intervals():
    drawn = np.random.default_rng(1).normal(size=(1000, 10, 6))
    many, few = np.full((10, 6), 5000), np.full((10, 6), 12)
    one, all_of_them = half_widths(drawn[:, :1, :1], many[:1, :1])[0, 0], half_widths(drawn, many)[0, 0]
    assert one == pytest.approx(1.645, rel=0.08)  # of a normal distribution
    assert all_of_them == pytest.approx(3.1, rel=0.08)  # the same of the largest of 60
    assert half_widths(drawn, few)[0, 0] == pytest.approx(4.3, rel=0.1)  # of Student's with 11 degrees of freedom
    assert (half_widths(np.zeros((1000, 3, 2)), few[:3, :2]) == 0).all()


def share_of_alarms(hold_outs, shares, rows):
    """Return how often groups that a model treats alike have a significant difference."""
    random, alarms, names = np.random.default_rng(7), 0, [str(i) for i in range(len(shares))]
    for _ in range(hold_outs):
        labels = (random.random(rows) < 0.3).astype(int)
        outputs = 1 / (1 + np.exp(-2 * (random.normal(size=rows) + 2 * (labels - 0.5))))
        groups = pd.Series(pd.Categorical(random.choice(names, rows, p=shares), names), name="group")
        report = group_report(TASK, labels, outputs, groups, is_feature=False)
        alarms += any(one.is_significant for one in report.differences)
    return alarms / hold_outs


@pytest.mark.prove
@pytest.mark.parametrize("shares", [[0.5, 0.5], [0.8, 0.2], [0.4, 0.3, 0.2, 0.1]], ids=["equal", "unequal", "four"])
def test_equal_groups_seldom_seem_to_differ(shares):
    assert share_of_alarms(120, shares, 800) < 0.18  # .10 are meant; 120 hold-outs may show up to .17 by chance
