"""The label's values: typed, in the spec's order, and checked against the label column."""

from typing import Any

import pytest

from ml_platform.exceptions import ConfigurationError
from ml_platform.parsing.labels import class_text, label_values
from tests.ml_platform.ingestion.upload_cases import make_dataset


@pytest.mark.parametrize(
    ("label", "values"),
    [
        ({"column": "LABEL", "positive": 1}, [1]),
        ({"column": "LABEL", "positive": "1", "negative": "0"}, [0, 1]),
        ({"column": "FLAG", "positive": True, "negative": "no"}, [False, True]),
        ({"column": "KIND", "classes": ["z_c", "a", "b"]}, ["c", "a", "b"]),
        ({"column": "RATIO", "classes": [0.5, 1, "2"]}, [0.5, 1.0, 2.0]),
    ],
)
def test_the_values_have_the_type_of_the_column(label: dict[str, Any], values: list[Any]) -> None:
    assert label_values(make_dataset(label=label)) == values


@pytest.mark.parametrize(
    ("label", "problem"),
    [
        ({"column": "LABEL", "positive": "yes"}, "label.positive is 'yes': not a whole number"),
        ({"column": "LABEL", "positive": 1, "negative": ""}, "label.negative is '': the value is missing"),
        ({"column": "COUNT", "classes": [1, 2, 11]}, "label.classes.2 is '11': more than 10"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_its_field(label: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"^datasets/sample.yaml: {problem}"):
        label_values(make_dataset(label=label))


def test_a_class_is_written_as_in_files() -> None:
    assert [class_text(value) for value in (True, False, 1, 0.5, "Yes")] == ["true", "false", "1", "0.5", "Yes"]
