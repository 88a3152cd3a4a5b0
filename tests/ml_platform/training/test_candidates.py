import json
from dataclasses import replace

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from ml_platform.estimators.optional_package import OptionalPackage
from ml_platform.estimators.table import ESTIMATORS
from ml_platform.exceptions import ConfigurationError
from ml_platform.specs.catalog import dataset
from ml_platform.specs.parts import Search
from ml_platform.training.candidates import Candidate, candidates, pipeline
from tests.ml_platform.estimators.fitted_models import CLASSIFIERS, REGRESSORS
from tests.ml_platform.training.trainings import (
    make_dataset,
    make_frame,
    make_houses,
    make_houses_frame,
    searched_by,
)


def searching(spec, search):
    return spec.model_copy(update={"search": search})


def test_every_combination_is_a_candidate():
    found = candidates(make_dataset())
    assert len(found) == len({candidate.id for candidate in found}) == 12


def test_quick_keeps_the_first_value_of_each_parameter_but_both_class_weights():
    found = candidates(make_dataset(), quick=True)
    assert [str(candidate) for candidate in found] == [
        "logistic_regression C=1.0 class_weight=None",
        "logistic_regression C=1.0 class_weight=balanced",
        "random_forest class_weight=None min_samples_leaf=5 n_estimators=10",
        "random_forest class_weight=balanced min_samples_leaf=5 n_estimators=10",
        "hist_gradient_boosting class_weight=None learning_rate=0.1 max_iter=10",
        "hist_gradient_boosting class_weight=balanced learning_rate=0.1 max_iter=10",
    ]


def test_the_sample_data_set_has_ten_candidates_and_six_quick_ones():
    auto = dataset("auto")
    assert (len(candidates(auto)), len(candidates(auto, quick=True))) == (10, 6)
    assert candidates(auto) == candidates(searching(auto, Search()))


def test_only_the_named_estimators():
    found = candidates(make_dataset(), estimators=["random_forest"])
    assert {candidate.estimator for candidate in found} == {"random_forest"}


def test_an_estimator_without_a_grid_is_refused():
    shop = make_dataset(candidates={"random_forest": {}})
    with pytest.raises(ConfigurationError, match=r"logistic_regression.*random_forest"):
        candidates(shop, estimators=["logistic_regression"])


@pytest.mark.parametrize(
    ("grid", "text"),
    [
        ({"C": [-1.0]}, r"logistic_regression: The 'C' parameter .* Got -1.0"),
        ({"C": ["much"]}, r"Got 'much'"),
        ({"depth": [3]}, r"logistic_regression\.depth: no such parameter; there are: \['C'"),
        ({"n_jobs": [4]}, r"n_jobs: no such parameter"),
        ({"random_state": [4]}, r"random_state: no such parameter"),
        ({"C": []}, r"C: the list is empty"),
    ],
)
def test_what_an_estimator_does_not_accept_is_named(grid, text):
    with pytest.raises(ConfigurationError, match=text):
        candidates(make_dataset(candidates={"logistic_regression": grid}))


@pytest.mark.parametrize(
    ("estimator", "grid", "text"),
    [
        (
            "xgboost",
            {"max_dept": [3]},
            r"xgboost\.max_dept: no such parameter; there are: \['class_weight', .*'max_depth'",
        ),
        ("xgboost", {"max_depth": [3, 0]}, r"xgboost: The 'max_depth' parameter .* greater than or equal to 1. Got 0"),
        ("xgboost", {"learning_rate": ["slow"]}, r"'learning_rate' .* valid number. Got 'slow'"),
        ("xgboost", {"class_weight": ["even"]}, r"'class_weight' .* should be 'balanced' .* Got 'even'"),
        ("xgboost", {"early_stopping_rounds": [0]}, r"'early_stopping_rounds' .* Got 0"),
        ("xgboost", {"num_leaves": [9]}, r"xgboost\.num_leaves: no such parameter"),
        ("lightgbm", {"num_leaves": [1]}, r"lightgbm: The 'num_leaves' parameter .* greater than or equal to 2. Got 1"),
        ("lightgbm", {"subsample": [1.1]}, r"'subsample' .* less than or equal to 1. Got 1.1"),
        ("lightgbm", {"n_categories": [1]}, r"n_categories: no such parameter"),
    ],
)
def test_what_boosted_trees_do_not_accept_is_named(estimator, grid, text):
    with pytest.raises(ConfigurationError, match=text):
        candidates(make_dataset(candidates={estimator: grid}))


