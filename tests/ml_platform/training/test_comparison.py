"""The best of each estimator is shown side by side, with a link that needs no editing. Partly on a real MLflow."""

import json
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from ml_platform.evaluation.fold_intervals import half_width
from ml_platform.storage import mlflow_client
from ml_platform.training import tracking
from ml_platform.training.candidates import Candidate
from ml_platform.training.comparison import best_of_each, log_comparison, table
from ml_platform.training.search import CandidateResult


def result(estimator: str, f1: list[float], roc_auc: float = 0.8, **params) -> CandidateResult:
    folds = {"f1": f1, "roc_auc": [roc_auc] * len(f1)}
    return CandidateResult(
        Candidate(estimator, params),
        means={name: float(np.mean(values)) for name, values in folds.items()},
        sds={name: float(np.std(values)) for name, values in folds.items()},
        folds=folds,
        start_time=1_800_000_000.0,
        seconds=2.5,
    )


WORSE = result("logistic_regression", [0.3, 0.5], C=1.0)
BETTER = result("logistic_regression", [0.4, 0.6], C=0.1)
FOREST = result("random_forest", [0.5, 0.6])
FAILED = CandidateResult(Candidate("snapshot_ensemble", {}), error="no")
RESULTS = [WORSE, FAILED, BETTER, FOREST]


def test_the_best_of_each_estimator_comes_first() -> None:
    assert best_of_each(RESULTS, "f1") == [FOREST, BETTER]
    assert best_of_each([FAILED], "f1") == []


def test_the_table_has_means_and_intervals_from_the_same_folds() -> None:
    header, _, first, second, _, note = table([FOREST, BETTER], "f1").splitlines()
    assert header == "| candidate | f1 | roc_auc | f1 worse than the first | seconds |"
    assert first == f"| random_forest | 0.550 ± {half_width([0.5, 0.6]):.3f} | 0.800 ± 0.000 |  | 2.5 |"
    width = half_width([0.1, 0.0])  # of the differences, not of the scores
    assert f"| 0.050 ± {width:.3f} | 2.5 |" in second
    assert second.startswith("| logistic_regression C=0.1 | 0.500 ±")
    assert "95 % confidence interval" in note


def test_the_metric_of_the_search_is_shown_once_and_first() -> None:
    assert table([FOREST, BETTER], "roc_auc").startswith("| candidate | roc_auc | f1 | roc_auc worse than the first |")


@pytest.fixture
def parent(mlflow_server, request):
    client = mlflow_client.connect()
    experiment = mlflow_client.experiment_id(client, request.node.name)
    return tracking.parent_run(client, experiment, "one", "search", {})


@pytest.mark.servers
def test_the_page_of_the_search_links_to_the_runs_of_the_best(parent) -> None:
    client = mlflow_client.connect()
    for one in RESULTS:
        tracking.log_candidate(client, parent, one)
    url = log_comparison(client, parent, RESULTS, "f1")
    tags = client.get_run(parent.info.run_id).data.tags
    assert tags["compare_url"] == url
    assert f"[compare their runs]({url})" in tags["mlflow.note.content"]
    assert "| random_forest | 0.550" in tags["mlflow.note.content"]
    page, _, query = urlsplit(url).fragment.partition("?")
    ids = {name: json.loads(values[0]) for name, values in parse_qs(query).items()}
    assert (page, ids["experiments"]) == ("/compare-runs", [parent.info.experiment_id])
    assert [client.get_run(run_id).info.run_name for run_id in ids["runs"]] == [
        str(one.candidate) for one in (FOREST, BETTER)
    ]
    assert log_comparison(client, parent, RESULTS, "f1") == url  # a search that resumes


@pytest.mark.servers
def test_one_estimator_is_compared_with_nothing(parent) -> None:
    client = mlflow_client.connect()
    for one in (WORSE, BETTER):
        tracking.log_candidate(client, parent, one)
    assert log_comparison(client, parent, [WORSE, BETTER], "f1") == ""
    assert "compare_url" not in client.get_run(parent.info.run_id).data.tags
