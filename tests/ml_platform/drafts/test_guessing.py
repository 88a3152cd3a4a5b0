import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_platform.drafts.guessing import FEW, MISFITS, guess_column, quoted
from ml_platform.specs.catalog import parse_yaml
from ml_platform.specs.parts import Column


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.from_regex(r"[-$0-9.,/: ]{1,12}")))
@settings(max_examples=200, deadline=None)
def test_any_texts_are_guessed_and_described_in_one_line(cells):
    guess = guess_column("x", cells)
    assert guess.rows == len(cells) == guess.present + guess.missing.total()
    assert len(guess.evidence().splitlines()) == 1
    assert guess.misfits.total() <= MISFITS * guess.present
    assert parse_yaml(f"{{x: y}} # {guess.evidence()}") == {"x": "y"}


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1", "2", ""], {"type": "integer"}),
        (["1.0", "2.0"], {"type": "integer"}),
        (["1", "2.5", "-"], {"type": "number", "missing": ("-",)}),
        (["1,5", "2,25"], {"type": "number", "decimal": ","}),
        ([*["23.0", "24.0"] * 99, "42.5"], {"type": "number"}),  # a rare half is no bad whole number
        ([*["23", "24"] * 99, "$1,000"], {"type": "money"}),
        (["$1,234", "$5"], {"type": "money"}),
        (["Yes", "no", "NO"], {"type": "boolean"}),
        (["0", "1"], {"type": "integer"}),
        (["2024-01-31T10:00:00Z"], {"type": "timestamp"}),
        (["31/01/2024 10:05", "01/02/2024 11:00"], {"type": "timestamp", "format": "%d/%m/%Y %H:%M"}),
        (["01/31/2024"], {"type": "timestamp", "format": "%m/%d/%Y"}),
        (["007", "12"], {"type": "category"}),
        (["red", "?", "blue"], {"type": "category", "missing": ("?",)}),
        (["red", "none"], {"type": "category"}),
        (["", ""], {"type": "category"}),
        ([f"word {i}" for i in range(50)], {"type": "text"}),
        (["a" * 100, "b"], {"type": "text"}),
        (["a" * 100, "b" * 70, "c", "d"] * 200, {"type": "category"}),  # long words that repeat
        (["Jan 1 2000", "Feb 1 2000"], {"type": "timestamp", "format": "%b %d %Y"}),
        (["1 January 2000"], {"type": "timestamp", "format": "%d %B %Y"}),
    ],
)
def test_the_most_specific_type_is_guessed(cells, expected):
    assert guess_column("x", cells).column == Column.model_validate(expected)


def test_eight_digits_are_a_date_only_if_the_header_says_so():
    assert guess_column("order_date", ["20240131", "20240201"]).column.format == "%Y%m%d"
    assert guess_column("amount", ["20240131", "20240201"]).column.type == "integer"


@pytest.mark.parametrize(
    ("cells", "note"),
    [
        (["01/02/2024", "03/04/2024"], "may be swapped: %d/%m/%Y"),
        (["1,234", "5,678"], "thousands or decimals"),
        (["2024-01-01"], "UTC is assumed"),
        (["NA", "DE"], "one of the categories"),
    ],
)
def test_an_ambiguous_reading_is_noted(cells, note):
    assert note in " ".join(guess_column("x", cells).notes)


def test_the_file_s_decimal_sign_decides_between_readings():
    cells = ["1.234", "5.678"]
    assert guess_column("x", cells).column == Column(type="number")
    assert guess_column("x", cells, decimal=",").column == Column(type="money", decimal=",")
    dates = ["01/02/2024", "03/04/2024"]
    assert guess_column("x", dates).column.format == "%m/%d/%Y"
    assert guess_column("x", dates, decimal=",").column.format == "%d/%m/%Y"


def test_a_type_fits_if_at_most_two_percent_of_the_values_are_invalid():
    numbers = [str(i) for i in range(98)]
    guess = guess_column("x", [*numbers, "old", "new"])
    assert guess.column.type == "integer"
    assert guess.misfits == {"old": 1, "new": 1}
    assert guess_column("x", [*numbers, "old", "new", "odd"]).column.type == "text"


