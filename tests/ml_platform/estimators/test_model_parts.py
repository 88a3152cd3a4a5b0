"""A model is a pipeline, perhaps inside calibrators, perhaps inside a threshold; each part is found."""

import pytest
from sklearn.pipeline import Pipeline

from ml_platform.estimators.model_parts import calibrated_of, threshold_of, uncalibrated, undecided
from tests.ml_platform.estimators.fitted_models import CALIBRATED, fitted

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
