"""What is logged of a search is read back when it resumes. On real servers."""

import json

import numpy as np
import pytest

from ml_platform.estimators.model_parts import uncalibrated
from ml_platform.evaluation.holdout_report import holdout_report
from ml_platform.storage import mlflow_client
from ml_platform.training import search_progress, tracking
from ml_platform.training.calibrating import calibrate
from ml_platform.training.candidates import Candidate
from ml_platform.training.fitting import fit
from ml_platform.training.search import CandidateResult
from ml_platform.training.split import split
from tests.ml_platform.training.trainings import make_training_set, make_weeks, make_weeks_frame

RESULT = CandidateResult(
    Candidate("logistic_regression", {"class_weight": None, "C": 0.1}),
    means={"f1": 0.6, "roc_auc": 0.8}, sds={"f1": 0.01, "roc_auc": 0.02},
    folds={"f1": [0.59, 0.61], "roc_auc": [0.78, 0.82]},
    start_time=1_800_000_000.25, seconds=2.5, notes=("did not converge", "no rows of a category"),
)  # fmt: skip
PRUNED = CandidateResult(
    Candidate("logistic_regression", {"C": 0.123456789}), folds={"f1": [0.4], "roc_auc": [0.7]}, interim={1: 0.4},
    start_time=1_800_000_000.5, seconds=0.5, elapsed=12.5, pruned=True,
)  # fmt: skip
FAILED = CandidateResult(
    Candidate("random_forest", {"n_estimators": 10}), start_time=1_800_000_000.0, seconds=0.5, error="Traceback\nno"
)


@pytest.fixture
def client(mlflow_server):
    return mlflow_client.connect()


@pytest.fixture
def parent(client, request):
    return make_parent(client, request.node.name)


def make_parent(client, name, search_id="one"):
    experiment = mlflow_client.experiment_id(client, name)
    return tracking.parent_run(client, experiment, search_id, name, {"dataset": name})


@pytest.mark.servers
def test_a_result_is_read_back_as_it_was_logged(client, parent):
    for result in (RESULT, FAILED):
        tracking.log_candidate(client, parent, result)
    back = tracking.logged_results(client, parent)
    assert set(back) == {RESULT.candidate.id, FAILED.candidate.id}
    same, failed = back[RESULT.candidate.id], back[FAILED.candidate.id]
    assert (same.candidate, same.means, same.sds) == (RESULT.candidate, RESULT.means, RESULT.sds)
    assert (same.start_time, same.seconds) == (1_800_000_000.25, 2.5)
    assert (same.notes, same.error, same.folds) == (RESULT.notes, None, RESULT.folds)
    assert (failed.error, failed.means, failed.score("f1")) == ("Traceback\nno", {}, -np.inf)


@pytest.mark.servers
def test_a_pruned_result_keeps_its_first_folds_and_has_no_means(client, parent):
    tracking.log_candidate(client, parent, PRUNED)
    assert tracking.logged_results(client, parent) == {PRUNED.candidate.id: PRUNED}
    (run,) = client.search_runs([parent.info.experiment_id], "tags.kind = 'candidate'")
    assert (run.info.status, run.data.tags["pruned"], run.data.params["C"]) == ("FINISHED", "true", "0.123456789")
    assert set(run.data.metrics) == {"seconds", "elapsed", "fold_f1", "fold_roc_auc", "interim_score"}


@pytest.mark.servers
def test_a_child_run_shows_parameters_metrics_and_folds(client, parent):
    tracking.log_candidate(client, parent, RESULT)
    (run,) = client.search_runs([parent.info.experiment_id], "tags.kind = 'candidate'")
    assert run.data.params == {"estimator": "logistic_regression", "class_weight": "None", "C": "0.1"}
    assert (run.info.status, run.info.end_time - run.info.start_time) == ("FINISHED", 2500)
    folds = client.get_metric_history(run.info.run_id, "fold_f1")
    assert [metric.value for metric in sorted(folds, key=lambda metric: metric.step)] == [0.59, 0.61]


@pytest.mark.servers
def test_a_very_long_error_keeps_its_end(client, parent):
    error = "x" * 2 * mlflow_client.TEXT_LIMIT + "\nValueError: why"
    tracking.log_candidate(client, parent, CandidateResult(FAILED.candidate, error=error))
    assert tracking.logged_results(client, parent)[FAILED.candidate.id].error.endswith("\nValueError: why")


