"""Cells of any type: values, missing values, allowed values, and the two ways that agree."""

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_platform.exceptions import ConfigurationError
from ml_platform.parsing.conversion import BLANKS, CONVERTERS, convert, converter_of, value_text
from ml_platform.specs.parts import Column
from tests.ml_platform.parsing.cell_cases import convert_cell


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("category", " NA ", "NA"),
        ("category", "007", "007"),
        ("text", "a\nb", "a\nb"),
        ("text", "\t=1", "\t=1"),
        ("text", "\r=1", "\r=1"),
        ("category", " a\n ", "a\n"),
        ("category", "\u00a0a\u3000", "a"),
        ("integer", "\t7\r\n", 7),
        ("boolean", "YES", True),
        ("boolean", "n", False),
        ("boolean", "1", True),
    ],
)
def test_a_cell_becomes_its_value(kind: str, text: str, value: Any) -> None:
    assert convert_cell(kind, text) == value


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        ("boolean", "maybe", "allowed are"),
        ("boolean", "ye\u017f", "allowed are"),
        ("boolean", "FAL\u017fE", "allowed are"),
        ("category", "a\0b", "NUL"),
        ("text", "\0", "NUL"),
    ],
)
def test_a_cell_that_would_change_has_a_reason(kind: str, text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        convert_cell(kind, text, required=True)


@pytest.mark.parametrize("kind", CONVERTERS)
@pytest.mark.parametrize("text", ["", "  ", "\t", " \r\n\u00a0"])
def test_only_the_empty_cell_is_missing(kind: str, text: str) -> None:
    assert convert_cell(kind, text) is None


def test_prefixes_are_stripped() -> None:
    assert convert_cell("category", " z_No ", strip_prefix="z_") == "No"
    assert convert_cell("category", "No", strip_prefix="z_") == "No"
    assert convert_cell("category", "z_", strip_prefix="z_") is None
    assert convert_cell("category", "z_ \tNo", strip_prefix="z_") == "\tNo"
    assert convert_cell("category", "z_\t", strip_prefix="z_") is None


@pytest.mark.parametrize(
    ("kind", "text", "options", "reason"),
    [
        ("integer", "-1", {"min": 0}, "less than 0, the least allowed"),
        ("integer", "9223372036854775807", {"max": 10.5}, "more than 10.5, the most allowed"),
        ("money", "$11", {"max": 10}, "more than 10"),
        ("category", "c", {"values": ["a", "b"]}, "allowed are a, b"),
        ("integer", "3", {"values": [1, 2]}, "allowed are 1, 2"),
        ("number", "0,7", {"values": [0.5, 2], "decimal": ","}, "allowed are 0,5, 2"),
        ("boolean", "no", {"values": [True]}, "allowed are true"),
    ],
)
def test_the_reason_names_the_allowed_values(kind: str, text: str, options: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        convert_cell(kind, text, **options)


@pytest.mark.parametrize(
    ("kind", "text", "values"),
    [
        ("integer", "1.0", [1]),
        ("number", "0.50", [0.5]),
        ("boolean", "YES", [True]),
        ("text", "007", ["007"]),
        ("category", "z_a", ["a"]),
        ("category", "true", [True]),
    ],
)
def test_allowed_values_are_compared_as_values(kind: str, text: str, values: list[Any]) -> None:
    options = {"strip_prefix": "z_"} if kind == "category" else {}
    assert convert_cell(kind, text, values=values, **options) is not None


def test_allowed_values_must_be_of_the_type() -> None:
    with pytest.raises(ConfigurationError, match=r"values: 'a' is no integer: not a whole number"):
        convert_cell("integer", "1", values=["a"])


@pytest.mark.parametrize(
    ("kind", "text", "options"),
    [
        ("integer", " -999 ", {"missing": [-999]}),
        ("number", "NA", {"missing": ["NA"]}),
        ("number", "-9,5", {"missing": [-9.5], "decimal": ","}),
        ("category", "z_?", {"missing": ["z_?"], "strip_prefix": "z_"}),
        ("text", " \t? ", {"missing": [" \t?"]}),
        ("category", "true", {"missing": [1, True]}),
        ("timestamp", "0000-00-00", {"missing": ["0000-00-00"]}),
        ("integer", "-999", {"missing": [-999], "min": 0, "values": [1]}),
    ],
)
def test_words_for_a_missing_value(kind: str, text: str, options: dict[str, Any]) -> None:
    assert convert_cell(kind, text, **options) is None
    with pytest.raises(ValueError, match="the value is missing, but a value is required"):
        convert_cell(kind, text, **options, required=True)


def test_a_missing_value_breaks_no_limit() -> None:
    assert convert_cell("integer", "", min=5) is None
    assert convert_cell("category", "", values=["a"]) is None


def test_a_column_gives_null_and_a_reason_for_each_bad_cell() -> None:
    texts = pa.array(["1", "x", None, "", "12"], pa.string())
    values, reasons = convert(texts, Column(type="integer", max=10), required=True)
    assert values.to_pylist()[:4] == [1, None, None, None]
    assert {row: reason.split(",")[0] for row, reason in reasons.items()} == {
        1: "not a whole number",
        2: "the value is missing",
        3: "the value is missing",
        4: "more than 10",
    }


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "true"), (False, "false"), (3, "3"), (0.5, "0,5"), (-1e-9, "-1e-09"), ("a.b", "a.b")],
)
def test_a_value_of_a_spec_is_written_as_in_files(value: Any, text: str) -> None:
    assert value_text(value, ",") == text


