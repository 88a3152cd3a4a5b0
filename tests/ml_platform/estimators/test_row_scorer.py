"""The tables give the probabilities of scikit-learn, for any row, in any batch."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import TunedThresholdClassifierCV
from threadpoolctl import threadpool_limits

from ml_platform.estimators.row_scorer import RowScorer, sklearn_input
from ml_platform.estimators.weighted_mean import WeightedMeanClassifier
from ml_platform.specs.tasks import ENSEMBLE
from tests.ml_platform.estimators.fitted_models import (
    ENSEMBLES,
    NAMES,
    REGRESSORS,
    columns,
    fitted,
    fitted_numbers,
    fitted_ten_classes,
)
from tests.ml_platform.training.trainings import (
    make_dataset,
    make_frame,
    make_houses,
    make_houses_frame,
    make_weeks,
    make_weeks_frame,
)


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module", params=[*NAMES, *ENSEMBLES])
def shop(request: pytest.FixtureRequest) -> tuple[RowScorer, TunedThresholdClassifierCV]:
    return fitted("shop", request.param)


@pytest.fixture(scope="module", params=[*NAMES, *ENSEMBLES])
def weeks(request: pytest.FixtureRequest) -> tuple[RowScorer, TunedThresholdClassifierCV]:
    return fitted("weeks", request.param)


def test_two_classes_equal_scikit_learn(shop) -> None:
    scorer, model = shop
    frame = make_frame(500, seed=2)
    expected = model.predict_proba(sklearn_input(frame, columns(make_dataset())))[:, 1]
    np.testing.assert_allclose(scorer.outputs(frame), expected, rtol=0, atol=1e-12)


def test_several_classes_equal_scikit_learn(weeks) -> None:
    scorer, model = weeks
    frame = make_weeks_frame(300, seed=2)
    expected = model.predict_proba(sklearn_input(frame, columns(make_weeks())))
    np.testing.assert_allclose(scorer.outputs(frame), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("size", [1, 2, 7, 63, 64, 65])
def test_a_row_has_the_same_probability_in_any_batch(shop, weeks, size) -> None:
    for (scorer, _), frame in ((shop, make_frame(300, seed=3)), (weeks, make_weeks_frame(300, seed=3))):
        whole = scorer.outputs(frame)
        for start in range(0, 300, 37):
            part = frame.iloc[start : start + size]
            assert np.array_equal(scorer.outputs(part), whole[start : start + size])


@pytest.mark.parametrize("estimator", [*NAMES, *ENSEMBLES])
@pytest.mark.parametrize("size", [1, 2, 33])
def test_with_ten_classes_a_row_has_the_same_probabilities_in_any_batch(estimator, size) -> None:
    scorer, model = fitted_ten_classes(estimator)
    frame = make_weeks_frame(200, seed=3)
    whole = scorer.outputs(frame)
    np.testing.assert_allclose(
        whole, model.predict_proba(sklearn_input(frame, columns(make_weeks()))), rtol=0, atol=1e-12
    )
    parts = [scorer.outputs(frame.iloc[start : start + size]) for start in range(0, 200, size)]
    assert np.array_equal(np.vstack(parts), whole)


def test_arrows_columns_give_the_same_bits_as_a_frame(shop, weeks) -> None:
    for (scorer, _), frame in ((shop, make_frame(300, seed=3)), (weeks, make_weeks_frame(300, seed=3))):
        batch = pa.RecordBatch.from_pandas(frame.astype({"member": "boolean"}) if "member" in frame else frame)
        assert np.array_equal(scorer.outputs(batch), scorer.outputs(frame))
        assert np.array_equal(scorer.outputs(batch.slice(7, 1)), scorer.outputs(frame.iloc[7:8]))


ROW = st.fixed_dictionaries(
    {},
    optional={
        "age": st.none() | st.floats(-1e30, 1e30),
        "income": st.none() | st.integers(-(2**53), 2**53),
        "member": st.none() | st.booleans(),
        "empty": st.none() | st.floats(-10, 10),
        "town": st.none() | st.sampled_from(["Ulm", "Kiel", "Bonn", "(missing)", "Atlantis", ""]) | st.text(),
        "blank": st.none() | st.text(),
    },
)


@settings(max_examples=20, deadline=None)
@given(rows=st.lists(ROW, min_size=1, max_size=5))
def test_any_row_equals_scikit_learn(shop, rows) -> None:
    scorer, model = shop
    frame = pd.DataFrame(rows, index=range(len(rows)))
    expected = model.predict_proba(sklearn_input(frame, columns(make_dataset())))[:, 1]
    np.testing.assert_allclose(scorer.outputs(frame), expected, rtol=0, atol=1e-12)


def test_a_number_beyond_what_trees_hold_is_very_large() -> None:
    scorer, _ = fitted("shop", "random_forest")
    large, larger = (scorer.outputs(pd.DataFrame([{"age": age}])) for age in (1e30, 1e300))
    assert large == larger


def test_a_number_that_overflows_when_it_is_scaled_is_very_large(shop, weeks) -> None:
    for (scorer, _), frame, name in (
        (shop, make_frame(100, seed=3), "member"),
        (weeks, make_weeks_frame(100, seed=3), "rain"),
    ):
        largest = np.finfo(np.float64).max
        cells = np.select([frame.index == 7, frame.index == 70], [largest, -largest], frame[name])
        found, usual = scorer.outputs(frame.assign(**{name: cells})), scorer.outputs(frame)
        others = frame.index.difference([7, 70])
        assert np.array_equal(found[others], usual[others])
        assert ((found >= 0) & (found <= 1)).all()
        for row in (7, 70):
            alone = frame.assign(**{name: cells}).iloc[[row]]
            assert np.array_equal(scorer.outputs(alone), found[[row]])


def test_another_kind_of_model_is_scored_by_scikit_learn(caplog) -> None:
    frame = make_frame()
    names = columns(make_dataset())
    model = DummyClassifier().fit(sklearn_input(frame, names), frame["buys"])
    found = RowScorer(model, names).outputs(frame)
    assert np.array_equal(found, model.predict_proba(sklearn_input(frame, names))[:, 1])
    assert "slow for single rows" in caplog.text


def test_a_column_that_is_absent_is_missing_and_another_is_ignored(shop, weeks) -> None:
    for (scorer, _), frame, name in (
        (shop, make_frame(9, seed=3), "age"),
        (weeks, make_weeks_frame(9, seed=3), "heat"),
    ):
        expected = scorer.outputs(frame.assign(**{name: np.nan}))
        assert np.array_equal(scorer.outputs(frame.drop(columns=name).assign(stranger=1)), expected)


def test_the_input_of_scikit_learn_has_all_columns_in_their_order() -> None:
    rows = pd.DataFrame({"town": [None, "Ulm"], "age": [1, None], "other": 0}, index=[7, 9])
    inputs = sklearn_input(rows, {"age": "double", "town": "string", "rain": "double"})
    assert list(inputs) == ["age", "town", "rain"]
    assert inputs.dtypes.astype(str).tolist() == ["float64", "object", "float64"]
    assert [type(value) for value in inputs["town"]] == [float, str]  # NaN, never None
    assert inputs.index.tolist() == [7, 9]


@pytest.mark.parametrize("size", [1, 2, 33])
@pytest.mark.parametrize("estimator", [*REGRESSORS, ENSEMBLE])
def test_a_number_is_the_same_in_any_batch(estimator, size) -> None:
    scorer, model = fitted_numbers(estimator)
    frame = make_houses_frame(200, seed=2)
    whole = scorer.outputs(frame)
    expected = model.predict(sklearn_input(frame, columns(make_houses())))
    np.testing.assert_allclose(whole, expected, rtol=1e-12, atol=0)
    parts = [scorer.outputs(frame.iloc[start : start + size]) for start in range(0, 200, size)]
    assert np.array_equal(np.concatenate(parts), whole)


def test_an_ensemble_with_a_member_that_the_platform_did_not_build_is_scored_by_scikit_learn(caplog) -> None:
    frame, names = make_frame(), columns(make_dataset())
    members = [fitted("shop", "xgboost")[1].estimator, DummyClassifier()]
    model = WeightedMeanClassifier(members, [0.75, 0.25]).fit(sklearn_input(frame, names), frame["buys"])
    assert np.array_equal(
        RowScorer(model, names).outputs(frame), model.predict_proba(sklearn_input(frame, names))[:, 1]
    )
    assert "slow for single rows" in caplog.text


@pytest.mark.parametrize("estimator", ["random_forest", "hist_gradient_boosting"])
def test_trees_give_the_numbers_of_scikit_learn_to_the_bit(estimator) -> None:
    scorer, model = fitted_numbers(estimator)
    frame = make_houses_frame(10, seed=3)
    with threadpool_limits(1):
        assert np.array_equal(scorer.outputs(frame), model.predict(sklearn_input(frame, columns(make_houses()))))
