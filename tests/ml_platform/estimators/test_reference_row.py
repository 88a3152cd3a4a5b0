"""The means of a model's inputs over its training rows are kept with it."""

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import FixedThresholdClassifier

from ml_platform.estimators.reference_row import NAME, keep_reference, reference_of
from ml_platform.estimators.row_scorer import sklearn_input
from ml_platform.training.candidates import Candidate, pipeline
from tests.ml_platform.estimators.fitted_models import columns, pipeline_of
from tests.ml_platform.training.trainings import make_dataset, make_frame, make_houses

DATASET = make_dataset()
FEATURES, LABELS = sklearn_input(make_frame(), columns(DATASET)), make_frame()["buys"]


@pytest.mark.parametrize("is_calibrated", [False, True], ids=["plain", "calibrated"])
def test_the_means_are_in_the_fitted_step(is_calibrated: bool) -> None:
    model = pipeline(Candidate("logistic_regression", {}), DATASET)
    if is_calibrated:
        model = FixedThresholdClassifier(CalibratedClassifierCV(model, ensemble=False, cv=2), threshold=0.3)
    model.fit(FEATURES, LABELS)
    transformer = pipeline_of(model)[0]
    assert reference_of(transformer) is None
    keep_reference(model, FEATURES)
    np.testing.assert_array_equal(reference_of(transformer), transformer.transform(FEATURES).mean(axis=0))


def test_scaled_numbers_have_the_mean_0() -> None:
    spec = make_houses().model_dump(exclude_defaults=True)
    numbers = type(DATASET).model_validate(
        spec | {"columns": {name: column for name, column in spec["columns"].items() if name != "town"}}
    )
    features = FEATURES[["age", "income"]].set_axis(["area", "rooms"], axis=1)
    model = pipeline(Candidate("ridge", {}), numbers).fit(features, features["rooms"])
    found = reference_of(model[0])
    np.testing.assert_allclose(found, model[0].transform(features).mean(axis=0), rtol=0, atol=1e-12)
    assert not hasattr(model[0], NAME)


def test_of_a_category_that_one_number_stands_for_the_most_frequent_is_kept() -> None:
    model = pipeline(Candidate("lightgbm", {"n_estimators": 2}), DATASET).fit(FEATURES, LABELS)
    keep_reference(model, FEATURES)
    kept, matrix = reference_of(model[0]), model[0].transform(FEATURES)
    assert kept is not None
    towns, counts = np.unique(matrix[:, 0][~np.isnan(matrix[:, 0])], return_counts=True)
    assert kept[0] == towns[counts.argmax()]
    means = [column[~np.isnan(column)].mean() if not np.isnan(column).all() else np.nan for column in matrix.T]
    np.testing.assert_allclose(kept[2:], means[2:])
