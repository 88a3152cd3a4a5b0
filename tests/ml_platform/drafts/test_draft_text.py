import pytest

from ml_platform.drafts.draft_text import draft_text, scalar, shared_missing
from ml_platform.drafts.drafting import choose
from ml_platform.drafts.review_notes import review_notes
from ml_platform.specs.catalog import parse_yaml
from tests.ml_platform.drafts.support import profile_of

ROWS = range(60)
IDS = [f"k{i}" for i in ROWS]
HALF = [i % 2 for i in ROWS]
NUMBERS = [i * 7 % 13 for i in ROWS]


def yaml_of(profile, *, is_table=False, **options):
    choices = choose(profile, is_table=is_table)
    return draft_text(profile, choices, name="made", entity="thing", **options)


@pytest.mark.parametrize(
    "text", ["yes", "no", "true", "null", "~", "01", "1", "- a", "a: b", "a # b", "Ä", "😀", "[x", "\n"]
)
def test_a_scalar_is_parsed_back_to_the_same_text(text):
    assert parse_yaml(f"[{scalar(text)}]") == [text]


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [("1", "integer", "1"), ("-12", "integer", "-12"), ("01", "integer", '"01"'), ("1", "category", '"1"')],
)
def test_only_an_integer_of_an_integer_column_is_not_quoted(text, kind, expected):
    assert scalar(text, kind) == expected


def test_a_draft_is_yaml_with_all_choices():
    spec = parse_yaml(yaml_of(profile_of(id=IDS, x=NUMBERS, y=HALF)))
    assert spec["name"] == "made"
    assert spec["entity"] == {"name": "thing", "key": "id"}
    assert spec["label"] == {"column": "y", "positive": 1, "negative": 0}
    assert spec["event_time"] is None
    assert spec["columns"] == {"id": "text", "x": "integer", "y": "integer"}
    assert "kind" not in spec


def test_a_feature_table_has_a_kind_and_a_ttl_and_no_label():
    spec = parse_yaml(yaml_of(profile_of(id=IDS, x=NUMBERS), is_table=True))
    assert (spec["kind"], spec["ttl"]) == ("table", None)
    assert "label" not in spec


