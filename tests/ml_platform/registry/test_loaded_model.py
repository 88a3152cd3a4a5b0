"""A loaded model scores any batch by its own inputs, and says which version cannot."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy.special import logit

from ml_platform.estimators import reference_row
from ml_platform.estimators.model_parts import uncalibrated
from ml_platform.estimators.row_explainer import RowEffects, RowExplainer
from ml_platform.exceptions import RegistryError
from ml_platform.registry.loaded_model import LoadedModel
from ml_platform.registry.model_files import signature
from ml_platform.training.candidates import Candidate, pipeline
from ml_platform.training.fitting import fit
from ml_platform.training.split import split
from ml_platform.training.training_set import TrainingSet
from tests.ml_platform.training.trainings import make_frame, make_training_set, make_weeks, make_weeks_frame

LINEAR = Candidate("logistic_regression", {})


def loaded(training_set: TrainingSet) -> LoadedModel:
    parts = split(training_set, 3)
    model, dataset = fit(LINEAR, parts, 3), training_set.dataset
    return LoadedModel(
        name=dataset.name, version=7, estimator=model, task=parts.task.as_fitted(model),
        columns={column.name: column.type.name for column in signature(dataset).inputs.inputs},
        dataset=dataset, holdout=parts.rule,
        training_set_sha256=training_set.sha256, run_id="run",
    )  # fmt: skip


@pytest.fixture(scope="module")
def shop() -> LoadedModel:
    return loaded(make_training_set())


@pytest.fixture(scope="module")
def weeks() -> LoadedModel:
    return loaded(make_training_set(make_weeks(), make_weeks_frame()))


def test_with_two_classes_a_row_is_positive_from_the_threshold_on(shop):
    frame = make_frame(50, seed=2)
    probabilities, predictions = shop.predict(frame)
    assert (probabilities.shape, predictions.shape, predictions.dtype) == ((50,), (50,), np.int64)
    assert 0 < predictions.sum() < 50
    at_the_threshold = replace(shop, task=replace(shop.task, threshold=float(probabilities[7])))
    assert at_the_threshold.predict(frame)[1].tolist() == (probabilities >= probabilities[7]).astype(int).tolist()
    assert at_the_threshold.predict(frame)[1][7] == 1


def test_with_more_classes_the_most_probable_one_is_predicted(weeks):
    probabilities, predictions = weeks.predict(make_weeks_frame(50, seed=2))
    assert (probabilities.shape, predictions.shape) == ((50, 3), (50,))
    assert (predictions == probabilities.argmax(axis=1)).all()


def test_effects_of_two_classes_add_up_to_the_log_odds(shop):
    frame = make_frame(50, seed=2)
    probabilities, predictions = shop.predict(frame)
    explained = shop.explain(frame, predictions)
    np.testing.assert_allclose(explained.base + explained.effects.sum(axis=1), logit(probabilities), atol=1e-9)


def test_effects_of_more_classes_are_of_the_predicted_one(weeks):
    frame = make_weeks_frame(50, seed=2)
    _, predictions = weeks.predict(frame)
    assert len(set(predictions.tolist())) == 3
    explained = weeks.explain(frame, predictions)
    assert explained.base.tolist() == weeks.explainer.base[predictions].tolist()


def test_no_rows_have_no_effects(shop):
    assert shop.explain(pd.DataFrame(), np.empty(0, dtype=int)).effects.shape == (0, 6)


def test_a_version_that_gives_no_reasons_is_named(shop):
    model = deepcopy(shop.estimator)
    delattr(uncalibrated(model)[0], reference_row.NAME)
    older, frame = replace(shop, estimator=model), make_frame(3)
    with pytest.raises(RegistryError, match=r"shop version 7 gives no reasons: its files lack .+; train it again"):
        older.explain(frame, older.predict(frame)[1])


def test_effects_that_are_not_finite_are_refused(shop, monkeypatch):
    explained = RowEffects(np.zeros(2), np.array([[1.0, np.inf], [0.0, 0.0]]))
    monkeypatch.setattr(RowExplainer, "explain", lambda *_: explained)
    with pytest.raises(RegistryError, match="shop version 7 gives effects that are not finite"):
        shop.explain(make_frame(2), np.zeros(2, dtype=int))


@pytest.mark.parametrize("kind", ["shop", "weeks"])
def test_no_rows_give_no_predictions_in_the_usual_shape(request, kind):
    model = request.getfixturevalue(kind)
    probabilities, predictions = model.predict(pd.DataFrame())
    assert probabilities.shape == ((0,) if kind == "shop" else (0, 3))
    assert (predictions.shape, predictions.dtype) == ((0,), np.int64)


def test_a_frame_a_batch_and_single_rows_give_the_same_bits(shop):
    frame = make_frame(50, seed=2)
    probabilities, _ = shop.predict(frame)
    assert np.array_equal(shop.predict(pa.RecordBatch.from_pandas(frame))[0], probabilities)
    assert np.array_equal(np.hstack([shop.predict(frame.iloc[[i]])[0] for i in range(50)]), probabilities)


def test_an_absent_column_is_missing_and_another_is_ignored(shop):
    frame = make_frame(9, seed=2)
    expected = shop.predict(frame.assign(age=np.nan))[0]
    assert np.array_equal(shop.predict(frame.drop(columns="age").assign(stranger="?"))[0], expected)


def test_rows_that_cannot_be_scored_are_rejected_with_name_and_version(shop):
    with pytest.raises(RegistryError, match="shop version 7 cannot score: could not convert string to float: 'old'"):
        shop.predict(make_frame(3).assign(age="old"))


def test_a_model_that_is_not_fitted_is_rejected_with_name_and_version(shop):
    unfitted = replace(shop, estimator=pipeline(LINEAR, shop.dataset))
    with pytest.raises(RegistryError, match="shop version 7 cannot score: "):
        unfitted.predict(make_frame(3))
