from dataclasses import replace

import pytest

from ml_platform.drafts.draft_text import draft_text, review_notes, scalar, shared_missing
from ml_platform.drafts.drafting import choose
from ml_platform.specs.catalog import parse_yaml
from tests.ml_platform.drafts.support import profile_of

ROWS = range(60)
IDS = [f"k{i}" for i in ROWS]
HALF = [i % 2 for i in ROWS]
NUMBERS = [i * 7 % 13 for i in ROWS]


def yaml_of(profile, *, is_table=False, **options):
    choices = choose(profile, is_table=is_table)
    return draft_text(profile, choices, name="made", entity="thing", **options)


def notes_of(profile, *, is_table=False):
    return review_notes(profile, choose(profile, is_table=is_table))


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
    profile = profile_of(store=[i // 10 for i in ROWS], week=[i % 10 for i in ROWS], x=["a", "b"] * 30, bad=HALF)
    assert parse_yaml(yaml_of(profile))["entity"]["key"] == ["week", "store"]


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
    assert any(note.startswith("leaks: amount (1.00) predict the label alone") for note in notes_of(profile))
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
    assert "event_time: at: is it the time when a prediction is needed?" in notes_of(complete)
    gaps = profile_of(id=IDS, at=[*days[:-1], ""], x=NUMBERS, y=HALF)
    assert parse_yaml(yaml_of(gaps))["event_time"] is None
    assert "event_time: none found; at have gaps; the time of the upload is used" in notes_of(gaps)


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


def test_max_bad_rows_is_written_only_if_given():
    profile = profile_of(id=IDS, x=NUMBERS, y=HALF)
    assert "max_bad_rows" not in parse_yaml(yaml_of(profile))
    assert parse_yaml(yaml_of(profile, max_bad_rows=0.18))["max_bad_rows"] == 0.18


def test_the_top_of_the_file_repeats_the_review_notes():
    profile = profile_of(id=IDS, x=NUMBERS, y=HALF)
    notes = notes_of(profile)
    text = yaml_of(profile)
    assert text.startswith("# yaml-language-server: $schema=schema.json\n# A draft of a data set, from 60 rows of")
    for note in notes:
        assert f"# - {note}\n" in text


def test_a_key_without_a_key_s_name_is_doubted():
    assert "entity.key: id" in notes_of(profile_of(id=IDS, x=NUMBERS, y=HALF))
    (note,) = [note for note in notes_of(profile_of(town=IDS, x=NUMBERS, y=HALF)) if note.startswith("entity.key")]
    assert note.startswith("entity.key: town; it is not named like a key")


def test_other_candidates_for_key_and_label_are_named():
    notes = notes_of(profile_of(id=IDS, code=IDS[::-1], a=["u", "v", "w"] * 20, target=HALF))
    assert "entity.key: id; also unique: code" in notes
    (label,) = [note for note in notes if note.startswith("label.column: target")]
    assert label.endswith('positive is guessed: "1"; other columns with few values: a')


def test_rejected_texts_cut_files_and_text_columns_are_noted():
    profile = profile_of(id=IDS, x=[*NUMBERS[1:], "old"], remark=[f"note {i}" for i in ROWS], y=HALF)
    notes = notes_of(replace(profile, is_cut=True))
    assert "only the first 200,000 rows were read" in notes
    assert any(note.startswith("columns.x: 1 rows would be rejected") and '"old"' in note for note in notes)
    assert "not used as features, because they look like ids or free text: remark" in notes
