"""The parts of a fitted model: threshold or interval is outermost, then the calibrators, then pipeline or ensemble."""

from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV

from ml_platform.estimators.interval_regressor import Interval, IntervalRegressor
from ml_platform.estimators.sklearn_internals import Calibrated, calibrated_parts
from ml_platform.estimators.weighted_mean import WeightedMean


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


def weighted_members(model: BaseEstimator) -> list[tuple[float, BaseEstimator]]:
    """Return the fitted pipelines below threshold, interval and calibrators, each with its weight.

    The uncalibrated output of the model is the weighted mean of theirs. One that is no ensemble has one pipeline.
    """
    inner = uncalibrated(model)
    if isinstance(inner, WeightedMean):
        return list(zip(inner.weights, inner.members_, strict=True))
    return [(1.0, inner)]
