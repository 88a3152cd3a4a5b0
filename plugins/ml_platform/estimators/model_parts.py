"""The parts of a fitted model: the threshold is outermost, then the calibrators, then the pipeline."""

from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV

from ml_platform.estimators.sklearn_internals import Calibrated, calibrated_parts


def threshold_of(model: BaseEstimator) -> float | None:
    """Return the probability that a positive row must reach; None for a model without a threshold."""
    if isinstance(model, TunedThresholdClassifierCV):  # a model of an earlier version of the platform
        return float(model.best_threshold_)
    return model.threshold if isinstance(model, FixedThresholdClassifier) else None


def without_threshold(model: BaseEstimator) -> BaseEstimator:
    """Return the fitted classifier to which a model applies its threshold; the model itself if it has none."""
    return model.estimator_ if isinstance(model, FixedThresholdClassifier | TunedThresholdClassifierCV) else model


def calibrated_of(model: BaseEstimator) -> Calibrated | None:
    """Return classifier and calibrators of a fitted model; None if it is not calibrated, or they cannot be read."""
    classifier = without_threshold(model)
    return calibrated_parts(classifier) if isinstance(classifier, CalibratedClassifierCV) else None


def uncalibrated(model: BaseEstimator) -> BaseEstimator:
    """Return the fitted classifier below threshold and calibrators."""
    calibrated = calibrated_of(model)
    return calibrated.classifier if calibrated else without_threshold(model)
