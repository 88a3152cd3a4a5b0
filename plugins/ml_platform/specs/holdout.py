"""The hold-out: the rows that no training uses, chosen by a hash of the entity's key or by time."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Literal, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

BUCKETS = 2**64


@dataclass(frozen=True)
class HoldoutRule:
    """The rule that separates the hold-out of one model from its training rows.

    Attributes:
        name: the data set's name.
        by: `entity` (a hash of the key decides) or `time` (the latest rows).
        share: the share that is held out, in (0, 1).
        start: by time, the event time from which rows are held out (UTC).
    """

    name: str
    by: Literal["entity", "time"]
    share: float
    start: pd.Timestamp | None = None

    def mask(self, ids: pd.Series, times: pd.Series) -> NDArray[np.bool_]:
        """Return which rows are held out; the rule also applies to rows that come after the training.

        Args:
            ids: entity ids, shape (n_rows,).
            times: event times (UTC), shape (n_rows,).

        Returns:
            Mask of shape (n_rows,); True is held out.
        """
        if self.start is None:
            return holdout_by_entity(ids, self.name, self.share)
        return (times >= self.start).to_numpy(dtype=bool)


def holdout_by_time(name: str, times: pd.Series, share: float) -> HoldoutRule:
    """Return the rule that holds out the latest rows; rows with the same event time are on the same side.

    Args:
        name: the data set's name.
        times: event times (UTC), shape (n_rows,).
        share: share of the rows; more are held out if rows with the first held-out event time come in addition.
    """
    if times.empty:
        return HoldoutRule(name, "time", share, pd.Timestamp.max.tz_localize("UTC"))
    start = cast("pd.Timestamp", times.quantile(1 - share, interpolation="higher"))
    return HoldoutRule(name, "time", share, start)


def holdout_by_entity(keys: pd.Series, name: str, share: float) -> NDArray[np.bool_]:
    """Return for each row whether its entity is in the hold-out.

    The side depends only on the key's text and the data set's name. So it is the same in every retraining, and a
    smaller share is always a subset of a larger one.

    Args:
        keys: entity keys, shape (n_rows,); integers or texts, none missing.
        name: the data set's name.
        share: expected share of the entities in the hold-out, in (0, 1).

    Returns:
        Mask of shape (n_rows,); True is held out.
    """
    codes, entities = pd.factorize(keys)
    limit = int(share * BUCKETS)
    salt = f"{name}\0"
    sides = [int.from_bytes(sha256(f"{salt}{key}".encode()).digest()[:8], "big") < limit for key in entities.tolist()]
    return np.asarray(sides, dtype=bool)[codes]
