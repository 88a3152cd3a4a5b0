"""Grid search: every candidate cross-validated side by side, each result handed over the moment it is there."""

import logging
import math
import os
import threading
import time
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.model_selection import cross_validate
from threadpoolctl import threadpool_limits

from ml_platform.evaluation.metrics import scorers
from ml_platform.specs.parts import METRICS
from ml_platform.specs.spec import Dataset
from ml_platform.training.candidates import Candidate, pipeline
from ml_platform.training.split import Folds

log = logging.getLogger(__name__)

WATCHED_EVERY = 2.0  # seconds until a worker knows that its task is gone


@dataclass(frozen=True)
class CandidateResult:
    """How one candidate did.

    Attributes:
        candidate: what was fitted.
        means: per metric the mean over the folds; empty if it failed.
        sds: per metric the (population) standard deviation over the folds.
        folds: per metric the value of each fold; empty where only the summary is remembered.
        fit_seconds: the fits of all folds together.
        started: seconds since the epoch.
        seconds: from start to end, scoring included.
        error: why it failed, or None.
        notes: what scikit-learn warned about, each text once.
    """

    candidate: Candidate
    means: dict[str, float] = field(default_factory=dict)
    sds: dict[str, float] = field(default_factory=dict)
    folds: dict[str, list[float]] = field(default_factory=dict)
    fit_seconds: float = 0.0
    started: float = 0.0
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
    """Cross-validate one candidate on one thread. A fit that fails makes a failed result, never an exception."""
    started = time.time()
    with threadpool_limits(1), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            scores = cross_validate(
                pipeline(candidate, dataset), features, labels,
                cv=folds, scoring=scorers(labels.nunique()), error_score=np.nan,
            )  # fmt: skip
        except ValueError as error:  # what scikit-learn raises, with the tracebacks in its text, when every fit fails
            return CandidateResult(candidate, started=started, seconds=time.time() - started, error=str(error).strip())
    notes = tuple(dict.fromkeys(str(warning.message).strip() for warning in caught))
    return _result(candidate, scores, started, notes)


def _result(candidate: Candidate, scores: dict[str, Any], started: float, notes: tuple[str, ...]) -> CandidateResult:
    folds: dict[str, list[float]] = {metric: scores[f"test_{metric}"].tolist() for metric in METRICS}
    lost = [metric for metric, values in folds.items() if not np.isfinite(values).all()]
    return CandidateResult(
        candidate,
        means={} if lost else {metric: float(np.mean(values)) for metric, values in folds.items()},
        sds={} if lost else {metric: float(np.std(values)) for metric, values in folds.items()},
        folds={} if lost else folds,
        fit_seconds=float(sum(scores["fit_time"])),
        started=started,
        seconds=time.time() - started,
        error="\n".join([*notes, f"not every fold could be scored by {', '.join(lost)}"]) if lost else None,
        notes=notes,
    )


def search(
    candidates: Iterable[Candidate],
    dataset: Dataset,
    features: pd.DataFrame,
    labels: pd.Series,
    *,
    folds: Folds,
    jobs: int,
) -> Iterator[CandidateResult]:
    """Yield the result of each candidate the moment it ends, whatever its place in the list.

    The results do not depend on `jobs`. While the caller is busy with one, the others are being fitted.

    Args:
        candidates: what to fit.
        dataset: says which columns are categories.
        features: shape (n_rows, n_features).
        labels: class indices, shape (n_rows,), every class present.
        folds: of the cross-validation, from `split.Split.folds`.
        jobs: processes side by side, one thread each.
    """
    parallel = Parallel(
        n_jobs=jobs, return_as="generator_unordered", initializer=end_with_parent, initargs=(os.getpid(),)
    )
    yield from parallel(delayed(evaluate)(candidate, dataset, features, labels, folds) for candidate in candidates)


def end_with_parent(parent: int) -> None:
    """Let this process end soon after its parent: a task that is killed cannot tell its workers."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(WATCHED_EVERY)
        os._exit(1)

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()


def ranked(results: Iterable[CandidateResult], scoring: str) -> list[CandidateResult]:
    """Return the results that can be ranked by a metric, the best first; ties go to the smaller candidate id."""
    usable = [result for result in results if result.score(scoring) > -math.inf]
    return sorted(usable, key=lambda result: (-result.score(scoring), result.candidate.id))


def log_progress(done: int, total: int, result: CandidateResult, scoring: str) -> None:
    """Write one line about an result to the log."""
    if result.error:
        reason = result.error.splitlines()[-1]
        log.warning("candidate %d of %d: %s failed: %s", done, total, result.candidate, reason)
        return
    log.info(
        "candidate %d of %d: %s … %s %.3f ± %.3f (%.1f s)",
        done, total, result.candidate, scoring, result.means[scoring], result.sds[scoring], result.seconds,
    )  # fmt: skip
