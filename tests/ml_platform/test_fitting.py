import numpy as np
import pytest
from trainings import make_dataset, make_frame, make_training_set

from ml_platform.candidates import Candidate
from ml_platform.exceptions import DegenerateDataError
from ml_platform.fitting import fit
from ml_platform.split import split

FOREST = Candidate("random_forest", {"n_estimators": 10})


def test_the_threshold_is_the_best_of_those_tried_out_of_fold():
    model = fit(FOREST, make_dataset(), split(make_training_set(), 3), 3)
    tried = model.cv_results_
    assert model.best_threshold_ == tried["thresholds"][np.argmax(tried["scores"])]
    assert model.best_score_ == max(tried["scores"])


def test_same_data_same_model():
    parts = split(make_training_set(), 3)
    first, second = (fit(FOREST, make_dataset(), parts, 3, jobs) for jobs in (1, 2))
    features, _ = parts.test()
    assert first.best_threshold_ == second.best_threshold_
    assert (first.predict_proba(features) == second.predict_proba(features)).all()


def test_data_without_any_value_has_no_threshold():
    frame = make_frame().assign(age=np.nan, income=np.nan, member=np.nan, town=np.nan)
    frame["town"] = frame["town"].astype(object)
    with pytest.raises(DegenerateDataError, match="constant predictions"):
        fit(FOREST, make_dataset(), split(make_training_set(frame=frame), 3), 3)
