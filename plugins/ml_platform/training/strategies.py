"""The strategies of a search: every combination of a grid, or candidates that earlier results suggest."""

from collections.abc import Iterator, Mapping

from ml_platform.evaluation.task import Folds
from ml_platform.training import search as grid
from ml_platform.training.race import Race
from ml_platform.training.search import CandidateResult
from ml_platform.training.search_plan import SearchPlan
from ml_platform.training.split import Split
from ml_platform.training.stopwatch import Stopwatch


def results(
    plan: SearchPlan, parts: Split, folds: Folds, known: Mapping[str, CandidateResult], watch: Stopwatch
) -> Iterator[CandidateResult]:
    """Yield the result of each candidate of a search as soon as it is there.

    Args:
        plan: of the search.
        parts: the training set, split by the hold-out.
        folds: of the cross-validation, from `Split.folds`.
        known: results of earlier attempts, by candidate id; they are yielded, too, and not fitted again.
        watch: of the search.
    """
    if plan.strategy == "grid":
        yield from (known[candidate.id] for candidate in plan.candidates if candidate.id in known)
        pending = [candidate for candidate in plan.candidates if candidate.id not in known]
        yield from grid.search(pending, parts.dataset, parts.task, *parts.train(), folds=folds, jobs=plan.jobs)
    else:
        from ml_platform.training import tpe  # it imports Optuna, which a grid does not need

        race = Race(parts.dataset, parts.task, *parts.train(), folds, plan.scoring, plan.jobs)
        yield from tpe.search(
            plan.space, race, trials=plan.trials, known=known,
            is_over=lambda: plan.timeout is not None and watch.seconds() >= plan.timeout,
        )  # fmt: skip
