"""The parts of a fitted model: threshold or interval is outermost, then the calibrators, then the pipeline."""

from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV

from ml_platform.estimators.interval_regressor import Interval, IntervalRegressor
from ml_platform.estimators.sklearn_internals import Calibrated, calibrated_parts


def threshold_of(model: BaseEstimator) -> float | None:
    """Return the probability that a positive row must reach; None for a model without a threshold."""
    if isinstance(model, TunedThresholdClassifierCV):  # a model of an earlier version of the platform
        return float(model.best_threshold_)
    return model.threshold if isinstance(model, FixedThresholdClassifier) else None


def interval_of(model: BaseEstimator) -> Interval | None:
    """Return the interval around each prediction; None for a model without one."""
    return Interval(model.lower, model.upper, model.coverage) if isinstance(model, IntervalRegressor) else None


def undecided(model: BaseEstimator) -> BaseEstimator:
    """Return the fitted estimator inside of threshold or interval; the model itself if it has neither."""
    outer = (FixedThresholdClassifier, TunedThresholdClassifierCV, IntervalRegressor)
    return model.estimator_ if isinstance(model, outer) else model


def calibrated_of(model: BaseEstimator) -> Calibrated | None:
    """Return classifier and calibrators of a fitted model; None if it is not calibrated, or they cannot be read."""
    classifier = undecided(model)
    return calibrated_parts(classifier) if isinstance(classifier, CalibratedClassifierCV) else None


def uncalibrated(model: BaseEstimator) -> BaseEstimator:
    """Return the fitted estimator below threshold, interval and calibrators."""
    calibrated = calibrated_of(model)
    return calibrated.classifier if calibrated else undecided(model)
