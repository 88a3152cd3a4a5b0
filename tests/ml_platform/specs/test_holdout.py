"""The hold-out: stable by entity, the latest rows by time."""

import numpy as np
import pandas as pd

from ml_platform.specs.holdout import HoldoutRule, holdout_by_entity, holdout_by_time


def test_an_entity_is_always_on_the_same_side():
    keys = pd.Series([7, 8, 7, 9, 8, 7])
    mask = holdout_by_entity(keys, "auto", 0.5)
    assert mask.tolist() == holdout_by_entity(keys, "auto", 0.5).tolist()
    assert mask[0] == mask[2] == mask[5]
    assert mask[1] == mask[4]
    for position, key in enumerate(keys):
        assert holdout_by_entity(pd.Series([key]), "auto", 0.5)[0] == mask[position]


def test_sides_depend_on_the_text_of_the_key_and_on_the_data_set():
    numbers = pd.Series(range(1000))
    assert (holdout_by_entity(numbers, "auto", 0.2) == holdout_by_entity(numbers.astype(str), "auto", 0.2)).all()
    assert (holdout_by_entity(numbers, "auto", 0.2) != holdout_by_entity(numbers, "flights", 0.2)).any()


def test_sides_are_pinned():
    """A change of the hash would let champions be evaluated on their training rows."""
    assert np.flatnonzero(holdout_by_entity(pd.Series(range(30)), "auto", 0.2)).tolist() == [1, 4, 17, 18, 21, 24]


def test_a_smaller_share_is_part_of_a_larger_one():
    keys = pd.Series(range(20_000))
    small, large = holdout_by_entity(keys, "auto", 0.1), holdout_by_entity(keys, "auto", 0.3)
    assert (large | ~small).all()
    assert abs(small.mean() - 0.1) < 0.01
    assert abs(large.mean() - 0.3) < 0.01


def test_no_rows():
    assert holdout_by_entity(pd.Series([], dtype="int64"), "auto", 0.2).shape == (0,)


HOURS = pd.Series(pd.date_range("2026-01-01", periods=10, freq="h", tz="UTC"))


def test_by_time_the_latest_share_is_held_out():
    rule = holdout_by_time("weeks", HOURS, 0.2)
    assert (rule.by, rule.share, rule.start) == ("time", 0.2, HOURS[8])
    assert np.flatnonzero(rule.mask(HOURS, HOURS)).tolist() == [8, 9]


def test_rows_with_one_event_time_are_on_the_same_side():
    times = HOURS.where(HOURS.index < 6, HOURS[6])
    assert holdout_by_time("weeks", times, 0.2).mask(times, times).tolist() == [False] * 6 + [True] * 4
    assert holdout_by_time("weeks", times.iloc[::-1], 0.2).start == HOURS[6]


def test_a_rule_applies_to_rows_that_come_later():
    rule = holdout_by_time("weeks", HOURS, 0.2)
    later = HOURS + pd.Timedelta(1, "D")
    assert rule.mask(later, later).all()
    assert not rule.mask(HOURS, HOURS - pd.Timedelta(1, "D")).any()


def test_by_entity_the_time_does_not_matter():
    keys = pd.Series(range(10))
    assert (HoldoutRule("auto", "entity", 0.5).mask(keys, HOURS) == holdout_by_entity(keys, "auto", 0.5)).all()


def test_without_rows_none_is_held_out():
    assert holdout_by_time("weeks", HOURS[:0], 0.2).mask(HOURS[:0], HOURS[:0]).shape == (0,)
