import pytest

from ml_platform.drafts.drafting import choose, has_event_time, is_key_like, likely_positive, words
from ml_platform.drafts.guessing import guess_column
from ml_platform.exceptions import ConfigurationError
from tests.ml_platform.drafts.support import profile_of

ROWS = range(60)
IDS = [f"k{i}" for i in ROWS]
HALF = [i % 2 for i in ROWS]
DAYS = [f"2026-01-{1 + i % 28:02d}" for i in ROWS]


def chosen(*, is_table=False, label=None, **columns):
    return choose(profile_of(**columns), is_table=is_table, label=label)


@pytest.mark.parametrize("name", ["customerID", "CUSTOMER_ID", "customer id", "Customer-Id 7"])
def test_the_words_of_a_name(name):
    assert words(name) == ["customer", "id"]


def test_names_of_keys():
    assert all(map(is_key_like, ("customer_id", "userid", "Kundennr", "INDEX")))
    assert not any(map(is_key_like, ("town", "paid_at")))


@pytest.mark.parametrize(
    ("cells", "positive"),
    [
        (["yes", "no", "yes"], "yes"),
        (["1", "0", "1"], "1"),
        (["gold", "basic", "basic"], "gold"),  # the rarer one
        (["true", "yes", "yes"], "true"),  # both mean yes: the rarer one
    ],
)
def test_the_positive_class_means_yes_or_is_the_rarer_one(cells, positive):
    assert likely_positive(guess_column("y", cells)) == positive


def test_a_unique_column_named_like_a_key_comes_first():
    choices = chosen(serial=IDS[::-1], x=["a", "b"] * 30, customer_id=IDS, y=HALF)
    assert choices.keys == [("customer_id",), ("serial",)]
    assert choices.notes == []


def test_a_unique_column_is_the_key_if_none_is_named_like_one():
    assert chosen(x=["a", "b"] * 30, town=IDS, y=HALF).keys[0] == ("town",)


def test_a_pair_of_columns_can_be_the_key():
    choices = chosen(store=[i // 10 for i in ROWS], week=[i % 10 for i in ROWS], x=["a", "b", "c"] * 20, y=HALF)
    assert choices.keys[0] == ("week", "store")


def test_an_entity_with_several_rows_has_a_key_that_is_unique_with_the_time():
    days = [f"2026-01-{1 + i // 2:02d}" for i in ROWS]
    choices = chosen(customer_id=[i % 2 + 1 for i in ROWS], day=days, x=["a", "b", "c"] * 20, y=["u", "v"] * 30)
    assert choices.keys[0] == ("customer_id",)
    assert choices.notes == ["the key is unique only together with day: an entity has several rows"]


def test_without_a_unique_key_the_best_one_is_chosen_and_its_duplicates_counted():
    choices = chosen(a=[i % 3 for i in ROWS], b=[i % 5 for i in ROWS], y=HALF)
    assert choices.keys == [("b", "a")]
    assert choices.notes[0].startswith("NO KEY FOUND: 45 rows repeat the key of another")


def test_neither_the_label_nor_a_column_with_gaps_is_a_key():
    with pytest.raises(ConfigurationError, match=r"made\.csv: no column can be the key: none of type .*integer"):
        chosen(x=[f"{i}.5" for i in ROWS], code=["", *IDS[1:]], y=HALF)


@pytest.mark.parametrize("name", ["target", "is_churn", "Class"])
def test_a_column_named_like_a_label_comes_first(name):
    columns = {"id": IDS, "a": HALF, name: ["u", "v", "w"] * 20, "z": HALF}
    assert chosen(**columns).labels[0] == name


def test_without_such_a_name_the_last_column_of_two_values_comes_first():
    assert chosen(id=IDS, a=["u", "v", "w"] * 20, b=["u", "v"] * 30, c=HALF).labels == ["c", "b", "a"]


def test_a_label_column_with_gaps_comes_later():
    assert chosen(id=IDS, b=HALF, c=["", *HALF[1:]]).labels == ["b", "c"]


def test_a_given_label_is_used_by_its_name_or_its_header():
    assert chosen(label="b", id=IDS, b=["u", "v", "w"] * 20, target=HALF).labels == ["b"]
    for column in ("id", "none"):
        with pytest.raises(ConfigurationError, match=f"--label '{column}' .*2 to 20 .*allowed: b, target"):
            chosen(label=column, id=IDS, b=["u", "v", "w"] * 20, target=HALF)


@pytest.mark.parametrize(
    "cells",
    [
        [1] * 60,  # one value
        [i % 30 for i in ROWS],  # more than 20 values
        [1, *[0] * 59],  # a value in one row only
        [f"{i % 2}.5" for i in ROWS],  # decimals
    ],
)
def test_a_column_that_cannot_be_the_label(cells):
    with pytest.raises(ConfigurationError, match=r"no column can be the label.*--table"):
        chosen(id=IDS, y=cells)


def test_a_feature_table_has_neither_label_nor_leaks():
    choices = chosen(is_table=True, id=IDS, x=HALF, target=HALF)
    assert (choices.labels, choices.leaks) == ([], {})


def test_a_column_that_repeats_the_label_leaks_it_and_the_key_does_not():
    choices = chosen(id=IDS, amount=[100 * half for half in HALF], x=[i * 7 % 13 for i in ROWS], target=HALF)
    assert choices.leaks == {"amount": 1.0}


def test_texts_and_timestamps_can_leak_the_label_too():
    days = [f"2026-0{1 + half}-01" for half in HALF]
    choices = chosen(id=IDS, state=["done" if half else "open" for half in HALF], closed=days, target=HALF)
    assert set(choices.leaks) == {"state", "closed"}


def test_timestamps_are_ordered_by_name_and_gaps_and_a_birth_date_is_none():
    gaps = ["", *DAYS[1:]]
    choices = chosen(id=IDS, when=gaps, other=DAYS, created=DAYS, birth_date=DAYS, y=HALF)
    assert choices.times == ["created", "other", "when"]


def test_an_event_time_needs_a_value_in_every_row():
    for days, expected in ((DAYS, True), (["", *DAYS[1:]], False)):
        profile = profile_of(id=IDS, at=days, y=HALF)
        assert has_event_time(profile, choose(profile, is_table=False)) is expected
    profile = profile_of(id=IDS, y=HALF)
    assert not has_event_time(profile, choose(profile, is_table=False))
