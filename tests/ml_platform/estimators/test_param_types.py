"""The parameters of an estimator are checked by the types of its fields."""

from dataclasses import dataclass

import pytest
from sklearn.base import BaseEstimator

from ml_platform.estimators.param_types import Count, NotNegative, Share, check_params


@dataclass(eq=False, repr=False, kw_only=True)
class Example(BaseEstimator):
    trees: Count = 1
    rest: Count | None = None
    penalty: NotNegative = 0.0
    share: Share = 1.0


@pytest.mark.parametrize("params", [{}, {"trees": 3, "rest": 2}, {"penalty": 1, "share": 0.5}, {"share": 1}])
def test_what_is_allowed_passes(params) -> None:
    check_params(Example(**params))


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"trees": 0}, r"The 'trees' parameter of Example: .* greater than or equal to 1. Got 0"),
        ({"trees": 2.5}, r"'trees' .* valid integer. Got 2.5"),
        ({"trees": "3"}, r"'trees' .* valid integer. Got '3'"),
        ({"trees": True}, r"'trees' .* valid integer. Got True"),
        ({"trees": None}, r"'trees' .* valid integer. Got None"),
        ({"rest": -1}, r"'rest' .* greater than or equal to 1. Got -1"),
        ({"penalty": -0.1}, r"'penalty' .* greater than or equal to 0. Got -0.1"),
        ({"penalty": float("nan")}, r"'penalty' .* finite number. Got nan"),
        ({"penalty": [1.0]}, r"'penalty' .* valid number. Got \[1.0\]"),
        ({"share": 0}, r"'share' .* greater than 0. Got 0"),
        ({"share": 1.5}, r"'share' .* less than or equal to 1. Got 1.5"),
    ],
)
def test_what_is_not_allowed_is_named_with_its_value(params, text) -> None:
    with pytest.raises(ValueError, match=text):
        check_params(Example(**params))