@pytest.mark.parametrize("estimator", ["xgboost", "lightgbm"])
def test_an_estimator_that_is_not_installed_is_named_with_those_that_are_there(estimator, monkeypatch):
    missing = replace(ESTIMATORS[estimator], package=OptionalPackage(estimator, "no_such_module"))
    monkeypatch.setitem(ESTIMATORS, estimator, missing)
    with pytest.raises(ConfigurationError) as raised:
        candidates(make_dataset(candidates={"random_forest": {}, estimator: {}}))
    text = str(raised.value)
    assert text.startswith(
        f"search.candidates: {estimator!r} cannot be used: the package {estimator} cannot be imported"
    )
    assert text.endswith(f"can be used here: {[name for name in ESTIMATORS if name != estimator]}")
    assert candidates(make_dataset(candidates={"random_forest": {}, estimator: {}}), estimators=["random_forest"])


@pytest.mark.parametrize("estimator", ["xgboost", "lightgbm"])
def test_boosted_trees_get_codes_of_categories_and_missing_values_as_they_are(estimator):
    shop, frame = make_dataset(), make_frame(300)
    model = pipeline(Candidate(estimator, {"n_estimators": 5}), shop).fit(frame[list(shop.features)], frame["buys"])
    assert model[-1].n_categories == 2
    strange = frame[list(shop.features)].head(3).assign(town=["Ulm", np.nan, "Nowhere"], age=np.nan, income=np.nan)
    codes = dict(zip(model[0].get_feature_names_out(), model[0].transform(strange).T, strict=True))
    assert codes["town"].tolist()[0] == 2
    assert np.isnan([*codes["town"][1:], *codes["blank"], *codes["age"], *codes["empty"]]).all()
    assert (codes["income"] == frame["income"].median()).all()  # it has no missing value to learn from


@pytest.mark.usefixtures("_one_thread")
@pytest.mark.parametrize("estimator", CLASSIFIERS)
def test_columns_that_are_empty_in_a_fold_are_no_obstacle(estimator):
    shop, frame = make_dataset(), make_frame(300)
    late = np.arange(300) >= 150
    frame = frame.assign(blank=np.where(late, "late", frame["blank"]), empty=np.where(late, 1.0, np.nan))
    model = pipeline(Candidate(estimator, {}), shop).fit(frame.loc[~late, list(shop.features)], frame["buys"][~late])
    assert np.isfinite(model.predict_proba(frame.loc[late, list(shop.features)])).all()


def test_a_list_in_the_grid_is_one_value_and_its_parts_are_checked():
    grid = {"hidden_layer_sizes": [[64], [128, 64], 32]}
    found = candidates(make_dataset(candidates={"snapshot_ensemble": grid}))
    assert [candidate.params["hidden_layer_sizes"] for candidate in found] == [[64], [128, 64], 32]
    with pytest.raises(ConfigurationError, match=r"snapshot_ensemble: The 'hidden_layer_sizes' .* Got \[64, 0\]"):
        candidates(make_dataset(candidates={"snapshot_ensemble": {"hidden_layer_sizes": [[64, 0]]}}))


def test_a_drawn_fraction_is_shown_with_four_digits_and_counts_with_all():
    drawn, other = (Candidate("logistic_regression", {"C": c, "tol": 1e-05}) for c in (0.123456789, 0.123456788))
    assert str(drawn) == str(other) == "logistic_regression C=0.1235 tol=1e-05"
    assert drawn.id != other.id


def test_a_distribution_is_no_grid():
    space = {"logistic_regression": {"C": {"low": 0.1, "high": 1.0}}}
    shop = searched_by({"strategy": "tpe", "candidates": space})
    with pytest.raises(
        ConfigurationError, match=r"search\.candidates\.logistic_regression\.C: {low: 0.1, high: 1.0} is a"
    ):
        candidates(shop)


