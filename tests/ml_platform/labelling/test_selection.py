"""Rows to ask about are uncertain, and not alike."""

import numpy as np
import pandas as pd

from ml_platform.labelling.selection import select


def frame(rows: int = 400, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    town = random.choice(["Ulm", "Kiel", None], rows)
    return pd.DataFrame({"age": random.normal(size=rows), "town": pd.Series(town, dtype=object)})


def test_the_most_uncertain_rows_are_chosen_from() -> None:
    uncertainty = np.linspace(0, 1, 400)
    chosen = select(frame(), uncertainty, 10)
    assert len(set(chosen.tolist())) == 10
    assert chosen.min() >= 300, "of the 10 times 10 most uncertain rows"
    assert (np.diff(uncertainty[chosen]) <= 0).all()
    assert (chosen == select(frame(), uncertainty, 10)).all()


def test_each_group_of_similar_rows_is_asked_about() -> None:
    centres = np.repeat([0.0, 100.0, 200.0, 300.0], [37, 1, 1, 1])
    features = pd.DataFrame({"x": centres + np.random.default_rng(0).normal(size=40)})
    chosen = select(features, np.ones(40), 4)
    assert set(centres[chosen]) == {0.0, 100.0, 200.0, 300.0}


def test_equal_rows_are_asked_about_once() -> None:
    features = pd.DataFrame({"x": [1.0, 1.0, 2.0, np.nan, np.nan], "k": pd.Series(["a", "a", "a", None, None])})
    assert len(select(features, np.ones(5), 5)) == 3
    assert len(select(features.iloc[:2], np.zeros(2), 1)) == 1


def test_rows_that_look_alike_to_the_clusters_are_no_error() -> None:
    rare = pd.DataFrame({"k": pd.Series([f"value {i}" for i in range(30)], dtype=object)})
    assert len(set(select(rare, np.ones(30), 3).tolist())) == 3


def test_numbers_without_features_of_another_kind() -> None:
    assert len(select(pd.DataFrame({"x": np.arange(50.0)}), np.ones(50), 5)) == 5
