"""Which candidates of a search are stopped after their first folds."""

from collections.abc import Sequence

import numpy as np

MIN_FINISHED = 5  # candidates from which one learns how well the first folds predict the mean
STANDARD_DEVIATIONS = 2.0


def cannot_win(interim: float, interims: Sequence[float], finals: Sequence[float]) -> bool:
    """Return whether a candidate that continued would very probably not become the best.

    The score after the first folds predicts the final score with an error. How large it is, and on which side it
    lies, the finished candidates show. A candidate is stopped if even two standard deviations of that error would not
    lift it to the best. A rank among the others would not do: where many are almost equal, the first folds put the
    best one anywhere. Measured against successive halving and others in docs/adr/0103.

    Args:
        interim: the candidate's score after the first folds; more is better.
        interims: those of the finished candidates after as many folds, shape (n_finished,).
        finals: their scores after all folds, shape (n_finished,).
    """
    if not np.isfinite(interim):
        return True
    if len(finals) < MIN_FINISHED:
        return False
    errors = np.asarray(finals) - np.asarray(interims)
    return bool(interim + errors.mean() + STANDARD_DEVIATIONS * errors.std(ddof=1) < max(finals))
