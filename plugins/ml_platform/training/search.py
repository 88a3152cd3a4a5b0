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

from ml_platform.evaluation.task import Folds, OutOfFold, Task
from ml_platform.specs.spec import Dataset
from ml_platform.specs.tasks import Metric, sign
from ml_platform.training.candidates import Candidate, pipeline

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

    def score(self, scoring: Metric) -> float:
        """Return the mean of a metric, negated if less is better; a failed candidate has minus infinity."""
        mean = self.means.get(scoring, math.nan)
        return -math.inf if self.error or math.isnan(mean) else sign(scoring) * mean

    def fold_scores(self, scoring: Metric) -> list[float]:
        """Return the values of a metric per fold, negated if less is better."""
        return [sign(scoring) * value for value in self.folds[scoring]]


def evaluate(
    candidate: Candidate, dataset: Dataset, task: Task, features: pd.DataFrame, labels: pd.Series, folds: Folds
) -> CandidateResult:
    """Cross-validate one candidate on one thread; if a fit fails, return a result with its error.

    Args:
        candidate: to fit.
        dataset: says which columns are categories.
        task: the kind of problem.
        features: shape (n_rows, n_features).
        labels: shape (n_rows,); every class occurs.
        folds: of the cross-validation, from `split.Split.folds`.
    """
    start_time = time.time()
    with threadpool_limits(1), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            rows = _out_of_fold(pipeline(candidate, dataset), task, features, labels, folds)
        except ValueError as error:
            reasons = [*_notes(caught), str(error).strip()]
            return CandidateResult(
                candidate, start_time=start_time, seconds=time.time() - start_time, error="\n".join(reasons)
            )
    scores = task.fold_metrics(rows)
    return CandidateResult(
        candidate,
        means={metric: float(np.mean(values)) for metric, values in scores.items()},
        sds={metric: float(np.std(values)) for metric, values in scores.items()},
        folds=scores,
        start_time=start_time,
        seconds=time.time() - start_time,
        notes=_notes(caught),
    )


def _out_of_fold(model: Pipeline, task: Task, features: pd.DataFrame, labels: pd.Series, folds: Folds) -> OutOfFold:
    raw = cross_val_predict(model, features, labels, cv=folds, method=task.response)
    if not np.isfinite(raw).all():
        raise ValueError("not every output is a finite number")
    return OutOfFold(labels.to_numpy(), raw, raw, folds)


def _notes(caught: Iterable[warnings.WarningMessage]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(warning.message).strip() for warning in caught))


def search(
    candidates: Iterable[Candidate],
    dataset: Dataset,
    task: Task,
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
        task: the kind of problem.
        features: shape (n_rows, n_features).
        labels: shape (n_rows,); every class occurs.
        folds: of the cross-validation, from `split.Split.folds`.
        jobs: number of processes in parallel, one thread each.
    """
    parallel = Parallel(n_jobs=jobs, return_as="generator_unordered")
    yield from parallel(
        delayed(evaluate)(candidate, dataset, task, features, labels, folds) for candidate in candidates
    )


def rank(results: Iterable[CandidateResult], scoring: Metric) -> list[CandidateResult]:
    """Return the results that have a value of a metric, the best first; ties go to the smaller candidate id."""
    usable = [result for result in results if result.score(scoring) > -math.inf]
    return sorted(usable, key=lambda result: (-result.score(scoring), result.candidate.id))


def log_progress(done: int, total: int, result: CandidateResult, scoring: Metric) -> None:
    """Log one line about a result."""
    if result.error:
        reason = result.error.splitlines()[-1]
        log.warning("candidate %d of %d: %s failed: %s", done, total, result.candidate, reason)
        return
    log.info(
        "candidate %d of %d: %s … %s %.3f ± %.3f (%.1f s)",
        done, total, result.candidate, scoring, result.means[scoring], result.sds[scoring], result.seconds,
    )  # fmt: skip
