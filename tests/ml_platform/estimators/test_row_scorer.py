"""The tables give what scikit-learn gives, for any row, in any company."""

from collections.abc import Iterator
from functools import cache

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import TunedThresholdClassifierCV
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from ml_platform.estimators.boosted_trees import BoostedTrees
from ml_platform.estimators.row_scorer import RowScorer, sklearn_input
from ml_platform.registry.model_files import signature
from ml_platform.specs.spec import Dataset
from ml_platform.training.candidates import Candidate, pipeline
from tests.ml_platform.training.trainings import make_dataset, make_frame, make_weeks, make_weeks_frame

FEW = {"logistic_regression": {}, "random_forest": {"n_estimators": 9}, "hist_gradient_boosting": {"max_iter": 9}}


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield


def columns(dataset: Dataset) -> dict[str, str]:
    return {column.name: column.type.name for column in signature(dataset).inputs.inputs}


@cache  # the fixtures below are set up for each pair of estimators
def fitted(kind: str, estimator: str) -> tuple[RowScorer, TunedThresholdClassifierCV]:
    dataset, frame = (make_dataset(), make_frame()) if kind == "shop" else (make_weeks(), make_weeks_frame())
    model = pipeline(Candidate(estimator, FEW[estimator]), dataset)
    if not dataset.label.classes:
        model = TunedThresholdClassifierCV(model, scoring="f1", cv=3)
    model.fit(sklearn_input(frame, columns(dataset)), frame[dataset.label.column])
    return RowScorer(model, columns(dataset)), model


@pytest.fixture(scope="module", params=FEW)
def shop(request: pytest.FixtureRequest) -> tuple[RowScorer, TunedThresholdClassifierCV]:
    return fitted("shop", request.param)


@pytest.fixture(scope="module", params=FEW)
def weeks(request: pytest.FixtureRequest) -> tuple[RowScorer, TunedThresholdClassifierCV]:
    return fitted("weeks", request.param)


def test_two_classes_equal_scikit_learn(shop) -> None:
    scorer, model = shop
    frame = make_frame(500, seed=2)
    expected = model.predict_proba(sklearn_input(frame, columns(make_dataset())))[:, 1]
    np.testing.assert_allclose(scorer.probabilities(frame), expected, rtol=0, atol=1e-12)


def test_several_classes_equal_scikit_learn(weeks) -> None:
    scorer, model = weeks
    frame = make_weeks_frame(300, seed=2)
    expected = model.predict_proba(sklearn_input(frame, columns(make_weeks())))
    np.testing.assert_allclose(scorer.probabilities(frame), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("size", [1, 2, 7, 63, 64, 65])
def test_a_row_has_the_same_probability_in_any_company(shop, weeks, size) -> None:
    for (scorer, _), frame in ((shop, make_frame(300, seed=3)), (weeks, make_weeks_frame(300, seed=3))):
        whole = scorer.probabilities(frame)
        for start in range(0, 300, 37):
            part = frame.iloc[start : start + size]
            assert np.array_equal(scorer.probabilities(part), whole[start : start + size])


@cache
def of_ten_classes(estimator: str) -> tuple[RowScorer, Pipeline]:
    dataset, frame = make_weeks(), make_weeks_frame()
    noisy = frame["heat"] + np.random.default_rng(0).normal(0, 2, len(frame))
    model = pipeline(Candidate(estimator, FEW[estimator]), dataset)
    model.fit(sklearn_input(frame, columns(dataset)), pd.qcut(noisy, 10, labels=False))
    return RowScorer(model, columns(dataset)), model


@pytest.mark.parametrize("estimator", FEW)
@pytest.mark.parametrize("size", [1, 2, 33])
def test_of_ten_classes_a_row_has_the_same_probabilities_in_any_company(estimator, size) -> None:
    scorer, model = of_ten_classes(estimator)
    frame = make_weeks_frame(200, seed=3)
    whole = scorer.probabilities(frame)
    np.testing.assert_allclose(
        whole, model.predict_proba(sklearn_input(frame, columns(make_weeks()))), rtol=0, atol=1e-12
    )
    parts = [scorer.probabilities(frame.iloc[start : start + size]) for start in range(0, 200, size)]
    assert np.array_equal(np.vstack(parts), whole)


def test_trees_that_scikit_learn_is_asked_for_give_a_row_the_same_probabilities_too(monkeypatch) -> None:
    _, model = of_ten_classes("hist_gradient_boosting")
    monkeypatch.setattr(BoostedTrees, "predict_proba", lambda _, matrix: np.zeros((len(matrix), 10)))
    scorer, frame = RowScorer(model, columns(make_weeks())), make_weeks_frame(100, seed=3)
    alone = [scorer.probabilities(frame.iloc[[i]]) for i in range(100)]
    assert np.array_equal(np.vstack(alone), scorer.probabilities(frame))


def test_arrows_columns_give_the_same_bits_as_a_frame(shop, weeks) -> None:
    for (scorer, _), frame in ((shop, make_frame(300, seed=3)), (weeks, make_weeks_frame(300, seed=3))):
        batch = pa.RecordBatch.from_pandas(frame.astype({"member": "boolean"}) if "member" in frame else frame)
        assert np.array_equal(scorer.probabilities(batch), scorer.probabilities(frame))
        assert np.array_equal(scorer.probabilities(batch.slice(7, 1)), scorer.probabilities(frame.iloc[7:8]))


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
    np.testing.assert_allclose(scorer.probabilities(frame), expected, rtol=0, atol=1e-12)


def test_a_number_beyond_what_trees_hold_is_very_large() -> None:
    scorer, _ = fitted("shop", "random_forest")
    large, larger = (scorer.probabilities(pd.DataFrame([{"age": age}])) for age in (1e30, 1e300))
    assert large == larger


def test_a_number_that_overflows_when_it_is_scaled_is_very_large(shop, weeks) -> None:
    for (scorer, _), frame, name in (
        (shop, make_frame(100, seed=3), "member"),
        (weeks, make_weeks_frame(100, seed=3), "rain"),
    ):
        largest = np.finfo(np.float64).max
        cells = np.select([frame.index == 7, frame.index == 70], [largest, -largest], frame[name])
        found, usual = scorer.probabilities(frame.assign(**{name: cells})), scorer.probabilities(frame)
        others = frame.index.difference([7, 70])
        assert np.array_equal(found[others], usual[others])
        assert ((found >= 0) & (found <= 1)).all()
        for row in (7, 70):
            alone = frame.assign(**{name: cells}).iloc[[row]]
            assert np.array_equal(scorer.probabilities(alone), found[[row]])


def test_another_kind_of_model_is_scored_by_scikit_learn(caplog) -> None:
    frame = make_frame()
    names = columns(make_dataset())
    model = DummyClassifier().fit(sklearn_input(frame, names), frame["buys"])
    found = RowScorer(model, names).probabilities(frame)
    assert np.array_equal(found, model.predict_proba(sklearn_input(frame, names))[:, 1])
    assert "slow for single rows" in caplog.text
