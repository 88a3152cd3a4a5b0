import time

import numpy as np
import pandas as pd

from ml_platform.holdout import holdout


def test_an_entity_is_always_on_the_same_side():
    keys = pd.Series([7, 8, 7, 9, 8, 7])
    mask = holdout(keys, "auto", 0.5)
    assert mask.tolist() == holdout(keys, "auto", 0.5).tolist()
    assert mask[0] == mask[2] == mask[5]
    assert mask[1] == mask[4]
    for position, key in enumerate(keys):
        assert holdout(pd.Series([key]), "auto", 0.5)[0] == mask[position]


def test_sides_depend_on_the_text_of_the_key_and_on_the_data_set():
    numbers = pd.Series(range(1000))
    assert (holdout(numbers, "auto", 0.2) == holdout(numbers.astype(str), "auto", 0.2)).all()
    assert (holdout(numbers, "auto", 0.2) != holdout(numbers, "flights", 0.2)).any()


def test_sides_are_pinned():
    """A change of the hash would let champions be judged on rows they were trained on."""
    assert np.flatnonzero(holdout(pd.Series(range(30)), "auto", 0.2)).tolist() == [1, 4, 17, 18, 21, 24]


def test_a_smaller_share_is_part_of_a_larger_one():
    keys = pd.Series(range(20_000))
    small, large = holdout(keys, "auto", 0.1), holdout(keys, "auto", 0.3)
    assert (large | ~small).all()
    assert abs(small.mean() - 0.1) < 0.01
    assert abs(large.mean() - 0.3) < 0.01


def test_a_million_rows_take_less_than_three_seconds():
    keys = pd.Series(range(1_000_000))
    started = time.process_time()
    holdout(keys, "auto", 0.2)
    assert time.process_time() - started < 3


def test_no_rows():
    assert holdout(pd.Series([], dtype="int64"), "auto", 0.2).shape == (0,)
