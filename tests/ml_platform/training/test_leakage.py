import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris

from ml_platform.training.leakage import label_scores, suspected_leaks
from stack.config import ROOT

RANDOM = np.random.default_rng(0)
ROWS = 2_000


@pytest.fixture
def rare():
    """20 positives among 2,000 rows, in no order."""
    return RANDOM.permutation(np.repeat([0, 1], [ROWS - 20, 20]))


def test_the_sample_has_one_leak():
    auto = pd.read_csv(ROOT / "minio" / "samples" / "train_auto.csv")
    assert list(suspected_leaks(auto.drop(columns="TARGET_FLAG"), auto["TARGET_FLAG"])) == ["TARGET_AMT"]


def test_what_is_known_only_after_the_event_is_found_in_numbers_texts_and_gaps(rare):
    features = pd.DataFrame(
        {
            "amount": np.where(rare == 1, 1 + RANDOM.random(ROWS), 0.0),
            "closed_at": np.where(rare == 1, RANDOM.random(ROWS), np.nan),
            "state": np.where(rare == 1, "closed", np.where(RANDOM.random(ROWS) < 0.5, "open", None)),
            "noise": RANDOM.random(ROWS),
        }
    )
    assert set(suspected_leaks(features, rare)) == {"amount", "closed_at", "state"}


def test_ids_are_not_flagged_for_being_learned_by_heart(rare):
    features = pd.DataFrame({"id": [f"c{i}" for i in range(ROWS)], "number": RANDOM.permutation(ROWS).astype(float)})
    assert label_scores(features, rare)["id"] == pytest.approx(0.0, abs=0.1)
    assert suspected_leaks(features, rare) == {}


def test_an_honest_column_of_an_easy_problem_is_no_leak():
    iris = load_iris(as_frame=True)
    assert suspected_leaks(iris.data, iris.target) == {}
    assert list(suspected_leaks(iris.data.assign(code=iris.target * 10.0), iris.target)) == ["code"]


def test_labels_may_be_texts_and_missing_values_of_any_kind():
    labels = pd.Series(["a", "b", "c"] * 50)
    features = pd.DataFrame(
        {"same": labels, "empty": np.nan, "none": None, "yes": pd.Series([True, None] * 75, dtype="boolean")}
    )
    assert list(suspected_leaks(features, labels)) == ["same"]


@pytest.mark.parametrize("labels", [[1] * 9, [1] * 8 + [0], []])
def test_where_there_is_nothing_to_tell_apart_nothing_is_scored(labels):
    assert label_scores(pd.DataFrame({"x": np.arange(len(labels), dtype=float)}), np.array(labels)) == {}
