"""Grid search: candidates are cross-validated in parallel, and each result is passed on as soon as it is ready."""

import logging
import math
import time
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from ml_platform.evaluation.metrics import Labels, Probabilities, best_threshold, classification_metrics, predictions_of
from ml_platform.specs.parts import METRICS
from ml_platform.specs.spec import Dataset
from ml_platform.training.candidates import Candidate, pipeline
from ml_platform.training.split import Folds

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CandidateResult:
    """The result of one candidate.

    Attributes:
        candidate: estimator and parameters.
        means: mean of each metric over the folds; empty if the candidate failed.
        sds: (population) standard deviation of each metric over the folds.
        folds: each metric's value per fold; empty if the candidate failed.
        start_time: seconds since the epoch.
        seconds: time of all fits and of scoring.
        error: reason of the failure, or None.
        notes: the warnings of scikit-learn, each text once.
    """

    candidate: Candidate
    means: dict[str, float] = field(default_factory=dict)
    sds: dict[str, float] = field(default_factory=dict)
    folds: dict[str, list[float]] = field(default_factory=dict)
    start_time: float = 0.0
    seconds: float = 0.0
    error: str | None = None
    notes: tuple[str, ...] = ()

    def score(self, scoring: str) -> float:
        """Return the mean of a metric; a failed candidate scores minus infinity, so it never wins."""
        mean = self.means.get(scoring, math.nan)
        return -math.inf if self.error or math.isnan(mean) else mean


def evaluate(
    candidate: Candidate, dataset: Dataset, features: pd.DataFrame, labels: pd.Series, folds: Folds
) -> CandidateResult:
    """Cross-validate one candidate on one thread; if a fit fails, return a result with its error.

    With two classes the predictions in a fold are those at the threshold that has the highest F1 in the other folds: a
    final model has a threshold of its own too, so the default of 0.5 would compare what is never used.

    Args:
        candidate: to fit.
        dataset: says which columns are categories.
        features: shape (n_rows, n_features).
        labels: class indices, shape (n_rows,); every class occurs.
        folds: of the cross-validation, from `split.Split.folds`.
    """
    start_time = time.time()
    with threadpool_limits(1), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            probabilities = _out_of_fold(pipeline(candidate, dataset), features, labels, folds)
        except ValueError as error:
            reasons = [*_notes(caught), str(error).strip()]
            return CandidateResult(
                candidate, start_time=start_time, seconds=time.time() - start_time, error="\n".join(reasons)
            )
    scores = fold_scores(labels.to_numpy(dtype=np.int64), probabilities, folds)
    return CandidateResult(
        candidate,
        means={metric: float(np.mean(values)) for metric, values in scores.items()},
        sds={metric: float(np.std(values)) for metric, values in scores.items()},
        folds=scores,
        start_time=start_time,
        seconds=time.time() - start_time,
        notes=_notes(caught),
    )


def _out_of_fold(model: Pipeline, features: pd.DataFrame, labels: pd.Series, folds: Folds) -> Probabilities:
    probabilities: Probabilities = cross_val_predict(model, features, labels, cv=folds, method="predict_proba")
    if not np.isfinite(probabilities).all():
        raise ValueError("not every probability is a finite number")
    return probabilities


def _notes(caught: Iterable[warnings.WarningMessage]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(warning.message).strip() for warning in caught))


def fold_scores(labels: Labels, probabilities: Probabilities, folds: Folds) -> dict[str, list[float]]:
    """Return each metric's value per fold, at the threshold of the other folds.

    Args:
        labels: class indices, shape (n_rows,).
        probabilities: out of fold, shape (n_rows, n_classes).
        folds: the positions of the other rows and of its own, per fold.
    """
    if probabilities.shape[1] == 2:
        probabilities = probabilities[:, 1]
    scores: dict[str, list[float]] = {metric: [] for metric in METRICS}
    for others, own in folds:
        threshold = best_threshold(labels[others], probabilities[others]) if probabilities.ndim == 1 else None
        predictions = predictions_of(probabilities[own], threshold)
        for metric, value in classification_metrics(labels[own], probabilities[own], predictions).items():
            scores[metric].append(value)
    return scores


def search(
    candidates: Iterable[Candidate],
    dataset: Dataset,
    features: pd.DataFrame,
    labels: pd.Series,
    *,
    folds: Folds,
    jobs: int,
) -> Iterator[CandidateResult]:
    """Yield the result of each candidate as soon as it ends, in any order.

    The results do not depend on `jobs`. The other candidates are fitted while the caller works with a result.

    Args:
        candidates: to fit.
        dataset: says which columns are categories.
        features: shape (n_rows, n_features).
        labels: class indices, shape (n_rows,); every class occurs.
        folds: of the cross-validation, from `split.Split.folds`.
        jobs: number of processes in parallel, one thread each.
    """
    parallel = Parallel(n_jobs=jobs, return_as="generator_unordered")
    yield from parallel(delayed(evaluate)(candidate, dataset, features, labels, folds) for candidate in candidates)


def rank(results: Iterable[CandidateResult], scoring: str) -> list[CandidateResult]:
    """Return the results that have a value of a metric, the best first; ties go to the smaller candidate id."""
    usable = [result for result in results if result.score(scoring) > -math.inf]
    return sorted(usable, key=lambda result: (-result.score(scoring), result.candidate.id))


def log_progress(done: int, total: int, result: CandidateResult, scoring: str) -> None:
    """Log one line about a result."""
    if result.error:
        reason = result.error.splitlines()[-1]
        log.warning("candidate %d of %d: %s failed: %s", done, total, result.candidate, reason)
        return
    log.info(
        "candidate %d of %d: %s … %s %.3f ± %.3f (%.1f s)",
        done, total, result.candidate, scoring, result.means[scoring], result.sds[scoring], result.seconds,
    )  # fmt: skip
