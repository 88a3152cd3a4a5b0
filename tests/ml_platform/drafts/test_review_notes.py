from dataclasses import replace

from ml_platform.drafts.drafting import choose
from ml_platform.drafts.review_notes import constant_columns, kept_columns, review_notes, too_many_rejected
from tests.ml_platform.drafts.support import profile_of

ROWS = range(60)
IDS = [f"k{i}" for i in ROWS]
HALF = [i % 2 for i in ROWS]
NUMBERS = [i * 7 % 13 for i in ROWS]
DAYS = [f"2026-01-{1 + i % 28:02d}T{i % 24:02d}:00:00Z" for i in ROWS]


def notes_of(profile, **options):
    return review_notes(profile, choose(profile, is_table=False, **options))


def test_a_key_without_a_key_s_name_is_doubted():
    assert "entity.key: id" in notes_of(profile_of(id=IDS, x=NUMBERS, y=HALF))
    (note,) = [note for note in notes_of(profile_of(town=IDS, x=NUMBERS, y=HALF)) if note.startswith("entity.key")]
    assert note.startswith("entity.key: town; it is not named like a key")


def test_without_a_key_it_is_said_how_to_name_one():
    (note,) = [note for note in notes_of(profile_of(a=NUMBERS, y=HALF)) if note.startswith("entity")]
    assert note.startswith("entity: no column identifies a row")
    assert note.endswith("name it: entity: {name: customer, key: customer_id}")


def test_the_label_has_its_evidence_and_other_candidates_are_named():
    notes = notes_of(profile_of(id=IDS, code=IDS[::-1], a=HALF, b=["u", "u", "v", "w"] * 15, target=HALF))
    assert "entity.key: id; also unique, and therefore no features: code" in notes
    (label,) = [note for note in notes if note.startswith("label.column")]
    assert label == (
        'label.column: target (2 classes, "0" 50.0%, "1" 50.0%; its name is typical of a label; the last column; '
        'two values); positive is guessed: "1"; others: a'
    )


def test_a_label_that_is_a_number_has_no_positive_value():
    notes = notes_of(profile_of(id=IDS, a=IDS, price=[f"{i}.5" for i in ROWS]))
    (label,) = [note for note in notes if note.startswith("label.column")]
    assert label.startswith('label.column: price (a number, 60 different values, "0.5" … "59.5"; its name')
    assert "positive" not in label


def test_leaks_are_named_with_their_scores_and_parts_without():
    notes = notes_of(profile_of(id=IDS, x=NUMBERS, amount=[100 * half for half in HALF], y=HALF))
    assert any(note.startswith("leaks: amount (1.00) predict the label alone") for note in notes)
    one, two = ([int(i % step == 1) for i in ROWS] for step in (7, 11))
    failed = [int(a or b) for a, b in zip(one, two, strict=True)]
    notes = notes_of(profile_of(id=IDS, x=NUMBERS, failure=failed, heat=one, wear=two))
    assert [note for note in notes if note.startswith("leaks")] == [
        "leaks: failure is made of heat, wear: are they known only with it?"
    ]


def test_the_event_time_is_questioned():
    assert "event_time: at: is it the time when a prediction is needed?" in notes_of(
        profile_of(id=IDS, at=DAYS, x=NUMBERS, y=HALF)
    )
    gaps = profile_of(id=IDS, at=[*DAYS[:-1], ""], x=NUMBERS, y=HALF)
    assert "event_time: none found; at have gaps; the time of the upload is used" in notes_of(gaps)


def test_rejected_texts_gaps_of_the_label_cut_files_and_text_columns_are_noted():
    profile = profile_of(id=IDS, x=[*NUMBERS[1:], "old"], remark=[f"note {i}" for i in ROWS], y=["", *HALF[1:]])
    notes = notes_of(replace(profile, is_cut=True))
    assert "only the first 60 rows were read" in notes
    assert any(note.startswith("columns.x: 1 rows would be rejected") and '"old"' in note for note in notes)
    assert "columns.y: 1 rows would be rejected: they have no label" in notes
    assert "not used as features, because they look like ids or free text: remark" in notes


def test_a_file_with_too_many_bad_rows_is_explained_by_columns_and_values():
    profile = profile_of(id=IDS, x=[*NUMBERS[1:], "old"], y=[*[""] * 9, *HALF[9:]])
    choices = choose(profile, is_table=False)
    text = too_many_rejected(profile, choices, rows=10, most=0.05)
    assert text.startswith("THE FILE WOULD BE REJECTED: 10 rows are bad, which is more than `max_bad_rows` allows (5%)")
    assert 'x is no integer in 1 rows ("old", …); y, the label, has no value in 9 rows' in text


def test_constant_columns_are_not_kept_unless_they_are_needed():
    profile = profile_of(id=IDS, unit=["kg"] * 60, x=NUMBERS, y=HALF)
    choices = choose(profile, is_table=False)
    assert constant_columns(profile, choices) == ["unit"]
    assert kept_columns(profile, choices) == ["id", "x", "y"]
