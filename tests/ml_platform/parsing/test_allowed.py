"""What a spec allows, as sentences, and as a template that the spec accepts."""

import csv
import io
from typing import Any

import pytest

from ml_platform.exceptions import ConfigurationError
from ml_platform.parsing.allowed import allowed_texts, template
from ml_platform.specs.catalog import catalog
from ml_platform.specs.spec import Table
from tests.ml_platform.ingestion.upload_cases import make_dataset, timed_dataset
from tests.ml_platform.parsing.table_cases import parse

TABLES: tuple[Table, ...] = (*catalog().datasets, *catalog().tables)


def text_of(name: str, of: Any, purpose: Any = "train") -> str:
    (text,) = (text for text in allowed_texts(of, purpose) if text.startswith(f"{name}: "))
    return text.removeprefix(f"{name}: ")


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("integer", "a whole number, or missing (an empty cell)"),
        ({"type": "integer", "min": 16, "max": 100}, "a whole number, from 16 to 100, or missing (an empty cell)"),
        ({"type": "number", "min": 0.5}, "a number, 0.5 or more, or missing (an empty cell)"),
        ({"type": "money", "max": 9, "decimal": ","}, "an amount of money with a decimal comma, 9 or less, or missing"),
        ({"type": "integer", "values": [1, 2], "missing": [-1, "?"]},
            "a whole number, one of 1, 2, or missing (an empty cell, -1, ?)"),
        ({"type": "category", "values": list("abc"), "strip_prefix": "z_", "required": True},
            "a text (category), one of a, b, c, of which a leading z_ is removed, never missing"),
        ({"type": "integer", "values": list(range(60))}, "48, 49 and 10 more, or missing"),
        ("boolean", "yes or no (also true and false, 1 and 0, y and n, t and f), or missing (an empty cell)"),
        ({"type": "timestamp", "format": "%d.%m.%Y", "zone": "Europe/Berlin"},
            "a time, of the form %d.%m.%Y, in Europe/Berlin unless it has an offset, or missing (an empty cell)"),
    ],
    ids=range(9),
)  # fmt: skip
def test_a_sentence_says_type_range_values_and_whether_a_value_may_be_missing(column: Any, text: str) -> None:
    assert text in text_of("MORE", make_dataset(columns={"MORE": column}))


def test_key_label_and_event_time_are_never_missing() -> None:
    of = timed_dataset(label={"column": "LABEL", "positive": 1, "negative": 0}, missing=["NA"])
    assert text_of("ID", of) == "a whole number, never missing"
    assert text_of("LABEL", of) == "a whole number, one of 0, 1, never missing"
    only_positive = "a whole number, never missing; it has two values, of which 1 is the positive one"
    assert text_of("LABEL", make_dataset()) == only_positive
    assert text_of("AT", of).endswith("never missing")
    assert text_of("NOTE", of) == "a text, or missing (an empty cell, NA)"


def test_a_column_that_may_be_missing_as_a_whole_says_so() -> None:
    of = make_dataset(on_missing_column="missing_values")
    assert text_of("RATIO", of).endswith("; the column may be missing")
    assert text_of("ID", of).endswith("never missing")


def test_a_file_to_score_has_no_label() -> None:
    assert {text.partition(":")[0] for text in allowed_texts(make_dataset(), "test")}.isdisjoint({"LABEL", "COST"})


def test_a_column_has_its_name_in_the_file() -> None:
    of = make_dataset(columns={"RATIO": {"type": "number", "header": "Ratio (%)"}})
    assert text_of("Ratio (%)", of).startswith("a number")


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_the_template_of_every_spec_is_accepted_by_it(table: Table) -> None:
    rows, bad = parse(template(table), table)
    assert (rows.num_rows, bad) == (1, [])
    (header, row) = csv.reader(io.StringIO(template(table).decode(), newline=""), delimiter=table.delimiter or ",")
    assert header == [table.header(name) for name in table.columns]
    assert all(row)


@pytest.mark.parametrize(
    "changes",
    [
        {"delimiter": ";", "encoding": "cp1252", "columns": {"KIND": {"type": "category", "header": "Größe; Art"}}},
        {"missing": ["1", "example", "yes"], "columns": {"RATIO": {"type": "number", "decimal": ",", "min": 1.25}}},
        {"columns": {"COUNT": {"type": "integer", "min": -9, "max": -7}, "RATIO": {"type": "number", "max": 0.001}}},
        {"columns": {"AT": {"type": "timestamp", "format": "%d/%m/%Y %H:%M", "zone": "Europe/Berlin"}}},
        {"label": {"column": "KIND", "classes": ["a", "b", "c"]}},
    ],
    ids=range(5),
)
def test_an_example_follows_ranges_words_and_formats(changes: dict[str, Any]) -> None:
    of = make_dataset(**changes)
    rows, bad = parse(template(of), of)
    assert (rows.num_rows, bad) == (1, [])


def test_without_a_plausible_text_a_cell_is_empty() -> None:
    of = make_dataset(missing=["true"], columns={"FLAG": {"type": "boolean", "values": [True]}})
    assert parse(template(of), of)[0]["FLAG"].to_pylist() == [True]  # yes is true, too
    of = make_dataset(columns={"COUNT": {"type": "integer", "min": 0.1, "max": 0.9}})
    assert parse(template(of), of)[0]["COUNT"].to_pylist() == [None]


def test_an_impossible_value_in_the_spec_is_named() -> None:
    of = make_dataset(columns={"COUNT": {"type": "integer", "values": ["x"]}})
    with pytest.raises(ConfigurationError, match=r"^datasets/sample.yaml: columns.COUNT: values: 'x' is no integer"):
        template(of)
