"""The final fit of a candidate on all training rows, with its calibration, and its threshold or interval."""

from sklearn.base import BaseEstimator
from sklearn.calibration import CalibratedClassifierCV
from threadpoolctl import threadpool_limits

from ml_platform.estimators.reference_row import keep_reference
from ml_platform.evaluation.task import Calibration
from ml_platform.exceptions import DegenerateDataError
from ml_platform.training.calibrating import calibrate
from ml_platform.training.candidates import Candidate, pipeline
from ml_platform.training.split import Split


def fit(
    candidate: Candidate, parts: Split, folds: int, jobs: int = 1, calibration: Calibration | None = None
) -> BaseEstimator:
    """Return a candidate fitted on all rows outside the hold-out.

    It is the pipeline, inside of what was chosen out of fold: calibrators, a threshold, an interval.

    Args:
        candidate: estimator and parameters.
        parts: the training set, split by the hold-out.
        folds: number of folds of the cross-validation.
        jobs: number of folds fitted in parallel.
        calibration: what `calibrate` returned for these arguments; if not given, it is called now.

    Raises:
        DegenerateDataError: scikit-learn cannot fit it, or it predicts the same for every row.
    """
    chosen = calibration or calibrate(candidate, parts, folds, jobs)
    model = parts.task.with_decision(pipeline(candidate, parts.dataset), chosen, parts.folds(folds), jobs)
    features, labels = parts.train()
    try:
        with threadpool_limits(1):
            model.fit(features, labels)
    except ValueError as error:
        raise DegenerateDataError(f"{parts.dataset.name}: {candidate} cannot be fitted: {error}") from error
    _forget_rows(model, folds)
    if candidate.is_ensemble or candidate.kind.needs_reference:
        keep_reference(model, features)
    return model


def _forget_rows(model: BaseEstimator, folds: int) -> None:
    """Replace the row numbers of each fold, which the model would store, by the number of folds."""
    for part in (model, getattr(model, "estimator", None), getattr(model, "estimator_", None)):
        if isinstance(part, CalibratedClassifierCV):
            part.set_params(cv=folds)
