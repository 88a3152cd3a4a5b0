"""What the steps of a training pass on survives the way between tasks, and loads no library."""

import subprocess
import sys
from dataclasses import FrozenInstanceError

import pytest

from ml_platform import ROOT
from ml_platform.exceptions import ConfigurationError
from ml_platform.storage.json_values import from_json, to_json
from ml_platform.training.candidates import Candidate
from ml_platform.training.results import Challenger, SearchResult, Source, TrainingSetReference

REFERENCE = TrainingSetReference(
    "shop", "aa", "training_sets/shop/bb.parquet", "bb", 3, ["0", "1"], [2, 1], [Source("train_shop.csv", "cc", 3)]
)
SEARCH = SearchResult(
    run_id="r", url="http://mlflow/r", search_id="dd", candidate=("random_forest", {"max_depth": None, "C": [1.0]}),
    score=0.5, score_sd=0.1, scoring="f1", folds=5, jobs=2, total=12, failed=1, suspected_leaks={"income": 0.99},
    compare_url="http://mlflow/#/compare-runs",
)  # fmt: skip
CHALLENGERS = [
    Challenger("r", "http://mlflow/r", "shop", 7, threshold, {"f1": 0.5}, SEARCH) for threshold in (0.3, None)
]


@pytest.mark.parametrize("value", [REFERENCE, SEARCH, *CHALLENGERS], ids=lambda value: type(value).__name__)
def test_a_value_is_read_back_as_it_was_passed_on(value):
    assert from_json(type(value), to_json(value)) == value


def test_the_candidate_of_a_search_is_the_same_after_the_way_through_json():
    back = from_json(SearchResult, to_json(SEARCH))
    assert Candidate(*back.candidate).id == Candidate(*SEARCH.candidate).id


@pytest.mark.parametrize("value", [REFERENCE, SEARCH, CHALLENGERS[0]], ids=lambda value: type(value).__name__)
def test_a_value_without_a_field_is_rejected_and_the_field_named(value):
    incomplete = to_json(value)
    field = next(iter(incomplete))
    del incomplete[field]
    with pytest.raises(ConfigurationError, match=rf"{field}: Field required"):
        from_json(type(value), incomplete)


def test_a_metric_that_does_not_exist_is_rejected():
    with pytest.raises(ConfigurationError, match="scoring"):
        from_json(SearchResult, to_json(SEARCH) | {"scoring": "luck"})


def test_results_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        SEARCH.score = 1.0


def test_a_dag_file_may_import_them_without_loading_a_library():
    code = (
        "import sys, ml_platform.training.results; print(*{'pandas', 'sklearn', 'mlflow', 'feast'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT / "plugins", capture_output=True, text=True, check=True)
    assert ran.stdout.split() == []
