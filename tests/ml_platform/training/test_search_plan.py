"""The plan of a search: the YAML gives the defaults, and a training may override each."""

import pytest

from ml_platform.exceptions import ConfigurationError
from ml_platform.training.search_plan import SearchPlan
from tests.ml_platform.training.trainings import make_dataset, searched_by

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


def test_an_ensemble_is_one_more_candidate():
    search = make_dataset().search.model_dump(exclude_none=True)
    with_ensemble, usual = SearchPlan.of(searched_by(search | {"ensemble": 4})), SearchPlan.of(make_dataset())
    assert (with_ensemble.ensemble, with_ensemble.total) == (4, 13)
    assert (usual.ensemble, usual.total) == (0, 12)


def test_a_training_may_ask_for_an_ensemble_or_leave_it_out():
    with_one = searched_by(make_dataset().search.model_dump(exclude_none=True) | {"ensemble": 4})
    assert SearchPlan.of(make_dataset(), ensemble=3).ensemble == 3
    assert SearchPlan.of(with_one, ensemble=0).total == 12


def test_a_quick_search_has_its_ensemble_too():
    quick = SearchPlan.of(SHOP, quick=True, ensemble=3)
    assert (quick.ensemble, quick.total) == (3, len(quick.candidates) + 1)


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


SPACE = {
    "logistic_regression": {"C": {"low": 0.01, "high": 10, "log": True}, "class_weight": [None, "balanced"]},
    "random_forest": {"min_samples_leaf": [5, 2]},
}
ADAPTIVE = searched_by({"strategy": "tpe", "timeout": "10m", "candidates": SPACE})


def test_an_adaptive_search_has_a_space_instead_of_candidates():
    plan = SearchPlan.of(ADAPTIVE)
    assert (plan.strategy, plan.candidates, plan.total) == ("tpe", (), 40)
    assert (list(plan.space), plan.timeout) == (list(SPACE), 600.0)


def test_a_training_may_override_trials_and_timeout():
    plan = SearchPlan.of(ADAPTIVE, trials=60, timeout="90s", estimators=["random_forest"])
    assert (plan.total, plan.timeout, list(plan.space)) == (60, 90.0, ["random_forest"])
    assert SearchPlan.of(ADAPTIVE, timeout="").timeout is None


def test_a_quick_adaptive_search_has_ten_trials_at_most():
    assert SearchPlan.of(ADAPTIVE, quick=True).total == 10
    assert SearchPlan.of(ADAPTIVE, quick=True, trials=3).total == 3


def test_a_grid_may_be_searched_adaptively_but_distributions_are_no_grid():
    plan = SearchPlan.of(SHOP, strategy="tpe", trials=5)
    assert (plan.total, list(plan.space)) == (5, list(SHOP.search.candidates))
    assert SearchPlan.of(SHOP, trials=5, timeout="1m") == SearchPlan.of(SHOP)
    with pytest.raises(ConfigurationError, match=r"search\.candidates\.logistic_regression\.C: {low: .*strategy: tpe"):
        SearchPlan.of(ADAPTIVE, strategy="grid")


def test_equal_plans_are_equal():
    assert SearchPlan.of(SHOP) == SearchPlan.of(SHOP)
    assert SearchPlan.of(SHOP) != SearchPlan.of(SHOP, quick=True)
