import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.model_selection import StratifiedKFold

from ml_platform import RANDOM_STATE
from ml_platform.exceptions import DegenerateDataError
from ml_platform.parsing.row_ids import row_ids
from ml_platform.specs.holdout import holdout_by_entity
from ml_platform.training.split import MAX_GROUPS, split
from tests.ml_platform.keyless import without_key
from tests.ml_platform.training.trainings import (
    make_dataset,
    make_frame,
    make_training_set,
    make_weeks,
    make_weeks_frame,
)


def weeks(frame=None, **gate):
    dataset = make_weeks()
    if gate:
        dataset = dataset.model_validate(dataset.model_dump() | {"gate": gate})
    return make_training_set(dataset, make_weeks_frame() if frame is None else frame)


def test_both_sides_are_whole_and_apart():
    parts = split(make_training_set(), 3)
    (train, train_labels), (test, test_labels) = parts.train(), parts.test()
    assert len(train) + len(test) == 600
    assert not set(parts.ids[parts.in_holdout]) & set(parts.ids[~parts.in_holdout])
    assert list(train) == list(test) == ["age", "income", "member", "empty", "town", "blank"]
    assert (len(train_labels), len(test_labels)) == (len(train), len(test))


def test_by_time_the_latest_rows_are_held_out():
    parts = split(weeks(), 3)
    assert parts.times[~parts.in_holdout].max() < parts.rule.start == parts.times[parts.in_holdout].min()
    assert 0.2 <= parts.in_holdout.mean() < 0.22
    assert list(parts.features) == ["heat", "rain", "town"]


def test_an_entity_of_several_key_columns_is_on_one_side():
    parts = split(weeks(holdout_by="entity", holdout=0.4), 3)
    assert parts.rule.by == "entity"
    assert parts.ids.nunique() == 21
    assert not set(parts.ids[parts.in_holdout]) & set(parts.ids[~parts.in_holdout])


def test_folds_of_single_rows_are_stratified_as_ever():
    parts = split(make_training_set(), 3)
    features, labels = parts.train()
    expected = StratifiedKFold(3, shuffle=True, random_state=RANDOM_STATE).split(features, labels)
    for (fitted, scored), (fitted_expected, scored_expected) in zip(parts.folds(3), expected, strict=True):
        assert (fitted == fitted_expected).all()
        assert (scored == scored_expected).all()


@pytest.mark.parametrize("by", ["time", "entity"])
def test_rows_of_one_day_or_of_one_entity_are_on_one_side_of_each_fold(by):
    parts = split(weeks(holdout_by=by), 3)
    units = (parts.times.dt.floor("D") if by == "time" else parts.ids)[~parts.in_holdout]
    scored = []
    for fitted, held in parts.folds(3):
        assert not set(units.iloc[fitted]) & set(units.iloc[held])
        scored += list(held)
    assert sorted(scored) == list(range(len(units)))


def test_very_many_entities_are_kept_together_in_time():
    frame = pd.concat([make_frame(5 * MAX_GROUPS)] * 2, ignore_index=True)
    parts = split(make_training_set(frame=frame), 3)
    ids = parts.ids[~parts.in_holdout]
    for fitted, held in parts.folds(3):
        assert not set(ids.iloc[fitted]) & set(ids.iloc[held])


def test_folds_that_lack_a_class_are_refused():
    frame = make_weeks_frame()
    first_day = frame["event_timestamp"] <= frame["event_timestamp"].iloc[5]
    late = frame["event_timestamp"] > frame["event_timestamp"].iloc[470]
    with_rare = frame.assign(sales=np.where(first_day, 2, np.where(late, frame["sales"], frame["sales"] % 2)))
    with pytest.raises(
        DegenerateDataError, match=r"one of 3 folds has no row of class 'good', because all rows of one day"
    ):
        split(weeks(with_rare), 3).folds(3)


def test_fewer_days_than_folds_are_refused():
    with pytest.raises(
        DegenerateDataError, match=r"weeks: 3 folds cannot be made: .* greater than the number of groups"
    ):
        split(weeks(make_weeks_frame(days=3)), 3).folds(3)


