"""Small fitted models of every estimator and of an ensemble of all, with two classes, three and ten."""

from functools import cache

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from ml_platform.estimators.interval_regressor import IntervalRegressor
from ml_platform.estimators.model_parts import uncalibrated
from ml_platform.estimators.row_scorer import RowScorer, sklearn_input
from ml_platform.estimators.table import ESTIMATORS
from ml_platform.registry.model_files import signature
from ml_platform.specs.spec import Dataset
from ml_platform.specs.tasks import ENSEMBLE
from ml_platform.training.candidates import Candidate, pipeline
from tests.ml_platform.training.trainings import (
    make_dataset,
    make_frame,
    make_houses,
    make_houses_frame,
    make_weeks,
    make_weeks_frame,
)

SMALL = {
    "logistic_regression": {}, "random_forest": {"n_estimators": 9}, "hist_gradient_boosting": {"max_iter": 9},
    "xgboost": {"n_estimators": 30}, "lightgbm": {"n_estimators": 30}, "snapshot_ensemble": {"epochs": 9},
}  # fmt: skip
CALIBRATED = "calibrated "
CLASSIFIERS = [name for name, kind in ESTIMATORS.items() if kind.classifier]
REGRESSORS = [name for name, kind in ESTIMATORS.items() if kind.regressor]
NAMES = [*CLASSIFIERS, *(CALIBRATED + name for name in CLASSIFIERS)]
ENSEMBLES = [ENSEMBLE, CALIBRATED + ENSEMBLE]


def small_candidate(name: str, kinds: list[str] = CLASSIFIERS) -> Candidate:
    """Return a small candidate of an estimator, or an ensemble of all of these kinds."""
    if name != ENSEMBLE:
        return Candidate(name, SMALL.get(name, {}))
    return Candidate.ensemble(
        [((k + 1) / sum(range(len(kinds) + 1)), small_candidate(one)) for k, one in enumerate(kinds)]
    )


def columns(dataset: Dataset) -> dict[str, str]:
    return {column.name: column.type.name for column in signature(dataset).inputs.inputs}


def unfitted(dataset: Dataset, estimator: str) -> BaseEstimator:
    name = estimator.removeprefix(CALIBRATED)
    model = pipeline(small_candidate(name), dataset)
    if estimator == name:  # as the first version of the platform made them
        return model if dataset.label.classes else TunedThresholdClassifierCV(model, scoring="f1", cv=3)
    model = CalibratedClassifierCV(model, cv=2, ensemble=False)
    return model if dataset.label.classes else FixedThresholdClassifier(model, threshold=0.3)


@cache  # a fixture would be set up once for each pair of estimators
def fitted(kind: str, estimator: str) -> tuple[RowScorer, BaseEstimator]:
    """Return a model of `shop` (two classes) or `weeks` (three), and its scorer."""
    dataset, frame = (make_dataset(), make_frame()) if kind == "shop" else (make_weeks(), make_weeks_frame())
    with threadpool_limits(1):
        model = unfitted(dataset, estimator).fit(sklearn_input(frame, columns(dataset)), frame[dataset.label.column])
    return RowScorer(model, columns(dataset)), model


@cache
def fitted_ten_classes(estimator: str) -> tuple[RowScorer, Pipeline]:
    """Return a model of `weeks` with ten classes, and its scorer."""
    dataset, frame = make_weeks(), make_weeks_frame()
    noisy = frame["heat"] + np.random.default_rng(0).normal(0, 2, len(frame))
    with threadpool_limits(1):
        model = unfitted(dataset, estimator).fit(
            sklearn_input(frame, columns(dataset)), pd.qcut(noisy, 10, labels=False)
        )
    return RowScorer(model, columns(dataset)), model


@cache
def fitted_numbers(estimator: str) -> tuple[RowScorer, BaseEstimator]:
    """Return a model of `houses`, whose label is a number, and its scorer."""
    dataset, frame = make_houses(), make_houses_frame()
    model = IntervalRegressor(pipeline(small_candidate(estimator, REGRESSORS), dataset), -1.0, 2.0, 0.9)
    with threadpool_limits(1):
        model.fit(sklearn_input(frame, columns(dataset)), frame[dataset.label.column])
    return RowScorer(model, columns(dataset)), model


def pipeline_of(model: BaseEstimator) -> Pipeline:
    """Return the fitted pipeline, also of a calibrated model and of one with a threshold."""
    return uncalibrated(model)
