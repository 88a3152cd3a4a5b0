"""A classifier tells rows of two times apart, if they differ, and only then."""

import numpy as np
import pandas as pd
import pytest

from ml_platform.monitoring.domain_classifier import LEAST_ROWS, separation


def frame(n_rows: int, seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    town = pd.Series(random.choice(["a", "b", None], n_rows), dtype=object)
    return pd.DataFrame({"x": random.normal(size=n_rows), "y": random.normal(size=n_rows), "town": town})


def test_rows_of_one_distribution_cannot_be_told_apart() -> None:
    found = separation(frame(600, 1), frame(300, 2))
    assert found is not None
    assert found.auc == pytest.approx(0.5, abs=0.06)
    assert found.p_value > 0.01


def test_a_turned_correlation_is_found_and_the_same_each_time() -> None:
    one, two = frame(600, 1), frame(300, 2)
    one["y"] += 2 * one["x"]
    two["y"] -= 2 * two["x"]
    found = separation(one, two)
    assert found is not None
    assert found.auc > 0.8
    assert found.p_value < 1e-6
    assert separation(one, two) == found


def test_a_new_category_and_missing_values_are_found() -> None:
    one, two = frame(600, 1), frame(300, 2)
    for change in ({"town": "new"}, {"x": np.nan}):
        found = separation(one, two.assign(**change))
        assert found is not None
        assert found.auc > 0.95


def test_few_rows_or_no_columns_are_not_compared() -> None:
    assert separation(frame(600, 1), frame(LEAST_ROWS - 1, 2)) is None
    assert separation(frame(600, 1)[[]], frame(600, 2)[[]]) is None
