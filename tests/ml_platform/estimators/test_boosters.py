"""The estimators of xgboost and lightgbm: early stopping, missing values and categories, and what is stored of them."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from ml_platform.estimators.boosters import validation_rows
from ml_platform.registry.model_files import load_skops
from tests.ml_platform.estimators.boosted import (
    CLASSIFIERS,
    IDS,
    KINDS,
    REGRESSORS,
    fit,
    fitted,
    make_matrix,
    make_target,
)

every_kind = pytest.mark.parametrize(("kind", "target"), KINDS, ids=IDS)
classifiers = pytest.mark.parametrize("kind", CLASSIFIERS)


@every_kind
def test_it_learns_from_categories_numbers_and_missing_values(kind, target) -> None:
    model, matrix = fitted(kind, target, n_estimators=300), make_matrix(900, seed=1)
    whole = model.score(matrix, make_target(matrix, target, seed=1))
    assert whole > 0.6
    for column in (0, 1, 2, 3):
        changed = matrix.copy()
        changed[:, column] = 2.0 if column == 3 else np.nan
        assert model.score(changed, make_target(matrix, target, seed=1)) < whole


@every_kind
def test_the_same_data_give_the_same_trees(kind, target) -> None:
    params = {"subsample": 0.7, "colsample_bytree": 0.7}
    first, second, other = (fit(kind, target, random_state=state, **params) for state in (3, 3, 4))
    assert first.booster_ == second.booster_ != other.booster_


@every_kind
def test_trees_stop_where_they_no_longer_help_and_are_fitted_on_all_rows(kind, target) -> None:
    model = fitted(kind, target, n_estimators=2000, early_stopping_rounds=5, learning_rate=0.3)
    assert 1 <= model.n_trees_ < 500
    again = fitted(kind, target, n_estimators=model.n_trees_, early_stopping_rounds=None, learning_rate=0.3)
    assert again.n_trees_ == model.n_trees_
    assert again.booster_ == model.booster_


@every_kind
def test_without_early_stopping_all_trees_are_fitted(kind, target) -> None:
    assert fitted(kind, target, n_estimators=7, early_stopping_rounds=None).n_trees_ == 7


@every_kind
def test_rows_alone_together_and_in_threads_have_the_same_bits(kind, target) -> None:
    model, matrix = fitted(kind, target), make_matrix(300, seed=2)
    predict = model.predict_proba if hasattr(model, "predict_proba") else model.predict
    whole = predict(matrix)
    with ThreadPoolExecutor(4) as pool:
        alone = list(pool.map(lambda number: predict(matrix[[number]]), range(300)))
    assert np.array_equal(np.concatenate(alone), whole)
    assert np.isfinite(whole).all()


CELLS = st.floats(width=64, allow_infinity=False) | st.integers(-3, 60).map(float) | st.just(np.nan)


@every_kind
@settings(max_examples=20, deadline=None)
@given(matrix=arrays(np.float64, st.tuples(st.integers(2, 9), st.just(6)), elements=CELLS))
def test_any_rows_are_predicted_to_the_same_bits(kind, target, matrix) -> None:
    model = fitted(kind, target)
    predict = model.predict_proba if hasattr(model, "predict_proba") else model.predict
    whole = predict(matrix)
    assert np.isfinite(whole).all()
    assert np.array_equal(np.concatenate([predict(matrix[[number]]) for number in range(len(matrix))]), whole)


@every_kind
def test_a_stored_model_predicts_the_same_bits(kind, target, tmp_path) -> None:
    model, matrix, skops = fitted(kind, target), make_matrix(seed=3), load_skops()
    skops.dump(model, tmp_path / "model.skops")
    name = f"{kind.__module__}.{kind.__name__}"
    assert skops.get_untrusted_types(file=tmp_path / "model.skops") == [name]
    for back in (skops.load(tmp_path / "model.skops", trusted=[name]), pickle.loads(pickle.dumps(model))):  # noqa: S301
        assert np.array_equal(back.predict(matrix), model.predict(matrix))
        assert back.get_params() == model.get_params()


@every_kind
def test_an_unfitted_model_is_cloned_stored_and_says_that_it_is_not_fitted(kind, target) -> None:
    model = clone(fitted(kind, target, learning_rate=0.2))
    assert (model.learning_rate, model.n_categories) == (0.2, 2)
    back = pickle.loads(pickle.dumps(model))  # noqa: S301
    for one in (model, back):
        with pytest.raises(NotFittedError):
            check_is_fitted(one)
        with pytest.raises(NotFittedError):
            one.predict(make_matrix())


@every_kind
def test_other_inputs_are_refused(kind, target) -> None:
    model, matrix = fitted(kind, target), make_matrix(9)
    with pytest.raises(ValueError, match="expecting 6 features"):
        model.predict(matrix[:, :5])
    with pytest.raises(ValueError, match="infinity"):
        model.predict(np.full((2, 6), np.inf))


@every_kind
def test_more_categories_than_columns_and_invalid_parameters_are_refused(kind, target) -> None:
    with pytest.raises(ValueError, match="n_categories is 7, but there are 6 columns"):
        fitted(kind, target, n_categories=7)
    with pytest.raises(ValueError, match=r"The 'learning_rate' parameter .* Got 2"):
        fitted(kind, target, learning_rate=2)


@every_kind
@pytest.mark.parametrize("n_categories", [0, 6])
def test_numbers_alone_and_categories_alone_are_enough(kind, target, n_categories) -> None:
    matrix = np.abs(make_matrix().round())
    model = kind(n_categories=n_categories, n_estimators=5).fit(matrix, make_target(make_matrix(), target))
    assert np.isfinite(model.predict(np.full((1, 6), np.nan))).all()


@classifiers
def test_a_few_rows_and_rare_classes_are_enough(kind) -> None:
    labels = np.array([0, 0, 0, 1, 1, 1, 2])
    model = kind(n_categories=2, n_estimators=5).fit(make_matrix(7), labels)
    assert model.predict_proba(make_matrix(3)).shape == (3, 3)


@classifiers
def test_labels_may_be_texts_and_one_class_is_refused(kind) -> None:
    matrix = make_matrix()
    labels = np.array(["no", "yes"])[make_target(matrix, "two classes")]
    model = kind(n_categories=2, n_estimators=20).fit(matrix, labels)
    assert model.classes_.tolist() == ["no", "yes"]
    assert set(model.predict(matrix)) == {"no", "yes"}
    with pytest.raises(ValueError, match="at least 2 classes; there is one: 'no'"):
        kind().fit(matrix, np.full(900, "no"))


@classifiers
def test_class_weights_raise_the_probability_of_a_rare_class(kind) -> None:
    matrix = make_matrix()
    rare = make_target(matrix, "a number") > 2500
    plain, balanced, own = (
        kind(n_categories=2, n_estimators=60, class_weight=weight).fit(matrix, rare).predict_proba(matrix)[:, 1].mean()
        for weight in (None, "balanced", {False: 1, True: 9})
    )
    assert balanced > plain < own


@classifiers
@pytest.mark.parametrize("target", ["two classes", "three classes"])
def test_probabilities_follow_from_the_decision_function(kind, target) -> None:
    model, matrix = fitted(kind, target), make_matrix(50, seed=5)
    scores = model.decision_function(matrix)
    powers = np.exp(np.column_stack([np.zeros(50), scores]) if scores.ndim == 1 else scores)
    expected = powers / powers.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict_proba(matrix), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", REGRESSORS)
def test_a_regressor_has_no_classes(kind) -> None:
    assert "class_weight" not in kind().get_params()
    assert not hasattr(kind(), "predict_proba")
    constant = kind(n_estimators=5).fit(make_matrix(), np.full(900, 7.0))
    np.testing.assert_allclose(constant.predict(make_matrix(3)), 7.0, atol=1e-6)


def test_a_share_of_each_group_is_held_out_for_early_stopping() -> None:
    groups = np.repeat([0, 1, 2, 3], [100, 10, 2, 1])
    drawn = validation_rows(groups, 0.2, 0)
    assert [int(drawn[groups == group].sum()) for group in range(4)] == [20, 2, 1, 0]
    assert np.array_equal(drawn, validation_rows(groups, 0.2, 0))
    assert not np.array_equal(drawn, validation_rows(groups, 0.2, 1))
    assert validation_rows(groups, 0.99, 0).sum() == 99 + 9 + 1
