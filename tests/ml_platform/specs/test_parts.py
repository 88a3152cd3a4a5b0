"""The parts of a spec: their limits, shorthands and mistakes."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from ml_platform.exceptions import ConfigurationError
from ml_platform.specs.catalog import read_table
from ml_platform.specs.parts import (
    Column,
    ColumnName,
    Duration,
    Entity,
    Gate,
    Join,
    Label,
    Name,
    Search,
    check_encoding,
    column_from_type,
    join_from_name,
    timedelta_of,
)
from tests.ml_platform.specs.spec_cases import AGE, AUTO, write_spec


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (AGE, "AGE: integr", ["columns.AGE.type", "'integr'", "integer"]),
        ("folds: 5", "folds: 1", ["search.folds", "1", "2"]),
        ("folds: 5", "ensemble: 1", ["search.ensemble", "greater than or equal to 2", "1"]),
        ("folds: 5", "ensemble: 11", ["search.ensemble", "less than or equal to 10", "11"]),
        ("random_forest:", "random_jungle:", ["random_jungle"]),
        (AGE, "AGE: {type: category, min: 3}", ["AGE", "min"]),
        (AGE, "AGE: {type: integer, mim: 3}", ["columns.AGE.mim: no such field; ", "min, max", "(got 3)"]),
        (AGE, "AGE: {type: number, max: 1e999}", ["columns.AGE.max", "finite"]),
        (AGE, "AGE: {type: integer, max: 9223372036854775807}", ["AGE", "leave out such a min or max"]),
        (AGE, "AGE: {type: integer, max: 9007199254740993}", ["AGE.max", "9007199254740992"]),
        ("positive: 1}", "positive: 1, classes: [a, b, c]}", ["label", "positive", "classes"]),
        ("positive: 1}", "classes: [a, b]}", ["label.classes", "3"]),
        ("positive: 1}", "positive: 1, negative: 1}", ["label", "twice"]),
        ("key: INDEX", "key: [INDEX, INDEX]", ["entity", "twice", "INDEX"]),
        ("key: INDEX", "key: INDEX, features: [AGE]", ["entity", "AGE", "key"]),
        ("INDEX: integer", "INDEX: {type: integer, zone: Europe/Berlin}", ["INDEX", "zone", "timestamp", "integer"]),
        (AGE, "AGE: {type: timestamp, zone: Mars}", ["AGE.zone", "'Mars'", "Europe/Berlin"]),
        (AGE, "AGE: {type: integer, min: 9, max: 3}", ["AGE", "min 9", "max 3"]),
        ("leaks: [TARGET_AMT]", "encoding: klingon", ["encoding", "'klingon'", "cp1252"]),
        ("leaks: [TARGET_AMT]", "encoding: base64", ["encoding", "'base64'", "cp1252"]),
        ("holdout: 0.2 ", "holdout_by: day #", ["gate.holdout_by", "'day'", "'entity' or 'time'"]),
    ],
)  # fmt: skip
def test_a_mistake_in_a_part_is_named_with_file_field_and_value(
    tmp_path: Path, old: str, new: str, says: list[str]
) -> None:
    assert old in AUTO
    path = write_spec(tmp_path, AUTO.replace(old, new, 1))
    with pytest.raises(ConfigurationError) as caught:
        read_table(path)
    for part in [str(path), *says]:
        assert part in str(caught.value)


def test_a_part_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Gate().min_gain = 0.5  # type: ignore[misc]


def test_the_key_may_be_one_column_or_several() -> None:
    assert Entity(name="customer", key="ID").key == ("ID",)  # type: ignore[arg-type]
    assert Entity(name="customer", key=("A", "B")).key == ("A", "B")
    with pytest.raises(ValidationError):
        Entity(name="customer", key=("",))


def test_an_entity_may_have_no_key() -> None:
    without = Entity(name="row")
    assert without == Entity(name="row", key=None)  # type: ignore[arg-type]
    assert without.key == ()
    assert Entity.model_validate_json(without.model_dump_json()) == without
    with pytest.raises(ValidationError, match="features names A, but there is no `key` of which it is a part"):
        Entity(name="row", features=("A",))


@pytest.mark.parametrize(
    ("label", "values"),
    [
        ({"positive": 1}, ()),
        ({"positive": "yes", "negative": "no"}, ("no", "yes")),
        ({"positive": False, "negative": True}, (True, False)),
        ({"classes": ["a", "b", "c"]}, ("a", "b", "c")),
    ],
)
def test_the_label_lists_its_values(label: dict[str, Any], values: tuple[Any, ...]) -> None:
    assert Label(column="LABEL", **label).values == values


@pytest.mark.parametrize(
    ("label", "problem"),
    [
        ({}, "give one of `positive`"),
        ({"positive": 1, "kind": "number"}, "give one of `positive`"),
        ({"kind": "number", "negative": 0}, "`negative` goes with `positive`"),
        ({"classes": ["a", "b", "c"], "negative": "a"}, "`negative` goes with `positive`"),
        ({"classes": ["a", 1, "1"]}, "a value is given twice: a, 1, 1"),
    ],
)
def test_a_label_is_binary_or_has_classes(label: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        Label(column="LABEL", **label)


def test_a_bare_type_is_a_column_and_a_bare_name_is_a_join() -> None:
    assert Column.model_validate(column_from_type("number")) == Column(type="number")
    assert Join.model_validate(join_from_name("weather")) == Join(table="weather")
    assert column_from_type({"type": "text"}) == {"type": "text"}
    assert join_from_name({"table": "weather"}) == {"table": "weather"}


@pytest.mark.parametrize(
    ("column", "problem"),
    [
        ({"type": "text", "decimal": ","}, "decimal is for number, money, not for text"),
        ({"type": "money", "values": [1]}, "values is for integer, number, category, boolean, text, not for money"),
        ({"type": "number", "format": "%Y-%m-%d"}, "format is for timestamp, not for number"),
        ({"type": "number", "values": []}, "at least 1 item"),
        ({"type": "number", "header": ""}, "at least 1 character"),
        ({"type": "number", "min": float("nan")}, "finite"),
    ],
)
def test_an_option_must_fit_the_type(column: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        Column(**column)


def test_limits_may_be_equal_and_negative() -> None:
    assert Column(type="integer", min=-3, max=-3).min == -3


@pytest.mark.parametrize("limit", [2**53, -(2**53), 2**53 + 2, 2**62])
def test_a_limit_that_a_float_holds_exactly_is_allowed(limit: int) -> None:
    assert Column(type="integer", max=limit).max == limit


@pytest.mark.parametrize(
    ("text", "duration"),
    [("90s", timedelta(seconds=90)), ("90m", timedelta(minutes=90)), ("6h", timedelta(hours=6)),
     ("2d", timedelta(days=2)), ("1w", timedelta(weeks=1)), ("36525d", timedelta(days=36525))],
)  # fmt: skip
def test_a_duration_has_a_number_and_a_unit(text: str, duration: timedelta) -> None:
    assert TypeAdapter(Duration).validate_python(text) == text
    assert timedelta_of(text) == duration


@pytest.mark.parametrize("text", ["", "6", "h", "0h", "-1h", "6 h", "1.5h", "6y", "999999999s", "36526d", "99999999w"])
def test_other_durations_are_rejected(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Duration).validate_python(text)


@pytest.mark.parametrize("name", ["auto", "a", "a_1", "tests", "trainings", "a" * 41])
def test_a_name_is_plain(name: str) -> None:
    assert TypeAdapter(Name).validate_python(name) == name


@pytest.mark.parametrize(
    "name", ["", "A", "1a", "a-b", "a b", "ä", "a" * 42, "train_a", "test_", "processed", "rejected1"]
)
def test_other_names_are_rejected(name: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Name).validate_python(name)


def test_a_column_name_has_at_most_63_safe_characters() -> None:
    check = TypeAdapter(ColumnName).validate_python
    assert check("Culmen Length.mm-1") == "Culmen Length.mm-1"
    for name in ("", "1st", 'a"b', "ä", "a" * 64, "a\n"):
        with pytest.raises(ValidationError):
            check(name)


def test_an_encoding_is_one_of_texts() -> None:
    assert check_encoding("cp1252") == "cp1252"
    for name in ("klingon", "base64", "rot13"):
        with pytest.raises(ValueError, match="not an encoding that Python knows"):
            check_encoding(name)


def test_the_default_search_has_a_grid_for_every_estimator() -> None:
    assert set(Search().candidates) == {"logistic_regression", "random_forest", "hist_gradient_boosting"}
    with pytest.raises(ValidationError):
        Search(candidates={})


LOGISTIC = {"logistic_regression": {"C": {"low": 0.01, "high": 10, "log": True}}}


def test_an_adaptive_search_may_have_trials_a_timeout_distributions_and_lists() -> None:
    given = {"strategy": "tpe", "trials": 60, "timeout": "10m", "candidates": LOGISTIC}
    assert Search.model_validate(given).model_dump(exclude_unset=True) == given
    assert Search(strategy="tpe").candidates == Search().candidates
    for search in (Search(), Search.model_validate(given)):  # the spec is stored with each model
        assert Search.model_validate_json(search.model_dump_json()) == search


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"trials": 60}, "trials only with `strategy: tpe`"),
        ({"trials": 60, "timeout": "1m"}, "trials and timeout only with `strategy: tpe`"),
        ({"candidates": LOGISTIC}, r"candidates\.logistic_regression\.C: {low: 0.01, high: 10, log: true} is a"),
        ({"strategy": "random"}, "'grid' or 'tpe'"),
        ({"strategy": "tpe", "trials": 0}, "greater than or equal to 1"),
        ({"strategy": "tpe", "timeout": "10"}, "should match pattern"),
    ],
    ids=["trials", "both", "distribution", "strategy", "no trials", "no unit"],
)
def test_what_does_not_fit_a_strategy_is_named(given: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        Search.model_validate(given)


@pytest.mark.parametrize("change", [{"holdout": 0}, {"holdout": 0.9}, {"min_gain": -0.1}, {"confidence": 1}])
def test_the_numbers_of_the_gate_have_limits(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Gate(**change)
