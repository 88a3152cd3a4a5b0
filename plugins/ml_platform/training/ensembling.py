"""An ensemble as one more candidate: the weighted mean of the best candidates, chosen greedily out of fold.

Sources: R. Caruana et al., Ensemble Selection from Libraries of Models (2004), for selection with replacement and its
sorted start; R. Caruana, A. Munson, A. Niculescu-Mizil, Getting the Most Out of Ensemble Selection (2006), for a
library that is pruned to the best. What was measured: docs/adr/0104.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from ml_platform.estimators.weighted_mean import weighted_mean
from ml_platform.evaluation.task import Folds, OutOfFold, Task, Values
from ml_platform.specs.tasks import Metric
from ml_platform.training import search as grid
from ml_platform.training.candidates import Candidate
from ml_platform.training.choice import order_of
from ml_platform.training.search import CandidateResult
from ml_platform.training.search_plan import SearchPlan
from ml_platform.training.split import Split

log = logging.getLogger(__name__)

LIBRARY = 10  # candidates among which the members are chosen: the best
ROUNDS = 20  # members that are added, one at a time: a weight is a multiple of about 1/20

Raw = NDArray[np.float64]  # what a model returns for rows: shape (n_rows, n_classes), or (n_rows,) for numbers
Weights = NDArray[np.float64]


def select(outputs: Sequence[Raw], score: Callable[[Raw], float], most: int) -> Weights:
    """Choose the weights of a mean greedily: the member whose addition gives the best mean is added, again and again.

    It starts with the best mean of the first members in the order of their own scores. The best mean on the way is
    returned. Of equal ones that with fewer additions wins, and of equal members the first.

    Args:
        outputs: of each possible member for the same rows, the simplest first.
        score: of a mean; more is better.
        most: number of different members at most.

    Returns:
        The weights, shape (n_members,), with the sum 1; most of them are 0.
    """
    alone = np.array([score(output) for output in outputs])
    by_score = np.argsort(-alone, kind="stable")[:most]
    starts = [np.bincount(by_score[:number], minlength=len(outputs)) for number in range(1, len(by_score) + 1)]
    scores = [alone[by_score[0]], *(score(_mean(outputs, counts)) for counts in starts[1:])]
    counts = best = starts[int(np.argmax(scores))]
    best_score = max(scores)
    while counts.sum() < ROUNDS:
        allowed = [index for index in range(len(outputs)) if counts[index] or np.count_nonzero(counts) < most]
        total = _mean(outputs, counts) * counts.sum()
        scores = [score((total + outputs[index]) / (counts.sum() + 1)) for index in allowed]
        counts = counts + np.bincount([allowed[int(np.argmax(scores))]], minlength=len(outputs))
        if max(scores) > best_score:
            best, best_score = counts, max(scores)
    weights: Weights = best / best.sum()
    return weights


def _mean(outputs: Sequence[Raw], weights: NDArray[np.number]) -> Raw:
    chosen = [(float(weight), output) for weight, output in zip(weights, outputs, strict=True) if weight > 0]
    return weighted_mean([weight for weight, _ in chosen], [output for _, output in chosen]) / float(weights.sum())


def libraries(results: Sequence[CandidateResult], scoring: Metric) -> list[list[CandidateResult]]:
    """Return per fold the candidates with the best mean on the other folds, and at the end those on all folds.

    Args:
        results: with a value of the metric; of equal ones the first counts as better. F1 in another fold had its
            threshold chosen with this one, too; that is all that the choice knows of it.
        scoring: the metric.
    """
    scores = np.array([result.fold_scores(scoring) for result in results])
    of_others = (scores.sum(axis=1, keepdims=True) - scores) / (scores.shape[1] - 1)
    means = np.column_stack([of_others, scores.mean(axis=1)])
    best = np.sort(np.argsort(-means, axis=0, kind="stable")[:LIBRARY], axis=0)
    return [[results[index] for index in column] for column in best.T]


class KeptOutputs:
    """The results of a search, and the outputs out of fold of those that an ensemble may have as members.

    Attributes:
        results: that were added, without their outputs.
        raw: outputs by candidate id.
    """

    def __init__(self, scoring: Metric) -> None:
        """Start without a result; `scoring` says which are the best."""
        self.results: list[CandidateResult] = []
        self.raw: dict[str, Raw] = {}
        self._scoring = scoring

    def add(self, result: CandidateResult) -> CandidateResult:
        """Add a result, and return it without its outputs.

        One that is not among the best now never will be, so only a few outputs are kept, of however many candidates.
        """
        self.results.append(replace(result, raw=None))
        if result.raw is not None and (scored := self._scored()):
            self.raw[result.candidate.id] = result.raw
            needed = {one.candidate.id for best in libraries(scored, self._scoring) for one in best}
            self.raw = {name: raw for name, raw in self.raw.items() if name in needed}
        return self.results[-1]

    def _scored(self) -> list[CandidateResult]:
        return [one for one in self.results if one.score(self._scoring) > -np.inf]

    def ordered(self, plan: SearchPlan) -> list[CandidateResult]:
        """Return the results that have a value of the metric, the simplest first."""
        position = {candidate.id: number for number, candidate in enumerate(order_of(plan, self.results))}
        return sorted(self._scored(), key=lambda result: position[result.candidate.id])


def results(
    plan: SearchPlan, parts: Split, folds: Folds, kept: KeptOutputs, known: Mapping[str, CandidateResult]
) -> Iterator[CandidateResult]:
    """Yield the ensemble of a search that has ended, if the plan wants one and a mean is better than each candidate.

    Candidates whose outputs were lost, because the search was killed in between, are fitted on the folds once more if
    they may be members.

    Args:
        plan: of the search.
        parts: the training set, split by the hold-out.
        folds: of the cross-validation, from `Split.folds`.
        kept: all results of the search.
        known: results of earlier attempts, by candidate id; an ensemble of just these results is yielded again.
    """
    ordered = kept.ordered(plan) if plan.ensemble else []
    if len(ordered) < 2:
        return
    if (earlier := _earlier(kept.results, known)) is not None:
        yield earlier
        return
    start_time, best = time.time(), libraries(ordered, plan.scoring)
    lost = {one.candidate.id: one.candidate for library in best for one in library if one.candidate.id not in kept.raw}
    if lost:
        log.info("%d candidates are fitted once more, because an ensemble needs their outputs", len(lost))
    again = grid.search(lost.values(), parts.dataset, parts.task, *parts.train(), folds=folds, jobs=plan.jobs)
    raw = kept.raw | {result.candidate.id: result.raw for result in again if result.raw is not None}
    best = [[one for one in library if one.candidate.id in raw] for library in best]
    if not all(best):
        return
    outputs = [[raw[one.candidate.id] for one in library] for library in best]
    weights, scores = evaluate(outputs, parts.task, parts.train()[1].to_numpy(), folds, plan)
    if np.count_nonzero(weights) < 2:
        log.info("no mean of candidates is better than each of them: there is no ensemble")
        return
    members = [(float(weights[index]), best[-1][index].candidate) for index in np.argsort(-weights, kind="stable")]
    candidate = Candidate.ensemble([member for member in members if member[0] > 0])
    yield CandidateResult.of_folds(candidate, scores, start_time=start_time, seconds=time.time() - start_time)


def _earlier(results: Sequence[CandidateResult], known: Mapping[str, CandidateResult]) -> CandidateResult | None:
    """Return the ensemble that an earlier attempt made of just these results."""
    ensembles = [one for one in known.values() if one.candidate.is_ensemble]
    last = max(known[one.candidate.id].elapsed if one.candidate.id in known else np.inf for one in results)
    return next((one for one in ensembles if one.elapsed >= last), None)


def evaluate(
    outputs: Sequence[Sequence[Raw]], task: Task, labels: Values, folds: Folds, plan: SearchPlan
) -> tuple[Weights, dict[str, list[float]]]:
    """Return the weights that suit all rows, and each metric per fold with the weights that suit the other folds.

    So no row helps to choose the weights by which it is predicted, and the scores are those of rows that neither the
    members nor the weights have seen. What the step to predictions needs, such as a threshold, is chosen by the same
    weights on the other folds.

    Args:
        outputs: per fold those of the possible members, chosen by the other folds, and at the end those chosen by all.
        task: the kind of problem.
        labels: shape (n_rows,).
        folds: of the cross-validation.
        plan: says how members are compared, how many there are at most, and how many processes run in parallel.
    """
    rows = [*(others for others, _ in folds), np.arange(len(labels))]
    chosen = Parallel(n_jobs=plan.jobs)(
        delayed(_select_on)(members, task, labels, part, plan.scoring, plan.ensemble)
        for members, part in zip(outputs, rows, strict=True)
    )
    means = [_mean(members, weights) for members, weights in zip(outputs, chosen, strict=True)]
    scores = [
        task.fold_metrics(OutOfFold(labels, mean, mean, [fold])) for mean, fold in zip(means, folds, strict=False)
    ]
    shared = [metric for metric in scores[0] if all(metric in one for one in scores)]
    return chosen[-1], {metric: [one[metric][0] for one in scores] for metric in shared}


def _select_on(
    members: Sequence[Raw], task: Task, labels: Values, rows: NDArray[np.intp], scoring: Metric, most: int
) -> Weights:
    outputs = [task.outputs(raw[rows]) for raw in members]
    return select(outputs, lambda mean: task.best_score(scoring, labels[rows], mean), most)
