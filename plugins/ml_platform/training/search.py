"""Grid search: candidates are cross-validated in parallel, and each result is passed on as soon as it is ready."""

import logging
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import NDArray

from ml_platform.evaluation.task import Folds, Task
from ml_platform.specs.spec import Dataset
from ml_platform.specs.tasks import Metric, sign
from ml_platform.training.candidates import Candidate
from ml_platform.training.fold_fits import FoldFit, fit_fold, out_of_fold

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CandidateResult:
    """The result of one candidate.

    Attributes:
        candidate: estimator and parameters.
        means: mean of each metric over the folds; empty if the candidate failed.
        sds: (population) standard deviation of each metric over the folds.
        folds: each metric's value per fold; empty if the candidate failed. Only of the first folds if it was pruned.
        start_time: seconds since the epoch.
        seconds: time of all fits.
        elapsed: time of the search, over all its attempts, at which this result was there.
        error: reason of the failure, or None.
        notes: the warnings of scikit-learn, each text once.
        interim: score after the first folds, by their number; empty in a grid search.
        pruned: whether it was stopped after the first folds; it then has no means.
        raw: what its models return for the rows that they were not fitted on, as in `OutOfFold`; None if not kept.
    """

    candidate: Candidate
    means: dict[str, float] = field(default_factory=dict)
    sds: dict[str, float] = field(default_factory=dict)
    folds: dict[str, list[float]] = field(default_factory=dict)
    start_time: float = 0.0
    seconds: float = 0.0
    elapsed: float = 0.0
    error: str | None = None
    notes: tuple[str, ...] = ()
    interim: dict[int, float] = field(default_factory=dict)
    pruned: bool = False
    raw: NDArray[np.float64] | None = field(default=None, repr=False, compare=False)

    @classmethod
    def of_folds(cls, candidate: Candidate, folds: Mapping[str, Sequence[float]], **more: Any) -> "CandidateResult":
        """Return the result of a candidate with these values of each metric per fold; `more` are other attributes."""
        return cls(
            candidate,
            means={metric: float(np.mean(values)) for metric, values in folds.items()},
            sds={metric: float(np.std(values)) for metric, values in folds.items()},
            folds={metric: list(values) for metric, values in folds.items()},
            **more,
        )

    def score(self, scoring: Metric) -> float:
        """Return the mean of a metric, negated if less is better; a failed or pruned candidate has minus infinity."""
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
    fits: list[FoldFit] = []
    for fold in folds:
        fits.append(fit_fold(candidate, dataset, task, features, labels, fold))
        if fits[-1].error is not None:
            break
    return result_of(candidate, task, labels, fits, folds)


def result_of(
    candidate: Candidate, task: Task, labels: pd.Series, fits: Sequence[FoldFit], folds: Folds
) -> CandidateResult:
    """Return the result of a candidate that was fitted fold by fold; if a fit failed, one with its error.

    Args:
        candidate: that was fitted.
        task: the kind of problem.
        labels: shape (n_rows,); every class occurs.
        fits: one per fold, or up to the one that failed.
        folds: the positions of the other rows and of its own, per fold.
    """
    error = next((fit.error for fit in fits if fit.error is not None), None)
    notes = tuple(dict.fromkeys(note for fit in fits for note in fit.notes))
    start_time, seconds = min(fit.start_time for fit in fits), sum(fit.seconds for fit in fits)
    if error is not None:
        reason = "\n".join([*notes, error])
        return CandidateResult(candidate, start_time=start_time, seconds=seconds, error=reason)
    rows = out_of_fold(labels, fits, folds)
    more = {"start_time": start_time, "seconds": seconds, "notes": notes, "raw": rows.raw}
    return CandidateResult.of_folds(candidate, task.fold_metrics(rows), **more)


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
    if result.pruned:
        values = result.folds[scoring]
        log.info(
            "candidate %d of %d: %s pruned after fold %d … %s %.3f (%.1f s)",
            done, total, result.candidate, len(values), scoring, np.mean(values), result.seconds,
        )  # fmt: skip
        return
    log.info(
        "candidate %d of %d: %s … %s %.3f ± %.3f (%.1f s)",
        done, total, result.candidate, scoring, result.means[scoring], result.sds[scoring], result.seconds,
    )  # fmt: skip