@pytest.mark.servers
def test_a_search_resumes_in_its_run_and_no_other_search_does(client, parent, request):
    tracking.log_candidate(client, parent, RESULT)
    again = make_parent(client, request.node.name)
    other = make_parent(client, request.node.name, "two")
    assert again.info.run_id == parent.info.run_id != other.info.run_id
    assert set(tracking.logged_results(client, again)) == {RESULT.candidate.id}
    assert tracking.logged_results(client, other) == {}


@pytest.mark.servers
def test_a_result_whose_logging_was_killed_is_closed_and_ignored(client, parent):
    tags = {"mlflow.parentRunId": parent.info.run_id, "kind": "candidate", "candidate_id": RESULT.candidate.id}
    half = client.create_run(parent.info.experiment_id, tags=tags)
    assert tracking.logged_results(client, parent) == {}
    assert client.get_run(half.info.run_id).info.status == "KILLED"


@pytest.mark.servers
def test_more_results_than_fit_on_a_page_are_all_read(client, parent, monkeypatch):
    monkeypatch.setattr(tracking, "PAGE", 2)
    for c in (1.0, 2.0, 3.0, 4.0, 5.0):
        candidate = Candidate("logistic_regression", {"C": c})
        tracking.log_candidate(client, parent, CandidateResult(candidate, error="no"))
    assert len(tracking.logged_results(client, parent)) == 5


@pytest.mark.servers
def test_the_newest_search_shows_how_far_it_is(client, request):
    name = request.node.name
    assert search_progress.newest_search(name) == {}
    first, second = make_parent(client, name), make_parent(client, name, "two")
    tracking.log_counts(client, first.info.run_id, 12, [RESULT] * 12)
    tracking.log_counts(client, second.info.run_id, 12, [RESULT, FAILED, PRUNED])
    counts = {"candidates_total": 12, "candidates_done": 3, "candidates_failed": 1, "candidates_pruned": 1}
    assert search_progress.newest_search(name) == counts


@pytest.mark.servers
def test_the_training_set_is_the_input_of_the_run(client, parent):
    tracking.log_input(client, parent.info.run_id, "shop", "ab" * 32, "s3://mlflow/x.parquet", {"num_rows": 3})
    (given,) = client.get_run(parent.info.run_id).inputs.dataset_inputs
    assert (given.dataset.name, given.dataset.digest) == ("shop", "ab" * 18)
    assert json.loads(given.dataset.source) == {"uri": "s3://mlflow/x.parquet"}


@pytest.mark.servers
@pytest.mark.parametrize("several_classes", [False, True])
def test_the_probabilities_on_the_hold_out_are_read_back_bit_by_bit(client, parent, several_classes):
    weeks = make_training_set(make_weeks(), make_weeks_frame())
    parts = split(weeks if several_classes else make_training_set(), 3)
    candidate, rows = Candidate("logistic_regression", {"class_weight": "balanced"}), parts.holdout_rows()
    calibration = calibrate(candidate, parts, 3)
    model = fit(candidate, parts, 3, calibration=calibration)
    below = uncalibrated(model) if calibration.method else None
    report = holdout_report(model, rows, calibration, below)
    tracking.log_holdout_report(client, parent.info.run_id, report)
    expected = model.predict_proba(rows.features)
    probabilities = tracking.holdout_outputs(parent.info.run_id)
    assert np.array_equal(probabilities, expected if several_classes else expected[:, 1])
    metrics = client.get_run(parent.info.run_id).data.metrics
    assert metrics["holdout_f1"] == report.metrics["f1"]
    for name, value in calibration.metrics().items():  # Brier score and calibration error, before and after
        assert metrics[f"out_of_fold_{name}"] == value
        assert f"holdout_{name}" in metrics
    assert ("threshold" in metrics) is ("holdout_positives" in metrics) is not several_classes


def test_the_commit_is_the_one_of_the_image_or_else_of_git(tmp_path, monkeypatch):
    monkeypatch.setattr(tracking, "ROOT", tmp_path)
    assert tracking.commit() == "unknown"
    (tmp_path / "REVISION").write_text("abc123\n")
    assert tracking.commit() == "abc123"
