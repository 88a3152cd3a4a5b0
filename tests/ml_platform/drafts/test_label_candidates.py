import pytest

from ml_platform.drafts.label_candidates import given_label, label_candidates, plausible_labels, question
from ml_platform.exceptions import ConfigurationError
from tests.ml_platform.drafts.support import profile_of

ROWS = range(60)
IDS = [f"k{i}" for i in ROWS]
HALF = [i % 2 for i in ROWS]
THIRDS = ["u", "u", "v", "w"] * 15
NUMBERS = [f"{i * 37 % 60}.5" for i in ROWS]


def plausible(*, others=(), **columns):
    return [one.column for one in plausible_labels(label_candidates(profile_of(**columns), others))]


@pytest.mark.parametrize("name", ["target", "is_churn", "Class", "TARGET_FLAG"])
def test_a_column_named_like_a_label_is_chosen_wherever_it_is(name):
    assert plausible(a=HALF, **{name: HALF}, z=THIRDS) == [name]


@pytest.mark.parametrize("name", ["price", "target", "mpg"])
def test_a_number_that_is_named_like_one_to_predict_is_chosen(name):
    columns = {"a": THIRDS, name: NUMBERS, "b": NUMBERS[::-1], "z": IDS}
    candidates = label_candidates(profile_of(**columns))
    assert [(one.column, one.kind) for one in plausible_labels(candidates)] == [(name, "number")]


def test_the_last_place_alone_makes_no_number_the_label():
    assert plausible(a=THIRDS, b=NUMBERS[::-1], SalePrice=NUMBERS) == ["SalePrice"]
    assert plausible(a=THIRDS, SalePrice=NUMBERS, b=NUMBERS[::-1]) == ["SalePrice"]
    assert plausible(a=NUMBERS, b=NUMBERS[::-1]) == ["a", "b"]


def test_the_only_number_of_many_values_is_the_label_if_it_is_the_first_or_the_last():
    few = [i % 7 for i in ROWS]
    assert plausible(length=NUMBERS, diet=THIRDS, dose=few) == ["length"]
    assert plausible(diet=THIRDS, dose=few, length=NUMBERS) == ["length"]
    assert plausible(age=NUMBERS, diet=THIRDS, length=NUMBERS[::-1]) == ["length"], "a usual input is not counted"
    assert len(plausible(supplement=few, length=NUMBERS, dose=few)) > 1, "in the middle"
    assert len(plausible(length=NUMBERS, width=NUMBERS[::-1], dose=few)) > 1, "one of two"
    assert plausible(balance=NUMBERS, dose=few, target=HALF) == ["target"], "only where its name says nothing"


def test_a_count_that_is_often_zero_is_the_label_if_it_is_the_first_or_the_last():
    counts = [max(0, i * 7 % 31 - 9) for i in ROWS]
    others = {"length": NUMBERS, "mentor": NUMBERS[::-1]}
    assert plausible(articles=counts, **others) == ["articles"]
    assert plausible(**others, articles=counts) == ["articles"]
    assert len(plausible(length=NUMBERS, articles=counts, mentor=NUMBERS[::-1])) > 1, "in the middle"
    assert len(plausible(articles=[count + 1 for count in counts], **others)) > 1, "never zero"
    assert len(plausible(articles=[count - 1 for count in counts], **others)) > 1, "below zero"


def test_a_class_whose_values_are_outcomes_is_the_label():
    fates = ["isolated", "Released", "Deceased"] * 20
    (label,) = plausible_labels(label_candidates(profile_of(a=THIRDS, fate=fates, b=NUMBERS, c=NUMBERS)))
    assert (label.column, label.reasons) == ("fate", ("some of its values are outcomes",))


