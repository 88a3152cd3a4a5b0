import numpy as np
import pandas as pd
import pytest

from ml_platform.eda.drift import MISSING, OTHERS, SOME, STRONG, bin_counts, bin_edges, drift

RANDOM = np.random.default_rng(0)
DECILES = pd.Series(np.arange(100.0))


def drift_of(train, test):
    """Return the only row of the drift of two columns."""
    return drift(pd.DataFrame({"x": train}), pd.DataFrame({"x": test})).loc["x"]


def test_drift_is_found_in_numbers_categories_and_missing_values():
    train = pd.DataFrame({"same": RANDOM.random(2000), "moved": RANDOM.random(2000), "empty": RANDOM.random(2000)})
    test = pd.DataFrame({"same": RANDOM.random(500), "moved": RANDOM.random(500) + 0.5, "empty": np.nan})
    train["town"], test["town"] = RANDOM.choice(["a", "b"], 2000), RANDOM.choice(["b", "c"], 500)
    result = drift(train, test)
    assert result["psi"]["same"] < SOME
    assert (result["psi"][["moved", "empty", "town"]] > STRONG).all()
    assert result["p_value"]["moved"] < 0.001 < result["p_value"]["same"]
    assert result["test"].to_dict() == {"same": "KS", "moved": "KS", "empty": "KS", "town": "chi²"}
    assert result["missing_test"]["empty"] == 1.0


def test_the_strongest_drift_comes_first():
    train = pd.DataFrame({"same": DECILES, "moved": DECILES, "far": DECILES})
    test = pd.DataFrame({"same": DECILES, "moved": DECILES + 20, "far": DECILES + 1000})
    assert list(drift(train, test).index) == ["far", "moved", "same"]


def test_only_common_columns_are_compared():
    train, test = pd.DataFrame({"a": DECILES, "b": DECILES}), pd.DataFrame({"b": DECILES, "c": DECILES})
    assert list(drift(train, test).index) == ["b"]


def test_the_index_of_two_known_distributions():
    """(.75 - .5) ln(.75 / .5) + (.25 - .5) ln(.25 / .5) = 0.2747, without the empty bins, which add nothing."""
    row = drift_of(pd.Series(["a"] * 50 + ["b"] * 50), pd.Series(["a"] * 75 + ["b"] * 25))
    assert row["psi"] == pytest.approx(0.2747, abs=1e-4)


def test_the_tests_have_their_known_results():
    row = drift_of(pd.Series([1.0, 2.0, 3.0, 4.0]), pd.Series([3.0, 4.0, 5.0, 6.0]))
    assert row["statistic"] == 0.5  # half of train lies below all of test
    row = drift_of(pd.Series(["a"] * 30 + ["b"] * 10), pd.Series(["a"] * 10 + ["b"] * 30))
    assert row["statistic"] == pytest.approx(18.05)  # with Yates' correction


def test_a_column_of_missing_values_only_has_no_test_statistic():
    for empty in (pd.Series([np.nan] * 4), pd.Series([None] * 4, dtype=object)):
        full = pd.Series([1.0, 2.0, 3.0, 4.0]) if empty.dtype == float else pd.Series(["a", "b", "a", "b"])
        row = drift_of(full, empty)
        assert (row["missing_train"], row["missing_test"]) == (0.0, 1.0)
        assert row["psi"] > STRONG
    assert np.isnan(drift_of(pd.Series([1.0, 2.0]), pd.Series([np.nan, np.nan]))["p_value"])
    assert np.isnan(drift_of(pd.Series(["a", "a"]), pd.Series(["a", "a"]))["p_value"]), "one value: nothing to compare"


def test_a_frame_without_rows_has_no_drift_to_measure():
    row = drift_of(DECILES, pd.Series([], dtype="float64"))
    assert np.isnan(row["p_value"])
    assert np.isfinite(row["psi"])


@pytest.mark.parametrize("values", [[np.nan] * 3, [1.0, 1.0, 1.0], [0.5, 1e300, -1e300], ["a", None, "b"], [None] * 3])
def test_a_column_does_not_drift_from_itself(values):
    column = pd.Series(values, dtype=object if None in values else None)
    assert drift_of(column, column)["psi"] == pytest.approx(0.0)


def test_bins_are_the_deciles_of_the_training_rows_without_bounds():
    edges = bin_edges(DECILES)
    assert len(edges) == 11
    assert (edges[0], edges[-1]) == (-np.inf, np.inf)
    counts, _ = bin_counts(DECILES, DECILES)
    assert list(counts[:-1]) == [10] * 10


def test_bins_of_few_values_or_none_are_fewer():
    assert list(bin_edges(pd.Series([1.0, 1.0, 1.0]))) == [-np.inf, 1.0, np.inf]
    assert list(bin_edges(pd.Series([np.nan]))) == [-np.inf, np.inf]


def test_values_outside_the_training_range_and_missing_ones_are_counted():
    train, test = bin_counts(DECILES, pd.Series([-1e9, 1e9, np.nan]))
    assert list(train.index) == list(test.index)
    assert (test.iloc[0], test.iloc[9], test[MISSING]) == (1, 1, 1)
    assert test.sum() == 3


def test_rare_and_new_categories_share_one_bin():
    common = [f"v{i:02d}" for i in range(30) for _ in range(2)]
    train, test = bin_counts(pd.Series([*common, "rare"]), pd.Series(["v00", "new", "rare", None]))
    assert len(train) == 32
    assert (train[OTHERS], train["v00"], train[MISSING]) == (1, 2, 0)
    assert (test[OTHERS], test["v00"], test[MISSING]) == (2, 1, 1)
