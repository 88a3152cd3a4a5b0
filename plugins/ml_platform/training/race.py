"""Candidates that are evaluated together: all on the first folds, and those that are not pruned on the other folds."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pandas as pd
from joblib import Parallel, delayed

from ml_platform.evaluation.task import Folds, Task
from ml_platform.specs.spec import Dataset
from ml_platform.specs.tasks import Metric
from ml_platform.training.candidates import Candidate
from ml_platform.training.fold_fits import FoldFit, first_folds, fit_fold
from ml_platform.training.search import CandidateResult, result_of


def checkpoints(folds: int) -> list[int]:
    """Return the numbers of folds after which a candidate may be pruned: the first one, and half of them."""
    return sorted({number for number in (1, (folds + 1) // 2) if number < folds})


@dataclass(eq=False)
class Entrant:
    """A candidate in a race.

    Attributes:
        candidate: to evaluate.
        known: its result in an earlier attempt, if there is one; then it is not fitted again.
        fits: by the number of the fold, from 0.
        interim: score after the first folds, by their number.
        result: once there is one.
    """

    candidate: Candidate
    known: CandidateResult | None = None
    fits: dict[int, FoldFit] = field(default_factory=dict)
    interim: dict[int, float] = field(default_factory=dict)
    result: CandidateResult | None = None


Prune = Callable[[Entrant], bool]


@dataclass(frozen=True)
class Race:
    """What the candidates are evaluated on, and how.

    Attributes:
        dataset: says which columns are categories.
        task: the kind of problem.
        features: shape (n_rows, n_features).
        labels: shape (n_rows,); every class occurs.
        folds: of the cross-validation, from `split.Split.folds`.
        scoring: the metric that compares the candidates.
        jobs: number of processes in parallel, one thread each; the results do not depend on it.
    """

    dataset: Dataset
    task: Task
    features: pd.DataFrame
    labels: pd.Series
    folds: Folds
    scoring: Metric
    jobs: int

    def run(self, entrants: Sequence[Entrant], prune: Prune) -> Iterator[CandidateResult]:
        """Yield the result of each entrant: those of the last folds as soon as they are there, in any order.

        Args:
            entrants: they get their results.
            prune: asked at each checkpoint, in the order of the entrants, whether to stop this one.
        """
        number_of_folds = len(self.folds)
        for start, end in pairwise([0, *checkpoints(number_of_folds), number_of_folds]):
            running = [entrant for entrant in entrants if entrant.result is None]
            fitted: Iterable[Entrant] = self._fit(running, range(start, end))
            if end < number_of_folds:
                fitted = sorted(fitted, key=running.index)  # an answer of `prune` depends on those before
            for entrant in fitted:
                self._settle(entrant, end, prune)
                if entrant.result is not None:
                    yield entrant.result

    def _fit(self, entrants: Sequence[Entrant], numbers: range) -> Iterator[Entrant]:
        """Fit these folds, and yield each entrant as soon as its are done."""
        fresh = [index for index, entrant in enumerate(entrants) if entrant.known is None]
        yield from (entrant for entrant in entrants if entrant.known is not None)
        tasks = (delayed(self._fit_one)(index, entrants[index].candidate, k) for index in fresh for k in numbers)
        for index, k, fit in Parallel(n_jobs=self.jobs, return_as="generator_unordered")(tasks):
            fits = entrants[index].fits
            fits[k] = fit
            if all(number in fits for number in numbers):
                yield entrants[index]

    def _fit_one(self, index: int, candidate: Candidate, k: int) -> tuple[int, int, FoldFit]:
        return index, k, fit_fold(candidate, self.dataset, self.task, self.features, self.labels, self.folds[k])

    def _settle(self, entrant: Entrant, number: int, prune: Prune) -> None:
        """Give an entrant its result if it is done, failed or pruned after so many folds."""
        result = entrant.known or self._result(entrant, number)
        if number < len(self.folds) and (score := self._interim(entrant, result, number)) is not None:
            entrant.interim[number] = score
            if not prune(entrant):
                return
            result = entrant.known or replace(result, means={}, sds={}, pruned=True)
        entrant.result = replace(result, interim=dict(entrant.interim))

    def _result(self, entrant: Entrant, number: int) -> CandidateResult:
        fits = [entrant.fits[k] for k in range(number)]
        return result_of(entrant.candidate, self.task, self.labels, fits, first_folds(self.folds, number))

    def _interim(self, entrant: Entrant, result: CandidateResult, number: int) -> float | None:
        if entrant.known:
            return entrant.known.interim.get(number)
        return None if result.error else result.score(self.scoring)
