"""What the demo shows: tables and lines, without a server."""

import io
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from ml_platform.commands.demo.display import card_rows, card_table, progress_note, task_table, times_line
from ml_platform.promotion.results import TrainingCard
from stack.airflow_api import TaskState

CARD = TrainingCard(
    model="auto", version=1, promoted=True, decision="promoted", reason="version 1 is the first to go live",
    champion_before=None, min_gain=0.0, confidence=0.9, rows=1640, challenger_score=0.61234, champion_score=None,
    gain_low=None, gain_high=None, metric="f1",
    metrics={"f1": 0.61234, "roc_auc": 0.8, "precision": 0.5, "recall": 0.75, "log_loss": 0.4}, threshold=0.3214,
    best_candidate="random_forest", candidate=("random_forest", {}), candidates_tried=12, candidates_failed=0,
    scoring="f1", cv_score=0.6, cv_score_sd=0.01, suspected_leaks={}, training_set="s3://mlflow/a.parquet",
    training_set_sha256="00", sources=[], run_id="1", url="http://mlflow.test/#/runs/1",
)  # fmt: skip


def task(state: str, name: str = "search") -> TaskState:
    return TaskState(name, name, state, 1, 12.4, f"dags/train_auto/runs/r/tasks/{name}")


def shown(table: Any) -> list[list[str]]:
    console = Console(file=io.StringIO(), width=200)
    console.print(table)
    return [line.split() for line in console.file.getvalue().splitlines()]  # type: ignore[attr-defined]


def test_the_table_of_a_run_has_state_seconds_and_note_of_each_task() -> None:
    tasks = [task("success", "freeze"), task("running"), task("none", "refit")]
    _, *lines = shown(task_table("training", tasks, {"search": "3 of 12 candidates"}))
    assert lines == [
        ["freeze", "success", "12", "s"],
        ["search", "running", "12", "s", "3", "of", "12", "candidates"],
        ["refit", "none", "12", "s"],
    ]


@pytest.mark.parametrize(
    ("metrics", "note"),
    [
        ({"candidates_done": 3.0, "candidates_total": 12.0}, "3 of 12 candidates"),
        ({"candidates_total": 12.0}, "0 of 12 candidates"),
        ({}, ""),
    ],
)
def test_the_progress_of_a_search(metrics: dict[str, float], note: str) -> None:
    assert progress_note(metrics) == note


def test_the_line_of_times_has_only_tasks_that_worked() -> None:
    tasks = [task("success", "wait_for_file"), task("success", "load"), task("skipped", "announce"), task("failed")]
    assert times_line("loading", tasks) == "loading: load 12 s"
    assert times_line("loading", []) == "loading"


def test_the_card_has_what_a_newcomer_needs() -> None:
    rows = dict(card_rows(CARD))
    assert (rows["candidates tried"], rows["F1 on the hold-out"], rows["threshold"]) == ("12", "0.612", "0.321")
    assert (rows["gate"], rows["in MLflow"]) == (CARD.reason, CARD.url)
    assert dict(card_rows(replace(CARD, candidates_failed=2)))["candidates tried"] == "12, 2 failed"
    both = dict(card_rows(replace(CARD, candidates_failed=2, candidates_pruned=5)))
    assert both["candidates tried"] == "12, 2 failed, 5 pruned"


def test_the_card_links_to_the_comparison_of_estimators_if_there_are_several() -> None:
    assert "compare estimators" not in dict(card_rows(CARD))
    compared = replace(CARD, compare_url="http://mlflow.test/#/compare-runs")
    assert dict(card_rows(compared))["compare estimators"] == "http://mlflow.test/#/compare-runs"


def test_a_model_of_several_classes_has_no_threshold() -> None:
    assert "threshold" not in dict(card_rows(replace(CARD, threshold=None)))


def test_the_table_of_the_card_names_model_and_version() -> None:
    lines = shown(card_table(CARD))
    assert lines[0] == ["Model", "auto,", "version", "1"]
    assert any(CARD.url in line for line in lines)
