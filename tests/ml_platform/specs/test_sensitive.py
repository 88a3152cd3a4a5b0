"""Sensitive columns in a spec: what may be one, and that it is no feature unless the spec says so."""

import re
from pathlib import Path
from typing import Any

import pytest

from ml_platform.exceptions import ConfigurationError
from ml_platform.specs.catalog import read_table
from ml_platform.specs.sensitive import Sensitive, sensitive_from_name
from ml_platform.specs.spec import Dataset
from tests.ml_platform.ingestion.upload_cases import make_dataset, timed_dataset
from tests.ml_platform.specs.spec_cases import AUTO, write_spec

PLAIN = re.sub(r"^sensitive:.*\n(?:  - .*\n)*", "", AUTO, flags=re.MULTILINE)


def test_a_name_stands_for_a_column_that_is_no_feature() -> None:
    assert Sensitive.model_validate(sensitive_from_name("SEX")) == Sensitive(column="SEX", feature=False, cuts=None)


def test_it_is_stored_but_no_model_sees_it() -> None:
    of = make_dataset(sensitive=["KIND", {"column": "COUNT", "feature": True, "cuts": [2, 5]}])
    assert list(of.withheld) == ["KIND"]
    assert list(of.features) == list(of.own_features) == list(of.stored_columns) == ["COUNT", "RATIO", "PRICE", "FLAG"]
    assert of.sensitive[1].cuts == (2, 5)
    assert Dataset.model_validate_json(of.model_dump_json()) == of


def test_it_makes_a_new_version_of_a_spec_and_none_makes_the_same_as_before() -> None:
    assert make_dataset(sensitive=["KIND"]).sha256 != make_dataset().sha256 == make_dataset(sensitive=[]).sha256


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("NOPE", "sensitive.0 names 'NOPE', which `columns` does not list"),
        ("INDEX", "sensitive.0 names 'INDEX', which is a part of the key; allowed are columns that could be features"),
        ("TARGET_FLAG", "sensitive.0 names 'TARGET_FLAG', which is the label"),
        ("TARGET_AMT", "sensitive.0 names 'TARGET_AMT', which is a leak"),
        ("SEX, SEX", "sensitive.1 names 'SEX', which is named already"),
        ("weather__temp", "'weather__temp', a column of another table; allowed are columns of this data set"),
        ("{column: SEX, cuts: [1]}", "which is of type category; `cuts` is for integer, number, money"),
        ("{column: AGE, cuts: [30, 20]}", "sensitive.0.cuts: must be ascending, each once: 30, 20 (got [30, 20])"),
        ("{column: AGE, cut: 3}", "sensitive.0.cut: no such field; there are: column, feature, cuts (got 3)"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_field_and_value(tmp_path: Path, entry: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        read_table(write_spec(tmp_path, f"{PLAIN}sensitive: [{entry}]\n"))
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("column", "says"),
    [("NOTE", "of type text; allowed are integer, number, money, category, boolean"), ("AT", "which is a timestamp")],
)
def test_texts_and_timestamps_make_no_groups(column: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        timed_dataset(sensitive=[column])


def test_a_model_needs_a_feature_that_is_left() -> None:
    features: dict[str, Any] = {"ID": "integer", "LABEL": "integer", "COST": "number", "KIND": "category"}
    raw = make_dataset().model_dump(exclude={"columns"}) | {"columns": features, "sensitive": ["KIND"]}
    with pytest.raises(ValueError, match="none is left as a feature"):
        Dataset.model_validate(raw)
