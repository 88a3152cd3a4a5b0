"""A parameter of a search has a list of values or a distribution."""

import math
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from ml_platform.specs.distributions import Distribution, Parameters, check_lists

PARAMETERS = TypeAdapter(Parameters)


def test_a_list_stays_a_list_and_a_mapping_is_a_distribution() -> None:
    found = PARAMETERS.validate_python(
        {"C": {"low": 0.01, "high": 10, "log": True}, "class_weight": [None, "balanced"]}
    )
    assert found == {"C": Distribution(low=0.01, high=10, log=True), "class_weight": [None, "balanced"]}


def test_whole_bounds_stay_whole_also_when_the_spec_is_stored_with_a_model() -> None:
    distribution = Distribution(low=3, high=63.0)
    for one in (distribution, Distribution.model_validate_json(distribution.model_dump_json())):
        assert (type(one.low), type(one.high)) == (int, float)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"low": 10, "high": 1}, "low 10 must be below high 1; for a single value give a list"),
        ({"low": 1, "high": 1}, "must be below"),
        ({"low": 0, "high": 1, "log": True}, "with log, low must be above 0; it is 0"),
        ({"low": "1", "high": 2}, "not a number such as 3 or 0.01: '1'"),
        ({"low": True, "high": 2}, "not a number such as 3 or 0.01: True"),
        ({"low": 1, "high": math.inf}, "not a number such as 3 or 0.01: inf"),
        ({"low": math.nan, "high": 1}, "not a number such as 3 or 0.01: nan"),
        ({"low": 1}, "Field required"),
        ({"low": 1, "high": 2, "step": 1}, "Extra inputs are not permitted"),
        (3, "Input should be a valid list"),
    ],
    ids=["order", "equal", "log of zero", "text", "boolean", "infinite", "nan", "no high", "unknown", "one value"],
)
def test_a_mistake_is_one_error_that_says_what_is_allowed(value: Any, text: str) -> None:
    with pytest.raises(ValidationError) as caught:
        PARAMETERS.validate_python({"C": value})
    (error,) = caught.value.errors()
    assert text in error["msg"]


def test_a_grid_takes_lists_only() -> None:
    check_lists("search", {"C": [1, 2]})
    with pytest.raises(ValueError, match=r"^search\.C: {low: 1, high: 2, log: true} is a distribution.*strategy: tpe"):
        check_lists("search", {"class_weight": [None], "C": Distribution(low=1, high=2, log=True)})
