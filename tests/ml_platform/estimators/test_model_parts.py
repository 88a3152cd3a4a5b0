"""A model is a pipeline, perhaps inside calibrators, perhaps inside a threshold; each part is found."""

import pytest
from sklearn.pipeline import Pipeline

from ml_platform.estimators.model_parts import calibrated_of, threshold_of, uncalibrated, undecided, weighted_members
from ml_platform.estimators.row_scorer import sklearn_input
from tests.ml_platform.estimators.fitted_models import CALIBRATED, CLASSIFIERS, ENSEMBLES, columns, fitted
from tests.ml_platform.training.trainings import make_dataset, make_frame

NAME = "logistic_regression"


@pytest.mark.parametrize("kind", ["shop", "weeks"])
@pytest.mark.parametrize("name", [NAME, CALIBRATED + NAME])
def test_the_pipeline_is_below_all_other_parts(kind, name):
    _, model = fitted(kind, name)
    assert isinstance(uncalibrated(model), Pipeline)
    assert (undecided(model) is model) is (kind == "weeks")


def test_the_threshold_is_that_of_the_model_also_of_an_earlier_version():
    _, tuned = fitted("shop", NAME)
    assert threshold_of(tuned) == tuned.best_threshold_
    assert threshold_of(fitted("shop", CALIBRATED + NAME)[1]) == 0.3
    assert threshold_of(fitted("weeks", NAME)[1]) is None


def test_there_is_one_calibrator_for_two_classes_and_else_one_per_class():
    counts = [len(calibrated_of(fitted(kind, CALIBRATED + NAME)[1]).calibrators) for kind in ("shop", "weeks")]
    assert counts == [1, 3]
    assert calibrated_of(fitted("shop", NAME)[1]) is None


@pytest.mark.parametrize("name", ENSEMBLES)
def test_the_output_of_an_ensemble_is_the_weighted_mean_of_its_members(name):
    _, model = fitted("shop", name)
    members = weighted_members(model)
    assert len(members) == len(CLASSIFIERS)
    assert sum(weight for weight, _ in members) == pytest.approx(1)
    rows = sklearn_input(make_frame(50, seed=2), columns(make_dataset()))
    mean = sum(weight * member.predict_proba(rows) for weight, member in members)
    assert mean == pytest.approx(uncalibrated(model).predict_proba(rows))


def test_any_other_model_is_its_only_member():
    _, model = fitted("shop", CALIBRATED + NAME)
    assert weighted_members(model) == [(1.0, uncalibrated(model))]
