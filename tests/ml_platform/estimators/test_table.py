"""Every row of the table of estimators builds, fits, is stored without pickle, and scores single rows as in a batch."""

from typing import get_args

import numpy as np
import pandas as pd
import pytest
from sklearn.naive_bayes import GaussianNB
from threadpoolctl import threadpool_limits

from ml_platform import RANDOM_STATE
from ml_platform.estimators.row_scorer import sklearn_input
from ml_platform.estimators.table import (
    ESTIMATORS,
    estimator_kind,
    median_imputer,
    native_encoder,
    one_hot_encoder,
    ordinal_encoder,
    row_outputs_of,
    scaled_median_imputer,
)
from ml_platform.registry.model_files import TRUSTED_TYPES, load_skops
from ml_platform.specs.tasks import Estimator
from tests.ml_platform.estimators.fitted_models import (
    CALIBRATED,
    CLASSIFIERS,
    NAMES,
    REGRESSORS,
    columns,
    fitted,
    fitted_numbers,
    pipeline_of,
)
from tests.ml_platform.training.trainings import (
    make_dataset,
    make_frame,
    make_houses,
    make_houses_frame,
    make_weeks,
    make_weeks_frame,
)

MISSING, UNKNOWN = np.nan, "Atlantis"


def test_the_table_has_a_row_for_every_estimator_that_a_yaml_may_name() -> None:
    assert set(ESTIMATORS) == set(get_args(Estimator))


@pytest.mark.parametrize("kind", ["classifier", "regressor"])
@pytest.mark.parametrize("name", ESTIMATORS)
def test_the_platform_sets_defaults_and_a_grid_overrides_them(name, kind) -> None:
    row = ESTIMATORS[name]
    if getattr(row, kind) is None:
        with pytest.raises(ValueError, match=f"it is no {kind}"):
            row.build({}, kind)
        return
    assert isinstance(row.build({}, kind), getattr(row, kind))
    params = row.build({}, kind).get_params()
    assert {key: params[key] for key in row.defaults} == row.defaults
    assert params.get("n_jobs") in (None, 1)  # the candidates are what runs in parallel
    for key in row.defaults:
        assert row.build({key: 7}, kind).get_params()[key] == 7


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_classifier_is_reproducible(name) -> None:
    assert ESTIMATORS[name].build({"class_weight": "balanced"}, "classifier").random_state == RANDOM_STATE


def rows(kind: str) -> pd.DataFrame:
    dataset, frame = (make_dataset(), make_frame(90, 5)) if kind == "shop" else (make_weeks(), make_weeks_frame(90, 9))
    return sklearn_input(frame, columns(dataset))


@pytest.mark.parametrize("kind", ["shop", "weeks"])
@pytest.mark.parametrize("name", NAMES)
def test_a_model_is_stored_without_pickle_and_loads_back(name, kind, tmp_path) -> None:
    _, model = fitted(kind, name)
    skops = load_skops()
    skops.dump(model, tmp_path / "model.skops")
    needed = set(skops.get_untrusted_types(file=tmp_path / "model.skops"))
    own = {one for one in ESTIMATORS[name.removeprefix(CALIBRATED)].trusted_types if not one.endswith("Regressor")}
    assert own <= needed <= set(TRUSTED_TYPES)
    others = {type_ for row in ESTIMATORS.values() for type_ in row.trusted_types}
    assert not needed & (others - own)
    back = skops.load(tmp_path / "model.skops", trusted=TRUSTED_TYPES)
    with threadpool_limits(1):
        assert np.array_equal(back.predict_proba(rows(kind)), model.predict_proba(rows(kind)))


@pytest.mark.parametrize("kind", ["shop", "weeks"])
@pytest.mark.parametrize("name", NAMES)
def test_single_rows_are_scored_as_in_a_batch(name, kind) -> None:
    _, model = fitted(kind, name)
    steps = pipeline_of(model)
    matrix = np.asarray(steps[0].transform(rows(kind)), dtype="float64")
    with threadpool_limits(1):
        predict_proba = row_outputs_of(steps[-1], matrix[:10])
        single_rows = np.vstack([predict_proba(matrix[[i]]) for i in range(len(matrix))])
        assert np.array_equal(single_rows, predict_proba(matrix))
        np.testing.assert_allclose(single_rows, steps[-1].predict_proba(matrix), rtol=0, atol=1e-12)