def positives(where, count):
    """Return a frame of 200 rows with some positives on one side and enough on the other."""
    frame = make_frame(200)
    held = holdout_by_entity(frame["id"], "shop", 0.2)
    side = np.flatnonzero(held if where == "holdout" else ~held)
    frame["buys"] = np.arange(200) % 2
    frame.loc[side, "buys"] = 0
    frame.loc[side[:count], "buys"] = 1
    return frame


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (make_frame(0), "too few training rows .* of 0 rows 0 are '0', 0 are '1'"),
        (make_frame(200).assign(buys=0), "0 are '1'"),
        (make_frame(200).assign(buys=1), "0 are '0'"),
        (positives("train", 2), r"few training rows .* rows 1\d\d are '0', 2 are '1' \(training set: 200 rows\)"),
        (positives("holdout", 2), r"few rows of the hold-out .* rows \d\d are '0', 2 are '1'"),
        (make_frame(600).assign(id=3), "of 0 "),
    ],
    ids=["no rows", "only negative", "only positive", "two to train", "two to evaluate", "one entity"],
)
def test_degenerate_data_is_refused_with_its_numbers(frame, text):
    with pytest.raises(DegenerateDataError, match=text):
        split(make_training_set(make_dataset(), frame), 3)


def same(**cells):
    """Return a frame whose rows have the same features, missing if not given."""
    names = ("age", "income", "member", "empty", "town", "blank")
    return make_frame().assign(**dict.fromkeys(names, np.nan) | cells)


@pytest.mark.parametrize("cells", [{}, {"age": 40.0, "town": "Ulm"}], ids=["nothing but missing", "one value each"])
def test_features_that_tell_no_rows_apart_are_refused(cells):
    text = r"shop: no feature varies among 4\d\d training rows; .*: age, income, member, empty, town, blank; load rows"
    with pytest.raises(DegenerateDataError, match=text):
        split(make_training_set(frame=same(**cells)), 3)


def test_features_of_more_classes_must_vary_too():
    with pytest.raises(DegenerateDataError, match="weeks: no feature varies"):
        split(weeks(make_weeks_frame().assign(heat=np.nan, rain=np.nan, town=np.nan)), 3)


def test_whether_a_value_is_there_tells_rows_apart():
    parts = split(make_training_set(frame=same(age=np.where(np.arange(600) % 2, 40.0, np.nan))), 3)
    assert parts.features["age"].nunique() == 1


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (make_weeks_frame(0), "0 are 'poor', 0 are 'fair', 0 are 'good'"),
        (make_weeks_frame().assign(sales=lambda frame: frame["sales"] % 2), "0 are 'good'"),
        (make_weeks_frame(days=1), "of 0 rows"),
    ],
    ids=["no rows", "a class without rows", "one moment"],
)
def test_every_class_must_be_on_both_sides(frame, text):
    with pytest.raises(DegenerateDataError, match=f"for 3 folds: 3 rows of each class are needed.*{text}"):
        split(weeks(frame), 3)


def keyless(frame):
    """Return a training set of rows without a key; each is there a second time as the row of another file."""
    columns = frame.drop(columns=["id", "event_timestamp", "buys"]).astype(object)
    arrays = {name: pa.array(columns[name].where(columns[name].notna(), None)) for name in columns}
    twice = [frame.assign(row_id=row_ids(file, range(1, len(frame) + 1), arrays).to_pylist()) for file in ("ab", "cd")]
    return make_training_set(without_key(make_dataset()), pd.concat(twice, ignore_index=True).drop(columns="id"))


def test_without_a_key_equal_rows_are_on_one_side_of_the_holdout_and_of_each_fold():
    parts = split(keyless(make_frame()), 3)
    sides = pd.Series(parts.in_holdout).groupby(parts.ids).agg(["nunique", "size"])
    assert (sides == (1, 2)).all().all()
    assert 0.15 < parts.in_holdout.mean() < 0.25
    units = parts.ids[~parts.in_holdout]
    for fitted, held in parts.folds(3):
        assert not set(units.iloc[fitted]) & set(units.iloc[held])


def test_without_a_key_a_row_stays_on_its_side_when_others_come():
    frame = make_frame()
    few, many = (split(keyless(frame.head(count)), 3) for count in (400, 600))
    side = dict(zip(many.ids, many.in_holdout, strict=True))
    assert [side[one] for one in few.ids] == few.in_holdout.tolist()


def test_folds_without_a_key_name_what_stays_together():
    held = holdout_by_entity(pd.Series(range(99)), "shop", 0.2)
    equal = {1: np.flatnonzero(held)[0], 2: np.flatnonzero(~held)[0]}  # on each side, the positives are one row
    digests = [equal.get(i % 3, 100 + i) for i in range(60)]
    ids = [f"file:{i}:{digest}" for i, digest in enumerate(digests, start=1)]
    frame = make_frame(60).assign(row_id=ids, buys=[int(i % 3 > 0) for i in range(60)]).drop(columns="id")
    parts = split(make_training_set(without_key(make_dataset()), frame), 2)
    with pytest.raises(DegenerateDataError, match="class '1', because all rows with the same features stay together"):
        parts.folds(2)
