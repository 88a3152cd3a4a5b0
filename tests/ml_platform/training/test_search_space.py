"""The space of an adaptive search: lists, ranges of whole numbers and of fractions, and mistakes found early."""

import pytest

from ml_platform.exceptions import ConfigurationError
from ml_platform.training.search_space import Range, Values, search_space
from tests.ml_platform.training.trainings import searched_by


def space_of(candidates, **options):
    return search_space(searched_by({"strategy": "tpe", "candidates": candidates}), **options)


@pytest.mark.parametrize(
    ("estimator", "name", "distribution", "expected"),
    [
        ("hist_gradient_boosting", "max_leaf_nodes", {"low": 3, "high": 63}, Range(3, 63, log=False)),
        ("random_forest", "max_depth", {"low": 3, "high": 12}, Range(3, 12, log=False)),
        ("logistic_regression", "C", {"low": 0.01, "high": 10, "log": True}, Range(0.01, 10.0, log=True)),
        ("logistic_regression", "C", {"low": 1, "high": 10}, Range(1.0, 10.0, log=False)),
        ("random_forest", "max_features", {"low": 0.1, "high": 1.0}, Range(0.1, 1.0, log=False)),
    ],
    ids=["whole", "default none", "fraction", "whole bounds of a fraction", "both kinds allowed"],
)
def test_whole_bounds_give_whole_numbers_unless_the_parameter_is_a_fraction(estimator, name, distribution, expected):
    found = space_of({estimator: {name: distribution}})[estimator][name]
    assert found == expected
    assert type(found.low) is type(found.high) is type(expected.low)


def test_a_list_is_a_choice_and_the_order_of_the_yaml_stays():
    space = space_of({"random_forest": {"min_samples_leaf": [5, 2]}, "logistic_regression": {}})
    assert list(space) == ["random_forest", "logistic_regression"]
    assert space["random_forest"] == {"min_samples_leaf": Values((5, 2))}


def test_quick_keeps_the_first_value_of_each_list_and_whole_distributions():
    space = space_of(
        {"logistic_regression": {"C": {"low": 1, "high": 2}, "class_weight": [None, "balanced"], "tol": [0.1, 0.2]}},
        quick=True,
    )
    assert space["logistic_regression"] == {
        "C": Range(1.0, 2.0, log=False), "class_weight": Values((None, "balanced")), "tol": Values((0.1,)),
    }  # fmt: skip


def test_only_the_named_estimators():
    candidates = {"random_forest": {}, "logistic_regression": {}}
    assert list(space_of(candidates, estimators=["logistic_regression"])) == ["logistic_regression"]
    with pytest.raises(ConfigurationError, match="are not among"):
        space_of(candidates, estimators=["hist_gradient_boosting"])


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"C": {"low": -1, "high": 1}}, r"logistic_regression: The 'C' parameter .* Got -1.0.* \(a bound of C\)"),
        ({"C": {"low": 0.1, "high": 1}, "l1_ratio": {"low": 0.5, "high": 2}}, r"Got 2.0.* \(a bound of l1_ratio\)"),
        ({"max_iter": {"low": 0.5, "high": 1.5}}, r"'max_iter' parameter .* Got 0.5"),
        ({"C": [1.0, -1.0]}, r"The 'C' parameter .* Got -1.0"),
        ({"depth": {"low": 1, "high": 2}}, r"logistic_regression\.depth: no such parameter"),
        ({"C": []}, r"C: the list is empty"),
    ],
    ids=["low", "high", "fraction of a whole number", "value of a list", "name", "empty"],
)
def test_what_an_estimator_does_not_accept_is_named(parameters, text):
    with pytest.raises(ConfigurationError, match=text):
        space_of({"logistic_regression": parameters})
