import numpy as np
import pytest
from trainings import make_frame, make_training_set

from ml_platform.exceptions import DegenerateDataError
from ml_platform.holdout import holdout
from ml_platform.split import split


def test_both_sides_are_whole_and_apart():
    parts = split(make_training_set(), 3)
    (train, train_labels), (test, test_labels) = parts.train(), parts.test()
    assert len(train) + len(test) == 600
    assert not set(parts.keys[parts.held]) & set(parts.keys[~parts.held])
    assert list(train) == list(test) == ["age", "income", "member", "empty", "town", "blank"]
    assert (len(train_labels), len(test_labels)) == (len(train), len(test))


def positives(where, count):
    """Return a frame of 200 rows with some positives on one side and enough on the other."""
    frame = make_frame(200)
    held = holdout(frame["id"], "shop", 0.2)
    side = np.flatnonzero(held if where == "holdout" else ~held)
    frame["buys"] = np.arange(200) % 2
    frame.loc[side, "buys"] = 0
    frame.loc[side[:count], "buys"] = 1
    return frame


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (make_frame(0), "of 0 rows in the training rows, 0 are positive and 0 negative"),
        (make_frame(200).assign(buys=0), "0 are positive"),
        (make_frame(200).assign(buys=1), "and 0 negative"),
        (positives("train", 2), "training rows, 2 are positive"),
        (positives("holdout", 2), "hold-out, 2 are positive"),
        (make_frame(600).assign(id=3), "of 0 rows in the"),
    ],
    ids=["no rows", "only negative", "only positive", "two to train", "two to judge", "one entity"],
)
def test_degenerate_data_is_refused_with_its_numbers(frame, text):
    with pytest.raises(DegenerateDataError, match=text):
        split(make_training_set(frame=frame), 3)