@pytest.mark.parametrize("text", ["007", "+01", "1234567890123456789"])
def test_digits_that_a_number_would_change_stay_texts(text):
    assert guess_column("x", ["1", text]).column.type in ("category", "text")


def test_many_different_texts_are_no_categories_unless_they_repeat():
    texts = [f"town {i}" for i in range(FEW + 1)]
    assert guess_column("x", texts).column.type == "text"
    assert guess_column("x", texts[:FEW]).column.type == "category"
    assert guess_column("x", texts * 5).column.type == "category"


def test_cells_are_counted_as_values_missing_or_misfits():
    guess = guess_column("x", [*(str(i % 50) for i in range(100)), " 7 ", "", "n/a", "bad"])
    assert (guess.rows, guess.present) == (104, 102)
    assert guess.counts["7"] == 3, "blanks around a value do not count"
    assert guess.missing == {"": 1, "n/a": 1}
    assert guess.misfits == {"bad": 1}
    assert guess.column.missing == ("n/a",)


@pytest.mark.parametrize(
    ("cells", "is_unique", "is_constant"),
    [
        (["a", "b"], True, False),
        (["a", "a"], False, True),
        (["a", ""], False, False),  # an X for yes, and nothing for no
        (["", ""], False, True),
        (["a", "b", "b"], False, False),
    ],
)
def test_unique_and_constant_columns(cells, is_unique, is_constant):
    guess = guess_column("x", cells)
    assert (guess.is_unique, guess.is_constant) == (is_unique, is_constant)


@pytest.mark.parametrize(
    ("cells", "evidence"),
    [
        (["10", "9", "100"], '3 of 3 cells, "9" … "100"'),  # in the order of numbers
        (["b", "a", "b", ""], '3 of 3 cells, 1 missing, 2 different: "b", "a"'),
        (["a", "b", "c", "d"], '4 of 4 cells, 4 different: "a", "b", "c", …'),
        ([*map(str, range(98)), "old"], '98 of 99 cells, "0" … "97"; does not fit: "old"'),
        (["", ""], "0 of 0 cells, 2 missing, no values"),
    ],
)
def test_the_evidence_of_a_guess(cells, evidence):
    assert guess_column("x", cells).evidence() == evidence


@pytest.mark.parametrize(
    ("cells", "doubt"),
    [
        (["1", "2", "3"] * 9, "3 different: a quantity, or codes (category)?"),
        (["0", "1"] * 9, ""),
        ([str(i) for i in range(27)], ""),
        ([f"town {i % 30}" for i in range(200)], "many: categories, or names (text)?"),
        ([f"town {i % 30}" for i in range(900)], ""),
        ([f"car {i % 30}" for i in range(99)], "they repeat: names, or a category?"),
    ],
    ids=["few whole numbers", "a flag", "many whole numbers", "many texts", "frequent texts", "texts that repeat"],
)
def test_a_type_that_the_values_do_not_decide_is_questioned(cells, doubt):
    evidence = guess_column("x", cells).evidence()
    assert evidence.endswith(f"; {doubt}") if doubt else not evidence.endswith("?")


@pytest.mark.parametrize(
    ("cells", "is_noted"),
    [
        (["-999.0"] * 5 + [f"{i}.5" for i in range(80)], True),
        (["9999"] * 2 + [str(i) for i in range(80)], True),
        (["99"] * 5 + [str(i) for i in range(80)], False),  # not far from the others
        (["-999"] + [str(i) for i in range(80)], False),  # once: a mistake, or the value
        (["1000"] * 5 + [str(i) for i in range(80)], False),
        (["99"] * 5, False),
    ],
    ids=["nines below", "nines above", "near", "once", "no nines", "alone"],
)
def test_a_number_that_may_stand_for_a_missing_value_is_noted(cells, is_noted):
    assert any("far from all other values" in note for note in guess_column("x", cells).notes) == is_noted


def test_a_quoted_text_is_short_and_printable():
    assert quoted("a") == '"a"'
    assert quoted("a\nb") == '"a\\nb"'
    assert quoted("x" * 31) == f'"{"x" * 29}…"'