def test_ids_are_the_same_in_every_process():
    assert Candidate("random_forest", {"class_weight": None, "min_samples_leaf": 5}).id == "eb9d2e99eede21a7"
    assert Candidate("random_forest", {"min_samples_leaf": 5, "class_weight": None}).id == "eb9d2e99eede21a7"


def test_an_ensemble_has_its_members_in_its_parameters():
    line, trees = Candidate("logistic_regression", {"C": 1.0}), Candidate("hist_gradient_boosting", {"max_iter": 9})
    ensemble = Candidate.ensemble([(0.75, trees), (0.25, line)])
    assert ensemble.members == [(0.75, trees), (0.25, line)]
    assert str(ensemble) == "ensemble of 0.75 hist_gradient_boosting, 0.25 logistic_regression"
    assert ensemble.texts() == {
        "member_1": "0.75 hist_gradient_boosting max_iter=9", "member_2": "0.25 logistic_regression C=1.0"
    }  # fmt: skip
    read = Candidate(*json.loads(json.dumps([ensemble.estimator, ensemble.params])))
    assert (read, read.id) == (ensemble, ensemble.id)
    assert (line.members, line.is_ensemble, line.texts()) == ([(1.0, line)], False, {"C": "1.0"})


def test_an_ensemble_has_a_pipeline_per_member():
    ensemble = Candidate.ensemble([(0.5, Candidate("ridge", {})), (0.5, Candidate("random_forest", {}))])
    model = pipeline(ensemble, make_houses())
    assert [type(member[-1]).__name__ for member in model.members] == ["Ridge", "RandomForestRegressor"]
    assert (type(model).__name__, model.weights) == ("WeightedMeanRegressor", [0.5, 0.5])


@pytest.fixture
def _one_thread():
    with threadpool_limits(1):
        yield


@pytest.mark.usefixtures("_one_thread")
@pytest.mark.parametrize("estimator", CLASSIFIERS)
def test_missing_values_empty_columns_and_unseen_categories_score(estimator):
    shop, frame = make_dataset(), make_frame(300)
    model = pipeline(Candidate(estimator, {}), shop).fit(frame[list(shop.features)], frame["buys"])
    strange = frame[list(shop.features)].head(4).copy()
    strange["town"] = ["Nowhere", np.nan, "Ulm", "Ulm "]
    strange["blank"], strange["empty"], strange["age"] = "suddenly", 3.0, np.nan
    assert np.isfinite(model.predict_proba(strange)).all()


@pytest.mark.usefixtures("_one_thread")
@pytest.mark.parametrize("kept", [("age", "income"), ("town",)])
@pytest.mark.parametrize("estimator", CLASSIFIERS)
def test_numbers_alone_and_categories_alone_are_enough(estimator, kept):
    whole, frame = make_dataset(), make_frame(300)
    columns = {name: column for name, column in whole.columns.items() if name in (*kept, "id", "buys")}
    part = whole.model_copy(update={"columns": columns})
    model = pipeline(Candidate(estimator, {}), part).fit(frame[list(kept)], frame["buys"])
    assert np.isfinite(model.predict_proba(frame[list(kept)])).all()


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (
            make_dataset(candidates={"ridge": {}}),
            "ridge: is no classifier, .*needs .binary.; there are: log",
        ),
        (make_houses(candidates={"logistic_regression": {}}), "is no regressor, .*; there are: ridge, random_forest, "),
        (make_houses(candidates={"ridge": {"C": [1.0]}}), r"ridge\.C: no such parameter; there are: \['alpha'"),
    ],
    ids=["a regressor for classes", "a classifier for numbers", "a parameter of another"],
)
def test_an_estimator_must_fit_the_kind_of_label(spec, text):
    with pytest.raises(ConfigurationError, match=text):
        candidates(spec)


@pytest.mark.usefixtures("_one_thread")
@pytest.mark.parametrize("estimator", REGRESSORS)
def test_regressors_score_missing_and_unseen_values(estimator):
    houses, frame = make_houses(), make_houses_frame(300)
    model = pipeline(Candidate(estimator, {}), houses).fit(frame[list(houses.features)], frame["price"])
    strange = frame[list(houses.features)].head(3).copy()
    strange["town"], strange["area"] = ["Nowhere", np.nan, "Ulm "], np.nan
    assert np.isfinite(model.predict(strange)).all()
