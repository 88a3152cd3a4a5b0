"""A test that may be asked after every row: has the mean loss risen above what was promised, and since when?

The test is a bet against the promise. Its wealth starts at 1 and grows while losses are above the promise. As long as
the promise holds it is a nonnegative supermartingale, so the probability that it ever reaches 1 / alpha is at most
alpha, however often it is looked at. The change may begin at any time: a small share of the wealth is bet from every
block on.

Sources: J. Ville, Étude critique de la notion de collectif (1939); I. Waudby-Smith and A. Ramdas, Estimating means of
bounded random variables by betting (2024), for bets on bounded losses; J. Shin, A. Ramdas and A. Rinaldo, E-detectors
(2024), for bets that begin at every time.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLOCKS = 200  # starts of bets: more would find a change a little sooner, at a cost that grows with their square
_MOST = 500.0  # of the logarithm of a wealth: beyond it there is no doubt, and no number
_SHARES = np.array([0.05, 0.1, 0.2, 0.4, 0.8])  # of the greatest bet that cannot lose all


@dataclass(frozen=True)
class Evidence:
    """What the rows say against the promise.

    Attributes:
        wealth: at the end of each block of rows, shape (n_blocks,).
        ends: number of rows up to the end of each block, shape (n_blocks,).
        alarm: number of rows after which the wealth had reached 1 / alpha; None if it never has.
        change: number of rows before the most likely change; None without an alarm.
    """

    wealth: NDArray[np.float64]
    ends: NDArray[np.intp]
    alarm: int | None
    change: int | None


def evidence(losses: NDArray[np.float64], promised: float, alpha: float) -> Evidence:
    """Test whether the mean of the losses is above `promised` from some row on.

    Args:
        losses: in the order of time, each in [0, 1], shape (n_rows,).
        promised: the mean that was promised, in (0, 1).
        alpha: the probability of a false alarm in all looks together, in (0, 1).
    """
    ends = _block_ends(len(losses))
    if not len(ends):
        return Evidence(np.ones(0), ends, None, None)
    sums = _log_wealth(losses, promised)[:, ends - 1]
    from_start = np.concatenate([np.zeros((len(_SHARES), 1)), sums[:, :-1]], axis=1)
    # The wealth at the end of block t of a bet that began with block k: shape (n_blocks, n_blocks), k by t.
    starts = np.arange(len(ends))
    logs = np.where(starts[:, None] <= starts, sums[:, None, :] - from_start[:, :, None], -np.inf)
    bets = np.exp(np.minimum(logs, _MOST)).mean(axis=0)
    weights = 1 / ((starts + 1) * (starts + 2))  # their sum stays below 1
    begun = weights[:, None] * bets
    wealth = begun.sum(axis=0) + 1 / (starts + 2)  # the rest is not bet yet
    reached = np.flatnonzero(wealth >= 1 / alpha)
    if not len(reached):
        return Evidence(wealth, ends, None, None)
    start = int(bets[:, reached[0]].argmax())
    return Evidence(wealth, ends, int(ends[reached[0]]), int(ends[start - 1]) if start else 0)


def _block_ends(rows: int) -> NDArray[np.intp]:
    return np.unique(np.linspace(0, rows, min(rows, BLOCKS) + 1).astype(np.intp)[1:])


def _log_wealth(losses: NDArray[np.float64], promised: float) -> NDArray[np.float64]:
    """Return the logarithm of the wealth of bets from the first row on, shape (n_shares, n_rows)."""
    bets = _SHARES[:, None] / promised
    sums: NDArray[np.float64] = np.cumsum(np.log1p(bets * (losses - promised)), axis=1)
    return sums
