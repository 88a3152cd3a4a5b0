"""The plan of a search: the YAML gives the defaults, and a training may override each."""

import pytest

from ml_platform.exceptions import ConfigurationError
from ml_platform.training.search_plan import SearchPlan
from tests.ml_platform.training.trainings import make_dataset

SHOP = make_dataset()
SHOP = SHOP.model_copy(update={"search": SHOP.search.model_copy(update={"folds": 4, "jobs": 2, "scoring": "roc_auc"})})


def test_the_yaml_gives_the_defaults():
    plan = SearchPlan.of(SHOP)
    assert (plan.folds, plan.scoring, plan.jobs, plan.attempt_id) == (4, "roc_auc", 2, "")
    assert len({candidate.id for candidate in plan.candidates}) == 12


@pytest.mark.parametrize(
    ("option", "value"), [("folds", 3), ("scoring", "f1"), ("jobs", 1), ("attempt_id", "manual__2026")]
)
def test_a_training_may_override_each(option, value):
    plan, usual = SearchPlan.of(SHOP, **{option: value}), SearchPlan.of(SHOP)
    assert getattr(plan, option) == value
    others = {"candidates", "folds", "scoring", "jobs", "attempt_id"} - {option}
    assert {name: getattr(plan, name) for name in others} == {name: getattr(usual, name) for name in others}


def test_estimators_and_quick_choose_from_the_grid():
    chosen = SearchPlan.of(SHOP, estimators=["random_forest"], quick=True)
    assert [str(candidate) for candidate in chosen.candidates] == [
        "random_forest class_weight=None min_samples_leaf=5 n_estimators=10",
        "random_forest class_weight=balanced min_samples_leaf=5 n_estimators=10",
    ]


def test_an_invalid_value_is_found_when_the_plan_is_made():
    with pytest.raises(ConfigurationError, match=r"search\.candidates\.logistic_regression: The 'C' parameter"):
        SearchPlan.of(make_dataset(candidates={"logistic_regression": {"C": [-1.0]}}))


def test_an_estimator_outside_the_grid_is_rejected():
    with pytest.raises(ConfigurationError, match="are not among"):
        SearchPlan.of(SHOP, estimators=["perceptron"])


def test_equal_plans_are_equal():
    assert SearchPlan.of(SHOP) == SearchPlan.of(SHOP)
    assert SearchPlan.of(SHOP) != SearchPlan.of(SHOP, quick=True)
