"""Whole numbers, numbers and amounts of money: no digit is lost, and nothing ambiguous is accepted."""

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_platform.parsing import numerals
from tests.ml_platform.parsing.cell_cases import convert_cell

INTEGERS = st.integers(-(2**63), 2**63 - 1)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
CENTS = st.integers(-(10**14), 10**14)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("integer", " 12 ", 12),
        ("integer", "3.0", 3),
        ("integer", "+7", 7),
        ("integer", "-0", 0),
        ("integer", "9223372036854775807", 2**63 - 1),
        ("integer", "-9223372036854775808", -(2**63)),
        ("number", "3", 3.0),
        ("number", ".5", 0.5),
        ("number", "5.", 5.0),
        ("number", "-1e-3", -0.001),
        ("number", "9007199254740992", 2.0**53),
        ("money", "$67,349", 67349.0),
        ("money", "$0", 0.0),
        ("money", "-$1,234.50", -1234.5),
        ("money", "$-5", -5.0),
        ("money", "($1,234)", -1234.0),
        ("money", " € 1,234,567.89 ", 1234567.89),
        ("money", "1,234 €", 1234.0),
        ("money", "67349", 67349.0),
        ("money", "0.125", 0.125),
    ],
)
def test_a_cell_becomes_its_value(kind: str, text: str, value: Any) -> None:
    assert convert_cell(kind, text) == value


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        ("integer", "007", "leading zeros"),
        ("integer", "3.5", "not a whole number"),
        ("integer", "1e3", "not a whole number"),
        ("integer", "NA", "leave the cell empty"),
        ("integer", "9223372036854775808", "outside the range"),
        ("integer", "9" * 5000, "outside the range"),
        ("integer", "1_000", "not a whole number"),
        ("integer", "１２", "not a whole number"),
        ("number", "NaN", "leave the cell empty"),
        ("number", "inf", "not a number"),
        ("number", "1e999", "too large"),
        ("number", "1e-999", "too small"),
        ("number", "9007199254740993", "more digits"),
        ("number", "1,5", "not a number"),
        ("number", "00.5", "leading zeros"),
        ("number", ".", "not a number"),
        ("number", "", "required"),
        ("money", "$1,23", "not an amount"),
        ("money", "12,34,567", "not an amount"),
        ("money", "$1.234", "ambiguous"),
        ("money", "1.234,50 €", "not an amount"),
        ("money", "($5", "not an amount"),
        ("money", "-(5)", "not an amount"),
        ("money", "-$-5", "two signs"),
        ("money", "€5$", "not an amount"),
        ("money", "$null", "not an amount"),
    ],
)
def test_a_cell_that_would_change_has_a_reason(kind: str, text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        convert_cell(kind, text, required=True)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("number", "1234,5", 1234.5),
        ("number", "-0,25", -0.25),
        ("number", "1.234,5", 1234.5),
        ("number", "1.234.567", 1234567.0),
        ("number", "1,234", 1.234),
        ("number", "1,5e3", 1500.0),
        ("number", "12", 12.0),
        ("money", "1.234,50 €", 1234.5),
        ("money", "€ 1.234", 1234.0),
        ("money", "1234,5", 1234.5),
        ("money", "(1.234,5)", -1234.5),
    ],
)
def test_a_decimal_comma(kind: str, text: str, value: float) -> None:
    assert convert_cell(kind, text, decimal=",") == value


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        ("number", "1.234", "ambiguous: write 1234 for thousands or 1,234 for decimals"),
        ("number", "0.5", "not a number with a decimal comma"),
        ("number", "1234.5", "not a number with a decimal comma"),
        ("number", "1,234.5", "not a number with a decimal comma"),
        ("number", "12.34,5", "not a number with a decimal comma"),
        ("number", "1,2,3", "not a number with a decimal comma"),
        ("number", "NA", "leave the cell empty"),
        ("money", "1,234 €", "ambiguous: write 1.234 for thousands or 1,2340 for decimals"),
        ("money", "$1,234.50", r"not an amount of money such as \$1.234,50"),
    ],
)
def test_a_decimal_comma_is_no_guess(kind: str, text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        convert_cell(kind, text, decimal=",")


@pytest.mark.parametrize("plain", [numerals.PLAIN_NUMBER, numerals.PLAIN_MONEY])
def test_exchanging_point_and_comma_twice_changes_nothing(plain: str) -> None:
    swapped = numerals.with_comma(plain)
    assert swapped != plain
    assert numerals.with_comma(swapped) == plain


def test_a_negative_zero_becomes_zero() -> None:
    for text in ("-0", "-0.0", "-0e5"):
        assert str(convert_cell("number", text)) == "0.0"
    assert str(convert_cell("money", "-$0.00")) == "0.0"


def test_an_array_in_the_plain_form_is_converted_at_once() -> None:
    assert numerals.integers(pa.array(["1", "-2.00", None])).to_pylist() == [1, -2, None]
    assert numerals.numbers(pa.array(["-0.5", "1e3", None])).to_pylist() == [-0.5, 1000.0, None]
    assert numerals.amounts(pa.array(["$1,234.50", "€ 2", None])).to_pylist() == [1234.5, 2.0, None]
    assert numerals.numbers_with_comma(pa.array(["0,5", None])).to_pylist() == [0.5, None]
    assert numerals.amounts_with_comma(pa.array(["1.234,5", None])).to_pylist() == [1234.5, None]


@given(INTEGERS)
def test_integers_survive(value: int) -> None:
    assert convert_cell("integer", str(value)) == value
    assert convert_cell("integer", f"{value}.00") == value


@given(NUMBERS)
def test_numbers_survive_or_are_refused(value: float) -> None:
    try:
        assert convert_cell("number", repr(value)) == value
    except ValueError as reason:
        assert "more digits" in str(reason)  # noqa: PT017
        assert abs(value) > 2**53


@given(CENTS)
def test_money_survives(cents: int) -> None:
    sign, (whole, part) = "-" if cents < 0 else "", divmod(abs(cents), 100)
    for text in (f"{sign}${whole:,}.{part:02}", f"{sign}{whole}.{part:02}", f"{sign}€ {whole:,}.{part:02}"):
        assert convert_cell("money", text) == cents / 100


@given(CENTS)
def test_a_decimal_comma_survives(cents: int) -> None:
    sign, (whole, part) = "-" if cents < 0 else "", divmod(abs(cents), 100)
    thousands = f"{whole:,}".replace(",", ".")
    for kind, text in (("money", f"{sign}{thousands},{part:02} €"), ("number", f"{sign}{thousands},{part:02}")):
        assert convert_cell(kind, text, decimal=",") == cents / 100
    assert convert_cell("number", f"{sign}{whole},{part:02}", decimal=",") == cents / 100
