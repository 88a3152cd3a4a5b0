"""A sample has bounded memory, gives each row the same chance, and is the same each time."""

import numpy as np
import pandas as pd
import pytest

from ml_platform.monitoring.row_sample import RowSample


def sampled(size: int, batches: list[int], seed: str = "s") -> list[int]:
    sample, start = RowSample(size, seed), 0
    for n_rows in batches:
        numbers = pd.DataFrame({"n": np.arange(start, start + n_rows)})
        sample.add(n_rows, numbers.__getitem__)
        start += n_rows
        assert len(sample._numbers) <= 2 * size + n_rows
    assert sample.rows_seen == start
    frame = sample.frame()
    return [] if frame is None else frame["n"].tolist()


def test_few_rows_are_all_kept_in_their_order() -> None:
    assert sampled(10, [4, 0, 6]) == list(range(10))


def test_many_rows_are_sampled_evenly_and_the_same_each_time() -> None:
    rows = sampled(1000, [700] * 30)
    assert len(rows) == 1000
    assert rows == sorted(rows)
    assert np.mean(rows) == pytest.approx(21_000 / 2, rel=0.05)
    assert sampled(1000, [700] * 30) == rows
    assert sampled(1000, [21_000]) == rows, "however they come in batches"
    assert sampled(1000, [700] * 30, seed="other") != rows


def test_rows_that_cannot_be_in_the_sample_are_not_read() -> None:
    sample, read = RowSample(10, "s"), []
    for _ in range(100):
        sample.add(100, lambda mask: read.append(int(mask.sum())) or pd.DataFrame({"n": np.zeros(int(mask.sum()))}))
    assert sum(read) < 1500


def test_without_rows_there_is_no_sample() -> None:
    assert sampled(10, []) == []
