"""Search and refit on real servers: Postgres, S3 and MLflow. Which model goes live: see test_going_live.py."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml_platform import ROOT
from ml_platform.exceptions import DegenerateDataError
from ml_platform.promotion import gate
from ml_platform.promotion import steps as promotion_steps
from ml_platform.registry import registry
from ml_platform.specs.tasks import METRICS
from ml_platform.storage import mlflow_client
from ml_platform.storage.json_values import to_json
from ml_platform.training import race, search, search_plan, steps
from ml_platform.training.candidates import Candidate
from ml_platform.training.split import split
from tests.ml_platform.training.trainings import (
    GRID,
    ONE,
    make_dataset,
    make_frame,
    make_tpe_dataset,
    make_training_set,
    make_weeks,
    make_weeks_frame,
    searched_with,
    smoke_test_here,
    train,
    without_pictures,
)

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("mlflow_server")]

FAILING = {"logistic_regression": {"C": [1.0]}, "random_forest": {"bootstrap": [False], "oob_score": [True]}}


def children(run_id):
    api = mlflow_client.connect()
    run = api.get_run(run_id)
    return api.search_runs([run.info.experiment_id], f"tags.`mlflow.parentRunId` = '{run_id}'")


@pytest.fixture(scope="module", autouse=True)
def one_process():
    with smoke_test_here():
        yield


@pytest.fixture(scope="module")
def full(mlflow_server):
    """A whole training with twelve candidates on two processes."""
    training_set = make_training_set(make_dataset("full", GRID))
    searched = searched_with(training_set, jobs=2, attempt_id="first")
    refitted = steps.refit(training_set, searched)
    return training_set, searched, refitted, promotion_steps.promote(training_set, refitted)


def test_every_candidate_is_a_child_run_with_its_figures(full):
    _, searched, *_ = full
    runs = children(searched.run_id)
    assert len({run.data.tags["candidate_id"] for run in runs}) == len(runs) == searched.total == 12
    for run in runs:
        assert run.info.status == "FINISHED"
        assert {*METRICS["binary"], *(f"{name}_sd" for name in METRICS["binary"]), "seconds"} <= set(run.data.metrics)
        assert set(GRID[run.data.params["estimator"]]) <= set(run.data.params)


def test_the_parent_run_records_data_metrics_and_charts(full):
    training_set, searched, refitted, card = full
    api = mlflow_client.connect()
    run = api.get_run(searched.run_id)
    assert run.info.status == "FINISHED"
    metrics, tags = run.data.metrics, run.data.tags
    assert {name: int(value) for name, value in metrics.items() if name.startswith("candidates_")} == {
        "candidates_done": 12, "candidates_total": 12, "candidates_failed": 0, "candidates_pruned": 0,
    }  # fmt: skip
    assert run.data.params["strategy"] == "grid"
    assert metrics["holdout_f1"] == refitted.metrics["f1"] == card.challenger_score > 0.5
    assert tags["chosen_candidate"] == card.best_candidate
    assert metrics["chosen_cv_f1"] == searched.score <= metrics["best_cv_f1"]
    assert tags["training_set_sha256"] == training_set.sha256
    assert json.loads(tags["sources"]) == to_json(training_set.sources)
    assert tags["compare_url"] == searched.compare_url == card.compare_url
    assert all(f"| {estimator} " in tags["mlflow.note.content"] for estimator in GRID)
    assert run.inputs.dataset_inputs[0].dataset.digest == training_set.sha256[:36]
    assert {item.path for item in api.list_artifacts(run.info.run_id, "charts")} == {
        f"charts/{name}.png"
        for name in ("best_over_time", "calibration", "candidates", "confusion_matrix", "f1_over_threshold",
                     "feature_importance", "partial_dependence", "precision_recall", "roc")
    }  # fmt: skip
    assert {"training_card.json", "holdout_predictions.parquet", "model_card.html", "model_card.md"} <= {
        i.path for i in api.list_artifacts(run.info.run_id)
    }


def test_the_first_model_goes_live_and_predicts_as_recorded(full):
    training_set, _, refitted, card = full
    assert card.promoted
    assert card.champion_before is None
    model = registry.load_champion("full")
    features, labels = split(training_set, 3).test()
    probabilities, predictions = model.predict(features)
    assert (model.version, model.task.threshold) == (refitted.version, refitted.threshold)
    assert (predictions == (probabilities >= model.task.threshold)).all()
    assert model.task.gate_score(labels, probabilities) == card.metrics["f1"]
    assert (model.task.classes, model.dataset, model.holdout.by) == (("0", "1"), training_set.dataset, "entity")
    tags = registry.get_version("full", model.version).tags
    assert tags["spec_sha256"] == training_set.dataset.sha256
    low, high = json.loads(tags["holdout_intervals"])["f1"]
    assert low < card.metrics["f1"] < high
    assert np.isfinite(model.predict(features[["age"]])[0]).all()
    assert model.predict(features.head(0))[0].shape == (0,)


def test_the_steps_are_idempotent(full, monkeypatch):
    training_set, searched, refitted, card = full
    monkeypatch.setattr(search, "evaluate", None)
    assert searched_with(training_set, jobs=1, attempt_id="first") == replace(searched, jobs=1)
    assert steps.refit(training_set, searched) == refitted
    assert promotion_steps.promote(training_set, refitted) == card
    assert len(mlflow_client.connect().search_model_versions("name = 'full'")) == 1


def test_same_data_and_code_give_equal_metrics_and_predictions(full):
    training_set, searched, refitted, *_ = full
    again = searched_with(training_set, jobs=1, attempt_id="second")
    assert again.run_id != searched.run_id
    scores = [
        {
            run.data.tags["candidate_id"]: {m: run.data.metrics[m] for m in METRICS["binary"]}
            for run in children(one.run_id)
        }
        for one in (searched, again)
    ]
    assert scores[0] == scores[1]
    with without_pictures():
        equal = steps.refit(training_set, again)
        decision = promotion_steps.promote(training_set, equal)
    assert (equal.metrics, equal.threshold) == (refitted.metrics, refitted.threshold)
    features, _ = split(training_set, 3).test()
    first, second = (
        registry.load(registry.get_version("full", one.version)).predict(features) for one in (refitted, equal)
    )
    assert (first[0] == second[0]).all()
    assert (decision.decision, decision.champion_score) == ("kept", refitted.metrics["f1"])


@pytest.fixture(scope="module")
def several(mlflow_server):
    """A training of three classes by time on the first 80 days, and one on all 100."""
    cards = []
    for days in (80, 100):
        frame = make_weeks_frame()
        known = frame["event_timestamp"] < frame["event_timestamp"].iloc[0] + pd.Timedelta(days, "D")
        training_set = make_training_set(make_weeks(candidates=ONE), frame[known])
        refitted = steps.refit(training_set, searched_with(training_set))
        cards.append(promotion_steps.promote(training_set, refitted))
    return training_set, *cards


def test_several_classes_go_live_without_a_threshold(several):
    training_set, first, _ = several
    assert (first.promoted, first.threshold) == (True, None)
    assert first.metrics["f1"] == first.challenger_score > 0.5
    version = registry.get_version("weeks", first.version)
    assert "threshold" not in version.tags
    assert (json.loads(version.tags["classes"]), version.tags["holdout_by"]) == (["poor", "fair", "good"], "time")
    model = registry.load(version)
    assert model.dataset == training_set.dataset
    probabilities, predictions = model.predict(training_set.frame)
    assert probabilities.shape == (len(training_set.frame), 3)
    assert (predictions == probabilities.argmax(axis=1)).all()
    assert [array.shape for array in model.predict(training_set.frame.head(0))] == [(0, 3), (0,)]
    assert {item.path for item in mlflow_client.connect().list_artifacts(first.run_id, "charts")} == {
        f"charts/{name}.png"
        for name in ("best_over_time", "calibration", "candidates", "confusion_matrix", "feature_importance",
                     "partial_dependence", "per_class")
    }  # fmt: skip


def test_by_time_both_are_evaluated_on_rows_that_neither_was_trained_on(several):
    training_set, first, second = several
    models_ = [registry.load(registry.get_version("weeks", card.version)) for card in (first, second)]
    starts = [model.holdout.start for model in models_]
    assert starts[0] < starts[1]
    frame = training_set.frame[training_set.frame["event_timestamp"] >= starts[1]]
    labels = frame["sales"].to_numpy()
    scores = [model.task.gate_score(labels, model.predict(frame)[0]) for model in models_]
    assert [second.champion_score, second.challenger_score] == scores
    assert second.champion_before == first.version


def test_a_column_that_reveals_the_label_is_named(mlflow_server, caplog):
    leaky = make_frame().assign(income=lambda frame: 100.0 * frame["buys"])
    card, _ = train("leaky", leaky)
    assert list(card.suspected_leaks) == ["income"]
    assert "income alone reveals the label (1.00): if it is known only with the label" in caplog.text
    tags = mlflow_client.connect().get_run(card.run_id).data.tags
    assert json.loads(tags["suspected_leaks"]) == card.suspected_leaks


def test_a_candidate_that_fails_is_logged_and_the_search_goes_on(mlflow_server):
    card, _ = train("failing", candidates=FAILING)
    assert (card.candidates_tried, card.candidates_failed, card.promoted) == (2, 1, True)
    (failed,) = (run for run in children(card.run_id) if run.info.status == "FAILED")
    assert "Out of bag estimation" in failed.data.tags["error"]


def test_a_search_without_any_success_registers_nothing(mlflow_server):
    with pytest.raises(DegenerateDataError, match="none of 1 candidates could be fitted"):
        train("hopeless", candidates={"random_forest": FAILING["random_forest"]})
    assert not mlflow_client.connect().search_model_versions("name = 'hopeless'")


def test_degenerate_data_leaves_no_run(mlflow_server):
    with pytest.raises(DegenerateDataError):
        train("degenerate", make_frame().assign(buys=0))
    assert mlflow_client.connect().get_experiment_by_name("degenerate") is None


KILLED = """
import sys
sys.path[:0] = sys.argv[1:3]
from tests.ml_platform.training.trainings import GRID, make_dataset, make_training_set, searched_with
searched_with(make_training_set(make_dataset(f"killed_{sys.argv[3]}", GRID)), jobs=int(sys.argv[3]))
"""
KILLED_TPE = """
import sys
sys.path[:0] = sys.argv[1:3]
from tests.ml_platform.training.trainings import make_tpe_dataset, make_training_set, searched_with
searched_with(make_training_set(make_tpe_dataset("killed_tpe", ensemble=3)), attempt_id="killed")
"""


def kill_when_done(code, arguments, name, number):
    """Run a search in a process of its own, kill it when so many candidates are logged; return their ids."""
    command = [sys.executable, "-c", code, str(ROOT / "plugins"), str(ROOT), *arguments]
    api, done = mlflow_client.connect(), []
    with subprocess.Popen(command, env=dict(os.environ)) as process:
        try:
            while len(done) < number:
                assert process.poll() is None, "the search ended before it could be killed"
                time.sleep(0.05)
                experiment = api.get_experiment_by_name(name)
                found = experiment and api.search_runs([experiment.experiment_id], "tags.kind = 'candidate'")
                done = [run.data.tags["candidate_id"] for run in found or [] if run.info.status == "FINISHED"]
        finally:
            process.send_signal(signal.SIGKILL)
    return done


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.prove)])
def test_a_killed_search_goes_on_where_it_stopped(mlflow_server, monkeypatch, jobs):
    done = kill_when_done(KILLED, [str(jobs)], f"killed_{jobs}", 2)
    fitted = []
    real = search.evaluate
    monkeypatch.setattr(
        search, "evaluate", lambda candidate, *rest: fitted.append(candidate.id) or real(candidate, *rest)
    )
    searched = searched_with(make_training_set(make_dataset(f"killed_{jobs}", GRID)), jobs=1)
    runs = children(searched.run_id)
    assert not set(fitted) & set(done)
    assert sum(run.info.status == "FINISHED" for run in runs) == 12
    assert not [run for run in runs if run.info.status == "RUNNING"]
    assert number_of_searches(f"killed_{jobs}") == 1


def number_of_searches(name):
    api = mlflow_client.connect()
    experiment = api.get_experiment_by_name(name)
    return len(api.search_runs([experiment.experiment_id], "tags.kind = 'search'"))


def scores_by_candidate(run_id):
    """Return scores and partial scores of each finished child run, by candidate id; a kill may have left another."""
    tags = ("folds", "interim", "pruned")
    return {
        run.data.tags["candidate_id"]: [run.data.tags.get(tag) for tag in tags]
        for run in children(run_id)
        if run.info.status == "FINISHED"
    }


@pytest.fixture(scope="module")
def adaptive(mlflow_server):
    """A training with the strategy tpe, and its search on two processes."""
    training_set = make_training_set(make_tpe_dataset("adaptive"))
    searched = searched_with(training_set, jobs=2, attempt_id="first")
    return training_set, searched, steps.refit(training_set, searched)


def test_every_trial_is_a_child_run_pruned_ones_too(adaptive):
    _, searched, refitted = adaptive
    assert (searched.total, searched.failed) == (14, 0)
    runs = children(searched.run_id)
    assert len(scores_by_candidate(searched.run_id)) == len(runs) == 14
    pruned = [run for run in runs if run.data.tags["pruned"] == "true"]
    assert len(pruned) == searched.pruned > 0
    for run in pruned:
        assert run.info.status == "FINISHED"
        assert "interim_score" in run.data.metrics
        assert "fold_f1" in run.data.metrics
        assert not set(METRICS["binary"]) & set(run.data.metrics)
    parent = mlflow_client.connect().get_run(searched.run_id)
    assert parent.data.metrics["candidates_pruned"] == searched.pruned
    assert parent.data.params["strategy"] == "tpe"
    assert Candidate(*searched.candidate).id not in {run.data.tags["candidate_id"] for run in pruned}
    assert refitted.metrics["f1"] > 0.5


def test_an_adaptive_search_finds_the_same_model_again(adaptive):
    training_set, searched, refitted = adaptive
    again = searched_with(training_set, jobs=1, attempt_id="second")
    assert again.run_id != searched.run_id
    assert scores_by_candidate(again.run_id) == scores_by_candidate(searched.run_id)
    assert (again.candidate, again.score, again.pruned) == (searched.candidate, searched.score, searched.pruned)
    equal = steps.refit(training_set, again)
    assert (equal.metrics, equal.threshold) == (refitted.metrics, refitted.threshold)
    features, _ = split(training_set, 3).test()
    first, second = (
        registry.load(registry.get_version("adaptive", one.version)).predict(features) for one in (refitted, equal)
    )
    assert (first[0] == second[0]).all()


@pytest.mark.prove  # the gate kills a search on a grid
def test_a_killed_adaptive_search_resumes_and_ends_as_if_it_had_not_been_killed(adaptive, monkeypatch):
    done = kill_when_done(KILLED_TPE, [], "killed_tpe", 6)
    fitted = []
    real = race.fit_fold
    monkeypatch.setattr(race, "fit_fold", lambda one, *rest: fitted.append(one.id) or real(one, *rest))
    training_set = make_training_set(make_tpe_dataset("killed_tpe", ensemble=3))
    resumed = searched_with(training_set, attempt_id="killed")
    assert not set(fitted) & set(done)
    assert number_of_searches("killed_tpe") == 1
    assert not [run for run in children(resumed.run_id) if run.info.status == "RUNNING"]
    whole = searched_with(training_set, attempt_id="whole")
    assert scores_by_candidate(resumed.run_id) == scores_by_candidate(whole.run_id)
    assert (resumed.candidate, resumed.score, resumed.pruned) == (whole.candidate, whole.score, whole.pruned)
    assert resumed.total == whole.total == 15
    an_ensemble_is_a_candidate_like_the_others(training_set, whole)


def an_ensemble_is_a_candidate_like_the_others(training_set, searched):
    """Check its run, and that it is refitted, stored, loaded, and gives a row the same probability in any batch."""
    (run,) = [run for run in children(searched.run_id) if run.data.params["estimator"] == "ensemble"]
    assert {"f1", "f1_sd", "fold_f1", "seconds", "elapsed"} <= set(run.data.metrics)
    assert {"member_1", "member_2"} <= set(run.data.params)
    chosen = replace(searched, candidate=tuple(json.loads(run.data.tags["candidate"])))
    refitted = steps.refit(training_set, chosen)
    version = registry.get_version("killed_tpe", refitted.version)
    assert version.tags["candidate"] == str(Candidate(*chosen.candidate))
    features, _ = split(training_set, 3).test()
    model = registry.load(version)
    together, _ = model.predict(features)
    assert np.array_equal(np.concatenate([model.predict(features.iloc[[row]])[0] for row in range(30)]), together[:30])
    card = mlflow_client.connect().download_artifacts(searched.run_id, "model_card.md")
    assert run.data.params["member_1"] in Path(card).read_text(encoding="utf-8")


def test_the_time_limit_counts_the_time_before_a_kill(mlflow_server):
    """The first attempt takes more than the second may take in all, so that starts nothing new."""
    training_set = make_training_set(make_tpe_dataset("in_time"))
    first = searched_with(training_set, trials=4)
    newest = max(run.data.metrics["elapsed"] for run in children(first.run_id))
    assert newest > 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search_plan, "timedelta_of", lambda _: timedelta(seconds=newest / 2))
        second = searched_with(training_set, trials=14, timeout="1s")
    assert second.run_id == first.run_id
    assert (second.total, second.candidate) == (4, first.candidate)
    metrics = mlflow_client.connect().get_run(second.run_id).data.metrics
    assert (metrics["candidates_done"], metrics["candidates_total"]) == (4, 4)


def test_a_challenger_that_predicts_otherwise_is_refused(full):
    training_set, _, refitted, *_ = full
    parts = split(training_set, 3)
    for probabilities in (np.full(parts.in_holdout.sum(), np.nan), np.full(parts.in_holdout.sum(), 0.5)):
        version = registry.get_version("full", refitted.version)
        decision = gate.evaluate(version, None, parts.holdout_rows(), probabilities, training_set.dataset.gate).decision
        assert decision.decision == "refused"
        assert "does not predict the same" in decision.reason