OPTIONS: list[tuple[Any, dict[str, Any]]] = [
    ("integer", {}),
    ("number", {}),
    ("money", {}),
    ("boolean", {}),
    ("timestamp", {}),
    ("number", {"decimal": ","}),
    ("money", {"decimal": ","}),
    ("timestamp", {"format": "%d.%m.%Y %H:%M"}),
    ("timestamp", {"format": "%d %b %Y %I:%M %p"}),
    ("timestamp", {"zone": "Europe/Berlin"}),
]


LONG = [
    start + unit * (100_000 // len(unit)) + "x"
    for start in ("+", "(", "$", "1", "1.", "1 Jan")
    for unit in (" ", "1", "0", "1,", "1.", "1,234", "1.234", "-", ".", "1 ", "1e", "($")
]


@pytest.mark.parametrize(("kind", "options"), OPTIONS)
def test_a_long_text_is_rejected_quickly(kind: Any, options: dict[str, Any]) -> None:
    for text in LONG:  # takes minutes each if the time grows with the square of the length
        _, reasons = convert(pa.array([text]), Column(type=kind, **options))
        assert list(reasons) == [0]


CHARACTERS = st.characters(exclude_characters="\0", exclude_categories=["Cs", "Zs"])
TEXTS = st.text(CHARACTERS | st.sampled_from("\t\r\n\x1c\x85\u2028 ")).map(lambda text: text.strip(BLANKS))


@given(st.booleans(), st.sampled_from([("yes", "no"), ("TRUE", "FALSE"), ("1", "0"), ("Y", "N"), ("t", "f")]))
def test_booleans_survive(value: bool, words: tuple[str, str]) -> None:
    assert convert_cell("boolean", words[not value]) is value


@given(TEXTS)
def test_texts_survive(text: str) -> None:
    assert (convert_cell("text", text) or "") == (text if text.strip() else "")


@pytest.mark.parametrize(("kind", "options"), OPTIONS)
@given(text=st.one_of(st.text(alphabet="0123456789.,-+$€()eE TZ:yn", max_size=20), st.text(max_size=8)))
def test_the_quick_way_never_takes_what_the_careful_way_refuses(kind: Any, options: dict[str, Any], text: str) -> None:
    stripped = text.strip()
    if not stripped or "\0" in stripped:
        return
    try:
        careful = converter_of(Column(type=kind, **options)).convert_text(stripped)
    except ValueError:
        with pytest.raises(ValueError):
            convert_cell(kind, stripped, **options)
    else:
        assert convert_cell(kind, stripped, **options) == careful