def test_the_first_column_is_the_first_of_the_file_apart_from_the_key_and_columns_of_one_value():
    columns = {"one": [1] * 60, "name": [f"a long name of a town, {i}" for i in ROWS], "b": HALF, "c": THIRDS}
    reasons = {one.column: one.reasons for one in label_candidates(profile_of(**columns), ["name"])}
    assert reasons["b"] == ("the first column", "two values")
    reasons = {one.column: one.reasons for one in label_candidates(profile_of(**columns))}
    assert reasons["b"] == ("two values",)


def test_of_two_numbers_with_such_names_the_place_does_not_decide():
    assert plausible(a=THIRDS, sales=NUMBERS, profit=NUMBERS[::-1]) == ["profit", "sales"]


def test_without_such_a_name_the_last_column_of_two_values_is_chosen():
    assert plausible(a=THIRDS, b=NUMBERS, c=HALF) == ["c"]


def test_a_rare_flag_is_not_preferred():
    rare = [int(i in (7, 8)) for i in ROWS]
    assert plausible(a=rare, failure=HALF, c=rare) == ["failure"]


def test_a_flag_that_is_made_of_others_is_chosen_and_the_evidence_says_so():
    one, two = ([int(i % step == 1) for i in ROWS] for step in (7, 11))
    broken = [int(a or b) for a, b in zip(one, two, strict=True)]
    profile = profile_of(x=NUMBERS, broken=broken, heat=one, wear=two, luck=[int(i in (7, 9)) for i in ROWS])
    (label,) = plausible_labels(label_candidates(profile))
    assert label.column == "broken"
    assert "it is set where any of heat, wear is set" in label.reasons


def test_the_sum_of_two_numbers_is_evidence_too():
    a, b = [i * 7 % 13 for i in ROWS], [i * 5 % 17 for i in ROWS]
    candidates = label_candidates(profile_of(a=a, b=b, bikers=[x + y for x, y in zip(a, b, strict=True)]))
    assert candidates[0].column == "bikers"
    assert "it is the sum of a and b" in candidates[0].reasons


def test_several_plausible_labels_are_a_question_with_the_evidence():
    profile = profile_of(size=NUMBERS, sales=NUMBERS[::-1], price=NUMBERS, purchase_kind=["Yes", "No"] * 30)
    labels = plausible_labels(label_candidates(profile))
    assert [label.column for label in labels] == ["purchase_kind", "sales", "price"]
    text = question(profile, labels)
    assert text.startswith("made.csv: 3 columns could be the label; nothing is written. Say which one it is:\n")
    assert '  --label sales          a number, 60 different values, "0.5" … "59.5"; its name is one that is' in text
    assert '  --label purchase_kind  2 classes, "Yes" 50.0%, "No" 50.0%; its name contains a word that is typ' in text


def test_a_question_lists_a_limited_number_of_labels():
    profile = profile_of(**{f"flag_{i}": HALF for i in range(12)})
    assert question(profile, label_candidates(profile)).endswith("\n  and 4 more")


def test_if_nothing_speaks_for_a_label_all_that_could_be_are_a_question():
    columns = {"age": NUMBERS, "x1": NUMBERS[::-1], "x2": [f"{i}.25" for i in ROWS], "year": [*ROWS]}
    assert plausible(**columns) == ["x1", "x2", "age", "year"]


def test_the_only_column_that_can_be_the_label_is_chosen():
    (label,) = plausible_labels(label_candidates(profile_of(id=IDS, a=HALF), ["id"]))
    assert (label.column, label.reasons[-1]) == ("a", "the only column that can be one")


@pytest.mark.parametrize("name", ["year", "age", "latitude", "dep_time", "town_id", "1"])
def test_periods_and_usual_inputs_are_unlikely_labels(name):
    assert plausible(a=HALF, b=NUMBERS, **{name: NUMBERS}) == ["a"]


def test_several_columns_of_the_same_words_are_no_labels_by_their_name():
    flags = {f"type{i}": [int(i == k % 3) for k in ROWS] for i in range(3)}
    assert plausible(died=HALF, **flags) == ["died"]