def test_a_classifier_that_is_not_in_the_table_scores_too() -> None:
    matrix = np.random.default_rng(0).normal(0, 1, (70, 3))
    classifier = GaussianNB().fit(matrix, matrix[:, 0] > 0)
    predict_proba = row_outputs_of(classifier, matrix[:10])
    assert np.array_equal(predict_proba(matrix[[5]]), predict_proba(matrix)[[5]])
    np.testing.assert_allclose(predict_proba(matrix), classifier.predict_proba(matrix), rtol=0, atol=1e-12)


def towns(*values: object) -> np.ndarray:
    return np.array(values, dtype=object).reshape(-1, 1)


def test_ordinal_codes_tell_missing_from_unknown() -> None:
    encoder = ordinal_encoder().fit(towns("Bonn", "Ulm", MISSING))
    codes = encoder.transform(towns("Bonn", "Ulm", MISSING, UNKNOWN)).ravel().tolist()
    assert codes[3] == -1
    assert len(set(codes)) == 4


def test_native_codes_are_missing_for_a_missing_or_unknown_category() -> None:
    encoder = native_encoder().fit(towns("Bonn", "Ulm", MISSING))
    codes = encoder.transform(towns("Bonn", "Ulm", MISSING, UNKNOWN))
    assert np.array_equal(codes, [[0], [1], [MISSING], [MISSING]], equal_nan=True)
    empty = native_encoder().fit(towns(MISSING, MISSING)).transform(towns(MISSING, UNKNOWN))
    assert np.isnan(empty).all()


@pytest.mark.parametrize("name", REGRESSORS)
def test_a_model_of_numbers_is_stored_without_pickle_and_loads_back(name, tmp_path) -> None:
    _, model = fitted_numbers(name)
    skops = load_skops()
    skops.dump(model, tmp_path / "model.skops")
    assert set(skops.get_untrusted_types(file=tmp_path / "model.skops")) <= set(TRUSTED_TYPES)
    back = skops.load(tmp_path / "model.skops", trusted=TRUSTED_TYPES)
    features = sklearn_input(make_houses_frame(50, seed=2), columns(make_houses()))
    with threadpool_limits(1):
        assert np.array_equal(back.predict(features), model.predict(features))
    assert (back.lower, back.upper, back.coverage) == (model.lower, model.upper, model.coverage)


@pytest.mark.parametrize("kind", ["classifier", "regressor"])
@pytest.mark.parametrize("name", ESTIMATORS)
def test_an_estimator_is_found_in_the_table(name, kind) -> None:
    row = ESTIMATORS[name]
    if getattr(row, kind):
        assert estimator_kind(row.build({}, kind)) is row
    assert estimator_kind(GaussianNB()) is None


def test_rare_and_unknown_categories_share_a_column() -> None:
    encoder = one_hot_encoder().fit(towns(*["Bonn"] * 5, *["Ulm"] * 5, *[MISSING] * 5, "Kiel", "Jena"))
    ones = encoder.transform(towns("Bonn", "Ulm", MISSING, "Kiel", "Jena", UNKNOWN))
    assert ones.shape == (6, 4)
    assert (ones.sum(axis=1) == 1).all()
    assert ones.argmax(axis=1).tolist()[3:] == [ones[3].argmax()] * 3


def test_missing_numbers_become_the_median_and_are_marked_and_empty_columns_stay() -> None:
    numbers = np.array([[1.0, MISSING, 5.0], [3.0, MISSING, 5.0], [MISSING, MISSING, 5.0]])
    filled = median_imputer().fit_transform(numbers)
    assert filled[:, 0].tolist() == [1, 3, 2]
    assert filled[:, 1].tolist() == [0, 0, 0]
    assert filled[:, 3].tolist() == [0, 0, 1]
    assert filled.shape == (3, 5)  # an indicator for each of the two columns with missing values


def test_scaled_numbers_have_mean_0_and_variance_1() -> None:
    numbers = np.random.default_rng(0).normal(50, 9, (100, 2))
    scaled = scaled_median_imputer().fit_transform(numbers)
    np.testing.assert_allclose([scaled.mean(axis=0), scaled.var(axis=0)], [[0, 0], [1, 1]], atol=1e-12)
