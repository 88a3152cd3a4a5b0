"""Base and effects add up to the output of every estimator, on its scale, and are the same to the bit in any batch."""

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy.special import expit, logit
from sklearn.base import BaseEstimator
from sklearn.dummy import DummyClassifier
from sklearn.isotonic import IsotonicRegression
from threadpoolctl import threadpool_limits

from ml_platform.estimators import row_explainer
from ml_platform.estimators.model_parts import calibrated_of, uncalibrated
from ml_platform.estimators.reference_row import keep_reference
from ml_platform.estimators.row_explainer import RowExplainer
from ml_platform.estimators.row_scorer import RowScorer, sklearn_input
from ml_platform.estimators.table import ESTIMATORS
from ml_platform.specs.spec import Dataset
from ml_platform.training.candidates import Candidate, pipeline
from tests.ml_platform.estimators.fitted_models import (
    CALIBRATED,
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

SHOP, WEEKS, HOUSES = (
    (make_dataset(), make_frame()),
    (make_weeks(), make_weeks_frame()),
    (make_houses(), make_houses_frame()),
)
NEW = {"shop": make_frame(60, seed=4), "weeks": make_weeks_frame(60, seed=4), "houses": make_houses_frame(60, seed=4)}


def explainer_of(data: tuple[Dataset, pd.DataFrame], scorer: RowScorer, model: BaseEstimator) -> RowExplainer:
    """Return the explainer of a model, which gets the means that a training keeps with it."""
    dataset, frame = data
    keep_reference(model, sklearn_input(frame, columns(dataset)))
    return RowExplainer(model, scorer, columns(dataset))


@cache
def explained(kind: str, estimator: str) -> tuple[RowExplainer, RowScorer]:
    """Return the explainer and the scorer of a model of `shop`, `weeks`, `houses`, or of `weeks` with ten classes."""
    data = {"shop": SHOP, "houses": HOUSES}.get(kind, WEEKS)
    pairs = {"houses": fitted_numbers, "ten": fitted_ten_classes}
    scorer, model = pairs[kind](estimator) if kind in pairs else fitted(kind, estimator)
    return explainer_of(data, scorer, model), scorer


def sums(explainer: RowExplainer, frame: pd.DataFrame, outputs: Any) -> Any:
    """Return what base and effects add up to, shape (n_rows,)."""
    found = explainer.explain(frame, np.broadcast_to(outputs, len(frame)))
    assert found.effects.shape == (len(frame), found.effects.shape[1])
    return found.base + found.effects.sum(axis=1)


@pytest.mark.parametrize("estimator", [*NAMES, *ENSEMBLES])
def test_effects_add_up_to_log_odds_or_probability_of_two_classes(estimator: str) -> None:
    explainer, scorer = explained("shop", estimator)
    probabilities, found = scorer.outputs(NEW["shop"]), sums(explainer, NEW["shop"], 0)
    is_probability = explainer.scale == "probability"
    assert is_probability == (estimator in ("random_forest", "snapshot_ensemble", "ensemble"))
    np.testing.assert_allclose(found, probabilities if is_probability else logit(probabilities), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "estimator"),
    [*((kind, name) for kind in ("weeks", "ten") for name in NAMES), *(("weeks", name) for name in ENSEMBLES)],
)
def test_effects_add_up_to_the_scores_of_several_classes(kind: str, estimator: str) -> None:
    explainer, scorer = explained(kind, estimator)
    probabilities = scorer.outputs(NEW["weeks"])
    found = np.column_stack([sums(explainer, NEW["weeks"], number) for number in range(probabilities.shape[1])])
    if explainer.scale == "calibrated":
        scores = expit(found)
        found, expected = scores / scores.sum(axis=1, keepdims=True), probabilities
    elif explainer.scale == "margin":
        logarithms = np.log(probabilities)
        expected = logarithms - logarithms.mean(axis=1, keepdims=True)
    else:
        expected = probabilities
    assert explainer.scale == "calibrated" or not estimator.startswith(CALIBRATED)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("estimator", [*REGRESSORS, "ensemble"])
def test_effects_add_up_to_the_number(estimator: str) -> None:
    explainer, scorer = explained("houses", estimator)
    assert explainer.scale == "number"
    np.testing.assert_allclose(sums(explainer, NEW["houses"], 0), scorer.outputs(NEW["houses"]), rtol=1e-6)


