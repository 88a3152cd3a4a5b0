"""The choice among the candidates of a search: the simplest of those that are as good as the best."""

from collections.abc import Iterable, Sequence

from ml_platform.evaluation.metrics import within_one_standard_error
from ml_platform.specs.tasks import Metric
from ml_platform.training.candidates import Candidate
from ml_platform.training.search import CandidateResult, rank
from ml_platform.training.search_plan import SearchPlan


def simplest_first(results: Iterable[CandidateResult], estimators: Iterable[str], scoring: Metric) -> list[Candidate]:
    """Return the order of candidates that were drawn from a space: by estimator, the best of each first.

    A list of values says by its order which are simple, a distribution does not. So among candidates of one estimator
    the mean decides.

    Args:
        results: in any order.
        estimators: the simplest first.
        scoring: the metric that is compared.
    """
    position = {name: index for index, name in enumerate(estimators)}
    ranked = rank(results, scoring)
    return [result.candidate for result in sorted(ranked, key=lambda result: position[result.candidate.estimator])]


def order_of(plan: SearchPlan, results: Sequence[CandidateResult]) -> list[Candidate]:
    """Return the candidates of a search, the simplest first: an ensemble is the last.

    Args:
        plan: of the search.
        results: in any order.
    """
    single = [result for result in results if not result.candidate.is_ensemble]
    ensembles = [result.candidate for result in results if result.candidate.is_ensemble]
    return [*(plan.candidates or simplest_first(single, plan.space, plan.scoring)), *ensembles]


def choose(results: Sequence[CandidateResult], order: Sequence[Candidate], scoring: Metric) -> CandidateResult | None:
    """Return the first candidate, in an order, that is within one standard error of the best.

    Args:
        results: in any order.
        order: the candidates, the simplest first, such as from `order_of`.
        scoring: the metric that is compared.

    Returns:
        The result of that candidate; None if no candidate has a value of the metric.
    """
    ranked = {result.candidate.id: result for result in rank(results, scoring)}
    best = next(iter(ranked.values()), None)
    listed = (ranked[candidate.id] for candidate in order if candidate.id in ranked)
    return best and next(
        result for result in listed if within_one_standard_error(best.fold_scores(scoring), result.fold_scores(scoring))
    )
