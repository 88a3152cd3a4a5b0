"""The generator's methods: shares come out right for every seed, correlations as asked, chances as hard as asked."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "minio"))  # as when the generator runs as a script

from sample_auto.claims import intercept, sigmoid
from sample_auto.customers import age_bands
from sample_auto.population import Population, normal_scores, ranks

TABLES = {
    "SEX": {"all": {"F": 0.54, "M": 0.46}},
    "RED_CAR|SEX": {"F": {"no": 0.99, "yes": 0.01}, "M": {"no": 0.4, "yes": 0.6}},
    "BLUEBOOK|SEX": {"F": [0, 10, 30], "M": [100, 100, 200]},
}


def population(seed: int = 0, size: int = 2000) -> Population:
    return Population(TABLES, [0, 0.5, 1], size, np.random.default_rng(seed))


@pytest.mark.parametrize("seed", range(5))
def test_shares_are_the_table_s_within_every_group(seed: int) -> None:
    people = population(seed)
    people.draw("SEX")
    people.draw("RED_CAR|SEX")
    men = people["SEX"] == "M"
    assert men.mean() == pytest.approx(0.46, abs=0.002)
    assert (people["RED_CAR"][men] == "yes").mean() == pytest.approx(0.6, abs=0.002)
    assert (people["RED_CAR"][~men] == "yes").mean() == pytest.approx(0.01, abs=0.002)


def test_quantiles_are_the_table_s_within_every_group() -> None:
    people = population()
    men = people.draw("SEX") == "M"
    values = people.draw("BLUEBOOK|SEX").astype(float)
    assert np.quantile(values[~men], [0, 0.5, 0.75, 1]) == pytest.approx([0, 10, 20, 30], abs=0.1)
    assert np.quantile(values[men], [0, 0.5, 1]) == pytest.approx([100, 100, 200], abs=0.5)


@pytest.mark.parametrize("weight", [-0.6, 0.0, 0.6])
def test_a_latent_value_leans_as_much_as_asked(weight: float) -> None:
    people = population(size=20_000)
    people["INCOME"] = people.rng.exponential(size=people.size)
    latent = people.latent({"INCOME": weight})
    assert latent.std() == pytest.approx(1, abs=0.02)
    assert np.corrcoef(latent, normal_scores(people["INCOME"]))[0, 1] == pytest.approx(weight, abs=0.02)


def test_ranks_keep_the_order_of_equal_values() -> None:
    assert ranks(np.array([5, 1, 5, 0])).tolist() == [2, 1, 3, 0]


def test_normal_scores_depend_on_the_order_alone() -> None:
    values = np.array([3.0, 1.0, 2.0])
    assert normal_scores(values).tolist() == normal_scores(np.exp(values)).tolist()
    assert normal_scores(values)[2] == pytest.approx(0)


@pytest.mark.parametrize("mean", [0.01, 0.2638, 0.9])
def test_the_intercept_sets_the_mean_chance(mean: float) -> None:
    odds = np.random.default_rng(0).normal(size=1000)
    assert sigmoid(odds + intercept(odds, mean)).mean() == pytest.approx(mean, abs=1e-9)


def test_age_bands_hold_their_lower_edge() -> None:
    assert age_bands(np.array([16, 24, 25, 60, 81])).tolist() == ["[0,25)", "[0,25)", "[25,30)", "[60,100)", "[60,100)"]
