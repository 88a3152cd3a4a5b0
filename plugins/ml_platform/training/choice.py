"""The choice among the candidates of a search: the simplest of those that are as good as the best."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from ml_platform.training.candidates import Candidate
from ml_platform.training.search import CandidateResult, rank


def within_one_standard_error(best: ArrayLike, other: ArrayLike) -> bool:
    """Return whether a model's mean over the folds is less than one standard error below that of the best.

    The standard error is that of the difference. A fold that is hard for one model is hard for the others too, so the
    differences vary far less than the scores. Source: L. Breiman et al., Classification and Regression Trees (1984),
    section 3.4.3, who take the standard error of the best score; measured in docs/adr/0087.

    Args:
        best: scores per fold, shape (n_folds,), two folds at least.
        other: of the other model on the same folds, shape (n_folds,).
    """
    differences = np.asarray(best, dtype=np.float64) - np.asarray(other, dtype=np.float64)
    return bool(differences.mean() <= differences.std(ddof=1) / np.sqrt(len(differences)))


def choose(results: Sequence[CandidateResult], order: Sequence[Candidate], scoring: str) -> CandidateResult | None:
    """Return the first candidate in the order of the grid that is within one standard error of the best.

    Args:
        results: in any order.
        order: the candidates as the grid lists them, the simplest first.
        scoring: the metric that is compared.

    Returns:
        The result of that candidate; None if no candidate has a value of the metric.
    """
    ranked = {result.candidate.id: result for result in rank(results, scoring)}
    best = next(iter(ranked.values()), None)
    listed = (ranked[candidate.id] for candidate in order if candidate.id in ranked)
    return best and next(
        result for result in listed if within_one_standard_error(best.folds[scoring], result.folds[scoring])
    )
