"""The final fit of a candidate on all training rows, with its decision threshold."""

from sklearn.base import BaseEstimator
from sklearn.model_selection import TunedThresholdClassifierCV
from threadpoolctl import threadpool_limits

from ml_platform import RANDOM_STATE
from ml_platform.exceptions import DegenerateDataError
from ml_platform.training.candidates import Candidate, pipeline
from ml_platform.training.split import Split


def fit(candidate: Candidate, parts: Split, folds: int, jobs: int = 1) -> BaseEstimator:
    """Return a candidate fitted on all rows outside the hold-out.

    With two classes it is a `TunedThresholdClassifierCV`; its threshold maximises the out-of-fold F1 on the folds of
    the search. More classes need no threshold: it is the pipeline itself.

    Args:
        candidate: estimator and parameters.
        parts: the training set, split by the hold-out.
        folds: number of folds of the cross-validation.
        jobs: number of folds fitted in parallel.

    Raises:
        DegenerateDataError: scikit-learn cannot fit it, or it predicts the same probability for every row.
    """
    model: BaseEstimator = pipeline(candidate, parts.dataset)
    if len(parts.classes) == 2:
        model = TunedThresholdClassifierCV(
            model, scoring="f1", cv=parts.folds(folds),
            store_cv_results=True, refit=True, n_jobs=jobs, random_state=RANDOM_STATE,
        )  # fmt: skip
    features, labels = parts.train()
    try:
        with threadpool_limits(1):
            model.fit(features, labels)
    except ValueError as error:
        raise DegenerateDataError(f"{parts.dataset.name}: {candidate} cannot be fitted: {error}") from error
    if isinstance(model, TunedThresholdClassifierCV):
        model.set_params(cv=folds)  # otherwise the model would store the row numbers of each fold
    return model


def threshold_of(model: BaseEstimator) -> float | None:
    """Return the probability that a positive row must reach; None with more than two classes."""
    return float(model.best_threshold_) if isinstance(model, TunedThresholdClassifierCV) else None
