import numpy as np
import pytest
from sklearn.pipeline import Pipeline

from ml_platform.exceptions import DegenerateDataError
from ml_platform.training.candidates import Candidate
from ml_platform.training.fitting import fit, threshold_of
from ml_platform.training.split import split
from tests.ml_platform.training.trainings import make_frame, make_training_set, make_weeks, make_weeks_frame

FOREST = Candidate("random_forest", {"n_estimators": 10})


@pytest.mark.slow
def test_the_threshold_is_the_best_of_those_tried_out_of_fold():
    model = fit(FOREST, split(make_training_set(), 3), 3)
    tried = model.cv_results_
    assert threshold_of(model) == tried["thresholds"][np.argmax(tried["scores"])]
    assert model.best_score_ == max(tried["scores"])


@pytest.mark.slow
def test_the_rows_of_the_folds_are_not_kept_in_the_model():
    assert fit(FOREST, split(make_training_set(), 3), 3).cv == 3


def test_several_classes_need_no_threshold():
    parts = split(make_training_set(make_weeks(), make_weeks_frame()), 3)
    model = fit(FOREST, parts, 3)
    assert isinstance(model, Pipeline)
    assert threshold_of(model) is None


@pytest.mark.slow
def test_same_data_same_model():
    parts = split(make_training_set(), 3)
    first, second = (fit(FOREST, parts, 3, jobs) for jobs in (1, 2))
    features, _ = parts.test()
    assert first.best_threshold_ == second.best_threshold_
    assert (first.predict_proba(features) == second.predict_proba(features)).all()


@pytest.mark.slow
def test_data_that_tell_nothing_have_no_threshold():
    rare = np.arange(600) < 5
    frame = make_frame().assign(age=np.nan, income=np.nan, member=np.nan, town=np.where(rare, "Bonn", "Ulm"))
    with pytest.raises(DegenerateDataError, match="constant predictions"):
        fit(Candidate("hist_gradient_boosting", {"max_iter": 1}), split(make_training_set(frame=frame), 3), 3)
