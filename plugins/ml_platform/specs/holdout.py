"""The hold-out: which rows no training ever sees, by a hash of the entity's key or by the time."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Literal, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

BUCKETS = 2**64


@dataclass(frozen=True)
class HoldoutRule:
    """What tells the hold-out of one model from the rows that it was trained on.

    Attributes:
        name: the data set's name.
        by: `entity` (a hash of the key chooses) or `time` (the latest rows).
        share: that is held out, in (0, 1).
        start: by time, the moment from which rows are held out (UTC).
    """

    name: str
    by: Literal["entity", "time"]
    share: float
    start: pd.Timestamp | None = None

    def held(self, ids: pd.Series, times: pd.Series) -> NDArray[np.bool_]:
        """Tell for rows, also for those that came later, which are held out.

        Args:
            ids: what tells entities apart, shape (n_rows,).
            times: event times (UTC), shape (n_rows,).

        Returns:
            Mask of shape (n_rows,); True is held out.
        """
        if self.start is None:
            return holdout(ids, self.name, self.share)
        return (times >= self.start).to_numpy(dtype=bool)


def latest(name: str, times: pd.Series, share: float) -> HoldoutRule:
    """Return the rule that holds out the latest rows; all rows of one moment are on the same side.

    Args:
        name: the data set's name.
        times: event times (UTC), shape (n_rows,).
        share: of the rows; more are held out if the first of them shares its moment with earlier ones.
    """
    if times.empty:
        return HoldoutRule(name, "time", share, pd.Timestamp.max.tz_localize("UTC"))
    start = cast("pd.Timestamp", times.quantile(1 - share, interpolation="higher"))
    return HoldoutRule(name, "time", share, start)


def holdout(keys: pd.Series, name: str, share: float) -> NDArray[np.bool_]:
    """Tell for each row whether its entity belongs to the hold-out.

    The side depends on nothing but the key's text and the data set's name, so it is the same in every retraining,
    and a smaller share is always a subset of a larger one.

    Args:
        keys: entity keys, shape (n_rows,); integers or text, none missing.
        name: the data set's name.
        share: expected share of the entities that are held out, in (0, 1).

    Returns:
        Mask of shape (n_rows,); True is held out.
    """
    codes, entities = pd.factorize(keys)
    limit = int(share * BUCKETS)
    salt = f"{name}\0"
    sides = [int.from_bytes(sha256(f"{salt}{key}".encode()).digest()[:8], "big") < limit for key in entities.tolist()]
    return np.asarray(sides, dtype=bool)[codes]
