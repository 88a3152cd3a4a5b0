import numpy as np
import pytest

from ml_platform.drafts.column_relations import cut_numbers, design_factors, estimated_columns, numbers_of, series
from tests.ml_platform.drafts.support import profile_of

ROWS = range(60)
WAITED = [i * 37 % 60 for i in ROWS]
LATE = [int(minutes > 40) for minutes in WAITED]


def test_crossed_balanced_columns_are_factors_of_an_experiment():
    half, thirds = [i % 2 for i in ROWS], ["u", "v", "w"] * 20
    assert design_factors(profile_of(half=half, thirds=thirds, grown=WAITED)) == {"half", "thirds"}


@pytest.mark.parametrize(
    "columns",
    [
        {"species": ["a"] * 30 + ["b"] * 30, "late": LATE},
        {"one": [i % 2 for i in ROWS], "copy": [i % 2 for i in ROWS]},
        {"half": [i % 2 for i in ROWS], "gaps": ["", *["v", "w", "u"] * 19, "v", "w"]},
        {"half": [i % 2 for i in ROWS], "number": [f"{i % 3}.5" for i in ROWS]},
        {"half": [i % 2 for i in ROWS], "id": [*ROWS]},
    ],
    ids=["one is balanced", "not crossed", "gaps", "a number", "each value once"],
)
def test_columns_that_are_no_factors(columns):
    assert design_factors(profile_of(**columns)) == set()


def test_a_flag_and_the_number_that_it_cuts_are_a_pair():
    words = ["yes" if late else "no" for late in LATE]
    assert cut_numbers(profile_of(late=LATE, waited=WAITED)) == {"late": "waited", "waited": "late"}
    assert cut_numbers(profile_of(late=words, waited=WAITED)) == {"late": "waited", "waited": "late"}


@pytest.mark.parametrize(
    "columns",
    [
        {"late": [*LATE[1:], LATE[0]], "waited": WAITED},
        {"waits": [int(minutes > 0) for minutes in WAITED], "waited": WAITED},
        {"adult": LATE, "age": WAITED},
        {"recent": LATE, "year": WAITED},
        {"second": [int(i > 30) for i in ROWS], "number": [*ROWS]},
        {"late": LATE, "waited": ["", *WAITED[1:]]},
        {"late": LATE[:15], "waited": WAITED[:15]},
        {"late": LATE, "waited": [minutes // 10 for minutes in WAITED]},
        {"waited": WAITED},
    ],
    ids=[
        "unrelated",
        "whether it is the least",
        "an input",
        "a period",
        "sorted",
        "gaps",
        "too short",
        "classes",
        "no flag",
    ],
)
def test_columns_that_are_no_such_pair(columns):
    assert cut_numbers(profile_of(**columns)) == {}


def test_a_flag_that_is_set_only_after_the_first_rows_cuts_as_well():
    rows = range(3000)
    number = [i * 37 % 1000 if i < 2000 else 2000 + i * 37 % 900 for i in rows]
    assert set(cut_numbers(profile_of(late=[int(n >= 2000) for n in number], n=number))) == {"late", "n"}


@pytest.mark.parametrize("estimate", ["estperf", "est_perf", "Predicted perf", "perfForecast", "perfest"])
def test_an_estimate_names_what_it_estimates(estimate):
    is_named_so = not estimate.startswith("perf")  # a prefix only: perfest could be a word of its own
    assert estimated_columns([estimate, "perf", "n"]) == ({"perf": estimate} if is_named_so else {})


def test_columns_that_differ_in_a_number_or_the_last_letter_are_a_series():
    assert series(["type1", "type_2", "died"]) == {"type1", "type_2"}
    assert series(["healthg", "healthf", "healthp", "died"]) == {"healthg", "healthf", "healthp"}
    assert series(["wages", "waged", "bmi", "bma", "bmo"]) == set(), "only two, or too short"


def test_numbers_have_the_decimal_sign_of_the_column():
    profile = profile_of(n=["1,5", "2,5"] * 15)
    np.testing.assert_array_equal(numbers_of(profile, "n"), [1.5, 2.5] * 15)