def test_a_key_of_two_columns_is_a_list():
    profile = profile_of(order_id=[i // 10 for i in ROWS], line_no=[i % 10 for i in ROWS], x=["a", "b"] * 30, bad=HALF)
    assert parse_yaml(yaml_of(profile))["entity"]["key"] == ["order_id", "line_no"]


def test_rows_without_a_key_are_entities_of_their_own():
    text = yaml_of(profile_of(a=NUMBERS, x=["a", "b"] * 30, bad=HALF))
    assert parse_yaml(text)["entity"] == {"name": "thing"}
    assert "no key: each row is an entity of its own" in text


def test_another_unique_number_is_no_feature():
    spec = parse_yaml(yaml_of(profile_of(id=IDS, serial=[100 + i for i in ROWS], x=NUMBERS, y=HALF)))
    assert spec["entity"]["key"] == "id"
    assert spec["columns"]["serial"] == "text"


def test_a_label_that_is_a_number_has_a_kind():
    spec = parse_yaml(yaml_of(profile_of(id=IDS, x=NUMBERS, price=[f"{i}.5" for i in ROWS])))
    assert spec["label"] == {"column": "price", "kind": "number"}
    assert spec["columns"]["price"] == "number"


def test_a_label_of_few_whole_numbers_says_how_it_would_be_a_number():
    text = yaml_of(profile_of(id=IDS, x=IDS, quality=[3 + i % 5 for i in ROWS]))
    assert parse_yaml(text)["label"] == {"column": "quality", "classes": [3, 4, 5, 6, 7]}
    assert "or, to predict it as a number: label: {column: quality, kind: number}" in text


def test_a_label_of_several_classes_lists_them_with_their_counts():
    text = yaml_of(profile_of(id=IDS, x=NUMBERS, label=["red", "green", "blue", "red", "red"] * 12))
    assert parse_yaml(text)["label"] == {"column": "label", "classes": ["red", "green", "blue"]}
    assert "- red" in text
    assert "# 36 rows" in text


def test_a_boolean_label_with_two_spellings_is_a_category_with_these_classes():
    spec = parse_yaml(yaml_of(profile_of(id=IDS, x=NUMBERS, label=["yes", "no", "no"] * 20)))
    assert spec["label"] == {"column": "label", "positive": "yes", "negative": "no"}
    assert spec["columns"]["label"] == "category"


def test_a_boolean_label_with_more_spellings_is_true_and_false():
    spec = parse_yaml(yaml_of(profile_of(id=IDS, x=NUMBERS, label=["yes", "no", "No"] * 20)))
    assert spec["label"] == {"column": "label", "positive": True, "negative": False}
    assert spec["columns"]["label"] == "boolean"


def test_a_suspected_leak_is_declared_if_a_feature_is_left():
    profile = profile_of(id=IDS, x=NUMBERS, amount=[100 * half for half in HALF], y=HALF)
    text = yaml_of(profile)
    assert parse_yaml(text)["leaks"] == ["amount"]
    alone = profile_of(id=IDS, amount=[100 * half for half in HALF], y=HALF)
    assert "leaks" not in parse_yaml(yaml_of(alone)), "no feature would be left"


def test_a_constant_column_is_ignored_unless_it_is_needed():
    spec = parse_yaml(yaml_of(profile_of(id=IDS, x=NUMBERS, unit=["kg"] * 60, y=HALF)))
    assert spec["ignore"] == ["unit"]
    assert "unit" not in spec["columns"]


def test_the_event_time_needs_a_value_in_every_row():
    days = [f"2026-01-{1 + i % 28:02d}T{i % 24:02d}:00:00Z" for i in ROWS]
    complete = profile_of(id=IDS, at=days, x=NUMBERS, y=HALF)
    spec = parse_yaml(yaml_of(complete))
    assert (spec["event_time"], spec["known_at"]) == ("at", "event_time")
    gaps = profile_of(id=IDS, at=[*days[:-1], ""], x=NUMBERS, y=HALF)
    assert parse_yaml(yaml_of(gaps))["event_time"] is None


def test_texts_of_missing_values_are_shared_only_between_columns_without_such_a_value():
    numbers = [str(number) for number in NUMBERS]
    profile = profile_of(id=IDS, a=["NA", *numbers[1:]], b=["?", "NA", *numbers[2:]], y=HALF)
    choices = choose(profile, is_table=False)
    assert shared_missing(profile, choices) == ["NA"]
    spec = parse_yaml(yaml_of(profile))
    assert spec["missing"] == ["NA"]
    assert spec["columns"]["b"] == {"type": "integer", "missing": ["?"]}
    assert spec["columns"]["a"] == "integer"


def test_the_options_of_a_column_are_declared():
    numbers = [f"{i},5" for i in ROWS]
    dates = [f"{1 + i % 28:02d}.01.2026" for i in ROWS]
    spec = parse_yaml(yaml_of(profile_of(id=IDS, x=numbers, day=dates, y=HALF)))
    assert spec["columns"]["x"] == {"type": "number", "decimal": ","}
    assert spec["columns"]["day"] == {"type": "timestamp", "format": "%d.%m.%Y"}


def test_the_top_of_the_file_repeats_the_review_notes():
    profile = profile_of(id=IDS, x=NUMBERS, y=HALF)
    notes = review_notes(profile, choose(profile, is_table=False))
    text = yaml_of(profile)
    assert text.startswith("# yaml-language-server: $schema=schema.json\n# A draft of a data set, from 60 rows of")
    for note in notes:
        assert f"# - {note}\n" in text


def test_warnings_come_before_the_notes():
    text = yaml_of(profile_of(id=IDS, x=NUMBERS, y=HALF), warnings=["THE FILE WOULD BE REJECTED"])
    assert text.splitlines()[2] == "# - THE FILE WOULD BE REJECTED"
    assert "max_bad_rows" not in parse_yaml(text)