@pytest.mark.parametrize("kind", ["shop", "weeks"])
@pytest.mark.parametrize("estimator", [*NAMES, "ensemble"])
def test_a_row_has_the_same_effects_in_any_batch(kind: str, estimator: str, monkeypatch: pytest.MonkeyPatch) -> None:
    explainer, _ = explained(kind, estimator)
    frame, outputs = NEW[kind], np.arange(60) % len(explainer.base)
    whole = explainer.explain(frame, outputs)
    monkeypatch.setattr(row_explainer, "BLOCK_ROWS", 16)
    for size in (1, 2, 33):
        for at in range(0, 60, size):
            part = explainer.explain(frame.iloc[at : at + size], outputs[at : at + size])
            assert np.array_equal(part.effects, whole.effects[at : at + size])
            assert np.array_equal(part.base, whole.base[at : at + size])
    batch = pa.RecordBatch.from_pandas(frame.astype({"member": "boolean"}) if "member" in frame else frame)
    assert np.array_equal(explainer.explain(batch, outputs).effects, whole.effects)


@pytest.mark.parametrize("estimator", [*NAMES, "ensemble"])
def test_effects_belong_to_the_columns_of_the_spec(estimator: str) -> None:
    explainer, _ = explained("shop", estimator)
    effects = explainer.explain(NEW["shop"], np.zeros(60, dtype=int)).effects
    strength = dict(zip(columns(make_dataset()), np.abs(effects).mean(axis=0), strict=True))
    assert list(strength) == ["age", "income", "member", "empty", "town", "blank"]
    assert min(strength["age"], strength["town"]) > max(strength[name] for name in ("income", "member"))
    assert strength["empty"] == strength["blank"] == 0


@pytest.mark.parametrize("loss", ["poisson", "gamma"])
def test_a_loss_of_logarithms_is_explained_by_logarithms(loss: str) -> None:
    dataset, frame = HOUSES
    model = pipeline(Candidate("hist_gradient_boosting", {"loss": loss, "max_iter": 5}), dataset)
    with threadpool_limits(1):
        model.fit(sklearn_input(frame, columns(dataset)), frame["price"].clip(1))
    scorer = RowScorer(model, columns(dataset))
    explainer = explainer_of(HOUSES, scorer, model)
    assert explainer.scale == "logarithm"
    np.testing.assert_allclose(sums(explainer, NEW["houses"], 0), np.log(scorer.outputs(NEW["houses"])), rtol=1e-9)


def test_a_model_that_the_platform_did_not_build_is_not_explained() -> None:
    dummy = DummyClassifier().fit([[0.0], [1.0]], [0, 1])
    with pytest.raises(ValueError, match="the platform did not build this model"):
        RowExplainer(dummy, RowScorer(dummy, {"age": "double"}), {"age": "double"})


def fresh(estimator: str, **params: Any) -> BaseEstimator:
    """Return a fitted pipeline of `shop`, which the test may change."""
    dataset, frame = SHOP
    with threadpool_limits(1):
        return pipeline(Candidate(estimator, params), dataset).fit(
            sklearn_input(frame, columns(dataset)), frame["buys"]
        )


def refusal(model: BaseEstimator) -> str:
    names = columns(make_dataset())
    with pytest.raises(ValueError, match=r"\w") as error:
        RowExplainer(model, RowScorer(model, names), names)
    return str(error.value)


def test_a_version_without_what_a_reason_needs_says_so() -> None:
    assert refusal(fresh("logistic_regression")).endswith(
        "lack the means of its inputs, which versions trained now have; train it again"
    )


@pytest.mark.parametrize("estimator", ["random_forest", "hist_gradient_boosting"])
def test_trees_need_nothing_more(estimator: str) -> None:
    model, names = fresh(estimator), columns(make_dataset())
    assert len(RowExplainer(model, RowScorer(model, names), names).base) == 1


def test_wrong_effects_are_never_given() -> None:
    model = fresh("xgboost", n_estimators=5)
    booster = model[-1]
    contributions = booster.contributions
    booster.contributions = lambda matrix: contributions(matrix) * 1.01
    assert refusal(model) == "its effects do not add up to its output"
    booster.contributions = lambda matrix: contributions(matrix) * np.nan
    assert refusal(model) == "its effects do not add up to its output"


def test_an_estimator_without_effects_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = ESTIMATORS["random_forest"]
    monkeypatch.setitem(ESTIMATORS, "random_forest", type(kind)(**{**vars(kind), "effects": None}))
    assert refusal(fresh("random_forest", n_estimators=2)) == "RandomForestClassifier cannot be explained"


def test_a_calibration_that_is_no_sigmoid_is_not_explained() -> None:
    _, model = fitted("shop", "calibrated logistic_regression")
    calibrated = calibrated_of(model)
    assert calibrated is not None
    keep_reference(model, sklearn_input(SHOP[1], columns(SHOP[0])))
    pair = model.estimator_.calibrated_classifiers_[0]
    sigmoid = pair.calibrators[0]
    pair.calibrators[0] = IsotonicRegression(out_of_bounds="clip").fit([-1.0, 1.0], [0.0, 1.0])
    try:
        assert refusal(model) == "IsotonicRegression is not a sigmoid of the score"
    finally:
        pair.calibrators[0] = sigmoid
    assert uncalibrated(model)[-1] is calibrated.classifier[-1]
