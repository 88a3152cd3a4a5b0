import pytest

from ml_platform.drafts.drafting import choose, has_event_time
from ml_platform.exceptions import ConfigurationError
from tests.ml_platform.drafts.support import profile_of

ROWS = range(60)
IDS = [f"k{i}" for i in ROWS]
HALF = [i % 2 for i in ROWS]
NUMBERS = [f"{i * 37 % 60}.5" for i in ROWS]
DAYS = [f"2026-01-{1 + i % 28:02d}" for i in ROWS]


def chosen(*, is_table=False, label=None, key=None, **columns):
    return choose(profile_of(**columns), is_table=is_table, label=label, key=key)


def test_key_label_and_leaks_of_a_data_set():
    choices = chosen(id=IDS, amount=[100 * half for half in HALF], x=[i * 7 % 13 for i in ROWS], target=HALF)
    assert (choices.key, choices.label, choices.times) == (("id",), "target", [])
    assert choices.leaks == {"amount": "1.00"}
    assert choices.notes == []


def test_a_feature_table_has_neither_label_nor_leaks():
    choices = chosen(is_table=True, id=IDS, x=HALF, target=HALF)
    assert (choices.labels, choices.leaks, choices.label) == ([], {}, None)


def test_a_data_set_may_have_no_key_and_a_feature_table_must_have_one():
    columns = {"a": [i % 3 for i in ROWS], "b": [i % 20 for i in ROWS], "y": HALF}
    assert chosen(**columns).key == ()
    with pytest.raises(ConfigurationError, match=r"made\.csv: no column identifies a row.*--key"):
        chosen(is_table=True, **columns)
    assert chosen(is_table=True, key=["a", "b"], **columns).key == ("a", "b")


def test_a_time_series_has_a_time_and_no_key():
    hours = [f"2026-01-{1 + i // 24:02d} {i % 24:02d}:00" for i in ROWS]
    choices = chosen(hour=hours, x=HALF, target=NUMBERS)
    assert (choices.key, choices.times, choices.label) == ((), ["hour"], "target")


def test_a_given_label_is_no_key():
    choices = chosen(label="code", row_id=IDS, code=[100 + i * 31 % 60 for i in ROWS], x=HALF)
    assert (choices.key, choices.label, choices.labels[0].kind) == (("row_id",), "code", "number")


def test_of_several_plausible_labels_a_person_must_choose():
    with pytest.raises(
        ConfigurationError, match=r"2 columns could be the label; nothing is written(.|\n)*--label price"
    ):
        chosen(sales=NUMBERS, price=NUMBERS[::-1], abroad=["Yes", "No"] * 30)
    assert chosen(label="price", sales=NUMBERS, price=NUMBERS[::-1], abroad=["Yes", "No"] * 30).label == "price"


def test_columns_that_the_label_is_made_of_are_noted():
    one, two = ([int(i % step == 1) for i in ROWS] for step in (7, 11))
    failed = [int(a or b) for a, b in zip(one, two, strict=True)]
    choices = chosen(id=IDS, x=NUMBERS, failure=failed, heat=one, wear=two)
    assert choices.label == "failure"
    assert "leaks: failure is made of heat, wear: are they known only with it?" in choices.notes


def test_other_candidates_follow_the_label_if_anything_speaks_for_them():
    choices = chosen(id=IDS, size=HALF, colour=["r", "r", "g", "b"] * 15, target=HALF)
    assert [label.column for label in choices.labels] == ["target", "size"]


def test_timestamps_are_ordered_by_name_and_gaps_and_a_birth_date_is_none():
    gaps = ["", *DAYS[1:]]
    choices = chosen(id=IDS, when=gaps, closed_at=DAYS, other=DAYS, created=DAYS, birth_date=DAYS, y=HALF)
    assert choices.times == ["created", "other", "closed_at", "when"]


def test_an_event_time_needs_a_value_in_every_row():
    for days, expected in ((DAYS, True), (["", *DAYS[1:]], False)):
        profile = profile_of(id=IDS, at=days, y=HALF)
        assert has_event_time(profile, choose(profile, is_table=False)) is expected
    profile = profile_of(id=IDS, y=HALF)
    assert not has_event_time(profile, choose(profile, is_table=False))
