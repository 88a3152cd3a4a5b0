"""A sample of rows that come batch by batch: bounded memory, each row with the same chance, the same rows each time."""

from collections.abc import Callable
from hashlib import sha256

import numpy as np
import pandas as pd
from numpy.typing import NDArray


class RowSample:
    """Keeps those rows whose random number is among the least (bottom-k sampling).

    Attributes:
        rows_seen: how many rows came.
    """

    def __init__(self, size: int, seed: str) -> None:
        """Begin without rows.

        Args:
            size: the most rows that are kept.
            seed: the same text gives the same sample of the same rows.
        """
        self.rows_seen = 0
        self._size, self._limit = size, np.inf
        self._random = np.random.default_rng(list(sha256(seed.encode()).digest()))
        self._numbers: NDArray[np.float64] = np.empty(0)
        self._frames: list[pd.DataFrame] = []

    def add(self, n_rows: int, read: Callable[[NDArray[np.bool_]], pd.DataFrame]) -> None:
        """Take rows into account.

        Args:
            n_rows: of the batch.
            read: returns the rows of a mask of shape (n_rows,); others need not be made.
        """
        self.rows_seen += n_rows
        numbers = self._random.random(n_rows)
        is_wanted = numbers < self._limit
        if is_wanted.any():
            self._numbers = np.concatenate([self._numbers, numbers[is_wanted]])
            self._frames.append(read(is_wanted))
        if len(self._numbers) > 2 * self._size:
            self._prune()

    def frame(self) -> pd.DataFrame | None:
        """Return the sampled rows in their order; None if no row came."""
        self._prune()
        return self._frames[0] if self._frames else None

    def _prune(self) -> None:
        if not self._frames:
            return
        rows = pd.concat(self._frames, ignore_index=True)
        if len(rows) > self._size:
            kept = np.sort(np.argpartition(self._numbers, self._size)[: self._size])
            rows, self._numbers = rows.iloc[kept].reset_index(drop=True), self._numbers[kept]
            self._limit = float(self._numbers.max())
        self._frames = [rows]