def test_coordinates_are_no_labels():
    columns = {"cut": THIRDS, "x": NUMBERS, "y": NUMBERS, "z": NUMBERS, "price": NUMBERS}
    assert plausible(**columns) == ["price"]
    assert plausible(cut=THIRDS, x=NUMBERS, y=NUMBERS) == ["y"]


def test_a_data_set_named_after_a_column_predicts_it():
    profile = profile_of(a=THIRDS, sick=HALF, b=NUMBERS, z=THIRDS)
    (label,) = plausible_labels(label_candidates(profile, title="sickness, who is sick"))
    assert (label.column, label.reasons) == ("sick", ("two values", "the data set is named after it"))
    assert [one.column for one in plausible_labels(label_candidates(profile))] == ["z"]


def test_factors_of_an_experiment_are_no_likely_labels():
    assert plausible(sown=HALF, grown=NUMBERS, sun=["u", "v", "w"] * 20) == ["grown", "sown", "sun"]
    assert plausible(sown=HALF, yield_=NUMBERS, sun=["u", "v", "w"] * 20) == ["yield_"]


def test_of_a_flag_and_the_number_that_it_cuts_a_person_chooses():
    low = [int(float(number) < 20) for number in NUMBERS]
    assert plausible(a=THIRDS, low=low, b=NUMBERS[::-1], weight=NUMBERS) == ["low", "weight"]


def test_an_estimate_is_not_the_label_but_what_it_estimates_is():
    assert plausible(a=THIRDS, perfx=NUMBERS, estperfx=NUMBERS[::-1]) == ["perfx"]


def test_one_of_a_series_is_no_likely_label_whatever_its_place():
    flags = {f"health{letter}": [*HALF[i:], *HALF[:i]] for i, letter in enumerate("gfp")}
    assert plausible(a=HALF, **flags) == ["a"]


def test_a_column_with_gaps_is_a_less_likely_label():
    assert plausible(a=THIRDS, b=HALF, c=HALF) == ["c"]
    assert plausible(a=HALF, b=THIRDS, c=["", *HALF[1:]]) == ["a"]
    assert plausible(a=HALF, salary=["", *NUMBERS[1:]], c=HALF) == ["salary"], "its name is clear"
    assert plausible(a=HALF, b=NUMBERS, c_type=["", *THIRDS[1:]]) == ["a"], "its name says little"


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (HALF, "classes"),
        (THIRDS, "classes"),
        ([i % 10 for i in ROWS], "classes"),
        ([i % 11 for i in ROWS], "number"),
        ([2, *HALF[1:]], "number"),  # a class of one row could not be learned
        (NUMBERS, "number"),
        ([f"${i},000" for i in ROWS], "number"),
        (["yes", "no"] * 30, "classes"),
    ],
    ids=["two", "three", "ten", "eleven", "rare", "decimals", "money", "boolean"],
)
def test_whole_numbers_with_few_values_are_classes_and_other_numbers_are_numbers(cells, kind):
    assert given_label(profile_of(id=IDS, y=cells), "y").kind == kind


@pytest.mark.parametrize("cells", [[1] * 60, IDS, ["a", *["b"] * 59]], ids=["constant", "ids", "a class of one row"])
def test_a_column_that_cannot_be_the_label(cells):
    profile = profile_of(y=cells)
    with pytest.raises(ConfigurationError, match=r"no column can be the label.*--table"):
        label_candidates(profile)
    with pytest.raises(ConfigurationError, match=r"--label 'y' is neither .*; allowed: \(none\)"):
        given_label(profile, "y")


def test_a_given_label_is_found_by_its_name_or_its_header():
    profile = profile_of(id=IDS, b=THIRDS, target=HALF)
    assert given_label(profile, "b").column == "b"
    with pytest.raises(ConfigurationError, match=r"--label 'none' .*2 to 20 .*allowed: b, target"):
        given_label(profile, "none")
