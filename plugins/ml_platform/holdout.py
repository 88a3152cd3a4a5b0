"""The hold-out: which entities no training ever sees, decided by a hash of their key."""

from hashlib import sha256

import numpy as np
import pandas as pd
from numpy.typing import NDArray

BUCKETS = 2**64


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
