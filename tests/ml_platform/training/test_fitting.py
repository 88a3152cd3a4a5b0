import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.pipeline import Pipeline

from ml_platform.estimators.model_parts import interval_of, threshold_of, uncalibrated, undecided
from ml_platform.estimators.reference_row import reference_of
from ml_platform.exceptions import DegenerateDataError
from ml_platform.training.calibrating import calibrate
from ml_platform.training.candidates import Candidate
from ml_platform.training.fitting import fit
from ml_platform.training.split import split
from tests.ml_platform.training.trainings import (
    make_dataset,
    make_frame,
    make_houses,
    make_houses_frame,
    make_training_set,
    make_weeks,
    make_weeks_frame,
)

BALANCED = Candidate("logistic_regression", {"class_weight": "balanced"})
FOREST = Candidate("random_forest", {"n_estimators": 10})
BOOSTED = [Candidate(name, {"n_estimators": 50, "subsample": 0.8}) for name in ("xgboost", "lightgbm")]


def without_calibration(dataset):
    return dataset.model_copy(update={"search": dataset.search.model_copy(update={"calibrate": False})})


def test_a_model_of_two_classes_is_calibrated_and_has_the_threshold_of_its_calibration():
    parts = split(make_training_set(), 3)
    calibration = calibrate(BALANCED, parts, 3)
    model = fit(BALANCED, parts, 3, calibration=calibration)
    assert isinstance(undecided(model), CalibratedClassifierCV)
    assert threshold_of(model) == calibration.task.threshold
    features, _ = parts.test()
    assert (model.predict(features) == (model.predict_proba(features)[:, 1] >= calibration.task.threshold)).all()


def test_the_rows_of_the_folds_are_not_kept_in_the_model():
    model = fit(BALANCED, split(make_training_set(), 3), 3)
    assert model.estimator.cv == model.estimator_.cv == 3


def test_without_calibration_a_model_is_a_pipeline_with_a_threshold():
    model = fit(FOREST, split(make_training_set(without_calibration(make_dataset())), 3), 3)
    assert isinstance(undecided(model), Pipeline)
    assert 0 < threshold_of(model) < 1


def test_several_classes_need_no_threshold():
    parts = split(make_training_set(without_calibration(make_weeks()), make_weeks_frame()), 3)
    model = fit(FOREST, parts, 3)
    assert isinstance(model, Pipeline)
    assert threshold_of(model) is None


@pytest.mark.slow
@pytest.mark.parametrize("candidate", [FOREST, *BOOSTED], ids=lambda candidate: candidate.estimator)
def test_same_data_same_model(candidate):
    parts = split(make_training_set(), 3)
    first, second = (fit(candidate, parts, 3, jobs) for jobs in (1, 2))
    features, _ = parts.test()
    assert first.threshold == second.threshold
    assert (first.predict_proba(features) == second.predict_proba(features)).all()


def test_data_that_tell_nothing_have_no_threshold():
    rare = np.arange(600) < 5
    frame = make_frame().assign(age=np.nan, income=np.nan, member=np.nan, town=np.where(rare, "Bonn", "Ulm"))
    with pytest.raises(DegenerateDataError, match="predicts the same for every row"):
        fit(Candidate("hist_gradient_boosting", {"max_iter": 1}), split(make_training_set(frame=frame), 3), 3)


def test_a_model_of_numbers_has_the_interval_of_its_calibration():
    parts = split(make_training_set(make_houses(), make_houses_frame()), 3)
    ridge = Candidate("ridge", {})
    calibration = calibrate(ridge, parts, 3)
    model = fit(ridge, parts, 3, calibration=calibration)
    assert interval_of(model) == calibration.task.interval
    assert isinstance(undecided(model), Pipeline)


@pytest.mark.parametrize(("candidate", "is_kept"), [(BALANCED, True), (FOREST, False)], ids=["linear", "trees"])
def test_the_means_that_reasons_need_are_kept_in_the_model(candidate, is_kept):
    parts = split(make_training_set(), 3)
    transformer = uncalibrated(fit(candidate, parts, 3))[0]
    assert (reference_of(transformer) is not None) == is_kept
    if is_kept:
        expected = transformer.transform(parts.train()[0]).mean(axis=0)
        np.testing.assert_allclose(reference_of(transformer), expected, rtol=0, atol=1e-12)
