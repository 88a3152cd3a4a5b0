import pytest

from ml_platform.drafts.natural_keys import given_key, is_unique, key_notes, natural_keys
from ml_platform.exceptions import ConfigurationError
from tests.ml_platform.drafts.support import profile_of

ROWS = range(60)
IDS = [f"k{i}" for i in ROWS]
HALF = [i % 2 for i in ROWS]
DAYS = [f"2026-01-{1 + i // 2:02d}" for i in ROWS]
WEIGHTS = [1000 + (i * 7919) % 4001 for i in ROWS]  # whole, unique, and not counting up: a feature


def keys_of(*, time=None, others=(), **columns):
    return natural_keys(profile_of(**columns), time, set(others))


def test_a_unique_column_named_like_a_key_comes_first():
    assert keys_of(serial=IDS[::-1], x=["a", "b"] * 30, customer_id=IDS) == [("serial",), ("customer_id",)]
    assert keys_of(tag=IDS[::-1], x=["a", "b"] * 30, customer_id=IDS) == [("customer_id",), ("tag",)]


@pytest.mark.parametrize(
    "columns",
    [
        {"row": [i + 1 for i in ROWS], "x": HALF},  # the first column counts up
        {"x": HALF, "tail": IDS},  # codes
        {"town": [f"{'abcdefgh'[i % 8]}{'xyz'[i % 3]} {'klmno'[i // 12]}ton{'p' * i}" for i in ROWS], "x": HALF},
    ],
    ids=["counting up", "codes", "names in the first column"],
)
def test_a_column_that_looks_like_an_identifier_is_a_key(columns):
    (name,) = [name for name in columns if name != "x"]
    assert keys_of(**columns) == [(name,)]


@pytest.mark.parametrize(
    "columns",
    [
        {"weight": WEIGHTS, "x": HALF},  # fnlwgt of the census
        {"x": HALF, "n": [*ROWS]},  # it counts up, but is not the first column
        {"year": [1 + i for i in ROWS], "x": HALF},
        {"x": [f"{i}.5" for i in ROWS], "y": HALF},
        {"review": [f"a long text about the product, and what I think of it, all in all, {i} stars" for i in ROWS]},
        {"a": [i % 6 for i in ROWS], "b": [i // 6 for i in ROWS]},  # unique together, and features
        {"store": [i // 10 for i in ROWS], "week": [i % 10 for i in ROWS]},
        {"customer_id": ["", *IDS[1:]], "x": HALF},
    ],
    ids=["weights", "not first", "years", "decimals", "sentences", "features", "store and week", "gaps"],
)
def test_features_are_no_key(columns):
    assert keys_of(**columns) == []


def test_numbers_that_rise_from_row_to_row_are_a_key_in_the_first_column_of_a_longer_file():
    rising = [10 + i + i // 7 for i in range(120)]
    flag = [i % 2 for i in range(120)]
    assert keys_of(seq=rising, x=flag) == [("seq",)]
    assert keys_of(x=flag, seq=rising) == []
    assert keys_of(seq=[*rising[60:], *rising[:60]], x=flag) == []
    assert keys_of(length=rising[:60], x=flag[:60]) == [], "sorted measurements"


def test_two_columns_are_a_key_only_if_both_are_named_like_one():
    order, line = [i // 10 for i in ROWS], [i % 10 for i in ROWS]
    assert keys_of(order_id=order, line_no=line, x=HALF) == [("order_id", "line_no")]
    assert keys_of(order_id=order, line=line, x=HALF) == []


def test_an_entity_that_is_seen_many_times_has_a_key_that_is_unique_with_the_time():
    customers = [i % 2 + 1 for i in ROWS]
    assert keys_of(time="day", customer_id=customers, day=DAYS, x=HALF) == [("customer_id",)]
    assert keys_of(time="day", symbol=["A", "B"] * 30, day=DAYS, x=[f"{i}.5" for i in ROWS]) == [("symbol",)]


def test_a_text_that_is_unique_with_the_time_by_chance_is_no_key():
    colours = [("red", "green", "blue", "black", "white")[i % 5] for i in ROWS]
    profile = profile_of(colour=colours, day=DAYS, x=HALF)
    assert is_unique(profile, ("colour", "day"))
    assert natural_keys(profile, "day", set()) == []


def test_a_time_series_needs_no_key():
    hours = [f"2026-01-{1 + i // 24:02d} {i % 24:02d}:00" for i in ROWS]
    assert keys_of(time="hour", hour=hours, kind=["a", "b"] * 30, x=HALF) == []


def test_the_label_is_no_key():
    assert keys_of(others=["code"], code=IDS, x=HALF) == []


def test_a_given_key_is_found_by_name_or_header():
    profile = profile_of(store=[i // 10 for i in ROWS], week=[i % 10 for i in ROWS], x=[f"{i}.5" for i in ROWS])
    assert given_key(profile, ["store", "week"]) == ("store", "week")
    for wrong in ("x", "shop"):
        with pytest.raises(ConfigurationError, match=f"--key '{wrong}' is not a column .*; allowed: store, week"):
            given_key(profile, ["store", wrong])


def test_what_a_person_should_know_about_a_key():
    store, week = [i // 10 for i in ROWS], [i % 10 for i in ROWS]
    profile = profile_of(store=store, week=week, day=[f"2026-01-{1 + w:02d}" for w in week], x=HALF)
    assert [*key_notes(profile, ("store", "week"), None)] == []
    assert [*key_notes(profile, ("store",), "day")] == [
        "the key is unique only together with day: an entity has several rows"
    ]
    assert [*key_notes(profile, ("store",), None)] == ["54 rows repeat the key of another row and are not loaded"]


def test_a_key_that_is_nearly_unique_is_named_where_there_is_none():
    profile = profile_of(order_id=["k1", "k1", *IDS[2:]], x=HALF)
    assert [*key_notes(profile, (), None)] == [
        'order_id is named like a key, but 1 rows repeat a value of it, such as "k1" in 2 rows'
    ]
