"""The final fit of a candidate on all training rows, with its calibration and its decision threshold."""

from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import FixedThresholdClassifier
from threadpoolctl import threadpool_limits

from ml_platform.evaluation.calibration import Calibration
from ml_platform.exceptions import DegenerateDataError
from ml_platform.training.calibrating import calibrate
from ml_platform.training.candidates import Candidate, pipeline
from ml_platform.training.split import Split


def fit(
    candidate: Candidate, parts: Split, folds: int, jobs: int = 1, calibration: Calibration | None = None
) -> BaseEstimator:
    """Return a candidate fitted on all rows outside the hold-out.

    It is the pipeline, inside a `CalibratedClassifierCV` if it is calibrated, and with two classes inside a
    `FixedThresholdClassifier`.

    Args:
        candidate: estimator and parameters.
        parts: the training set, split by the hold-out.
        folds: number of folds of the cross-validation.
        jobs: number of folds fitted in parallel.
        calibration: what `calibrate` returned for these arguments; if not given, it is called now.

    Raises:
        DegenerateDataError: scikit-learn cannot fit it, or it predicts the same probability for every row.
    """
    chosen = calibration or calibrate(candidate, parts, folds, jobs)
    model: BaseEstimator = pipeline(candidate, parts.dataset)
    if chosen.method:
        model = CalibratedClassifierCV(model, method=chosen.method, cv=parts.folds(folds), ensemble=False, n_jobs=jobs)
    if chosen.threshold is not None:
        model = FixedThresholdClassifier(model, threshold=chosen.threshold, response_method="predict_proba")
    features, labels = parts.train()
    try:
        with threadpool_limits(1):
            model.fit(features, labels)
    except ValueError as error:
        raise DegenerateDataError(f"{parts.dataset.name}: {candidate} cannot be fitted: {error}") from error
    _forget_rows(model, folds)
    return model


def _forget_rows(model: BaseEstimator, folds: int) -> None:
    """Replace the row numbers of each fold, which the model would store, by the number of folds."""
    for part in (model, getattr(model, "estimator", None), getattr(model, "estimator_", None)):
        if isinstance(part, CalibratedClassifierCV):
            part.set_params(cv=folds)
