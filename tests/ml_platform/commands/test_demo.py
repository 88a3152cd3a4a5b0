"""What `make demo` says: the card, the display, and what went wrong where. No server is asked."""

import io
import json
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from ml_platform.commands import demo
from ml_platform.commands.demo import Demo, DemoError, card_rows
from ml_platform.promotion.results import TrainingCard
from stack.airflow_api import TaskState

CARD = TrainingCard(
    model="auto", version=1, promoted=True, decision="promoted", reason="version 1 is the first to go live",
    champion_before=None, min_gain=0.0, confidence=0.9, rows=1640, challenger_f1=0.61234, champion_f1=None,
    gain_low=None, gain_high=None,
    metrics={"f1": 0.61234, "roc_auc": 0.8, "precision": 0.5, "recall": 0.75, "log_loss": 0.4}, threshold=0.3214,
    best_candidate="random_forest", candidate=("random_forest", {}), candidates_tried=12, candidates_failed=0,
    scoring="f1", cv_score=0.6, cv_score_sd=0.01, suspected_leaks={}, training_set="s3://mlflow/a.parquet",
    training_set_sha256="00", sources=[], run_id="1", url="http://mlflow.test/#/runs/1",
)  # fmt: skip


class Airflow:
    """An Airflow that has one run with these tasks."""

    def __init__(self, *_: Any) -> None:
        self.errors: list[str] = []
        self.found: list[TaskState] = []

    def import_errors(self) -> list[str]:
        return self.errors

    def runs(self, dag_id: str, since: Any = None, limit: int = 20) -> list[dict[str, Any]]:
        return [{"dag_run_id": "r", "state": "running"}] if self.found else []

    def tasks(self, dag_id: str, run_id: str) -> list[TaskState]:
        return self.found


@pytest.fixture
def shown(config, monkeypatch: pytest.MonkeyPatch) -> Demo:
    monkeypatch.setattr(demo, "Airflow", Airflow)
    monkeypatch.setattr(demo.time, "sleep", lambda _: None)
    return Demo(config, Console(file=io.StringIO(), width=200))


def task(state: str, attempt: int = 1, name: str = "search") -> TaskState:
    return TaskState(name, name, state, attempt, 12.4, f"dags/train_auto/runs/r/tasks/{name}")


def printed(shown: Demo) -> str:
    return shown.console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_the_card_says_what_a_newcomer_wants_to_see() -> None:
    rows = dict(card_rows(CARD))
    assert (rows["candidates tried"], rows["F1 on the hold-out"], rows["threshold"]) == ("12", "0.612", "0.321")
    assert (rows["gate"], rows["in MLflow"]) == (CARD.reason, CARD.url)
    assert dict(card_rows(replace(CARD, candidates_failed=2)))["candidates tried"] == "12, 2 failed"
    assert "threshold" not in dict(card_rows(replace(CARD, threshold=None)))  # of several classes


@pytest.mark.parametrize("wrong", [task("failed"), task("up_for_retry", demo.ATTEMPTS)])
def test_a_failed_task_is_named_with_its_log(shown: Demo, wrong: TaskState) -> None:
    with pytest.raises(DemoError, match=r"training: task search failed\. Its log: ") as error:
        shown.check("training", [task("success", name="freeze"), wrong], late=False)
    assert str(error.value).endswith(f"{shown.config.airflow_url}/{wrong.page}")


def test_a_task_that_is_tried_again_is_given_time(shown: Demo) -> None:
    shown.check("training", [task("up_for_retry", demo.ATTEMPTS - 1), task("running")], late=False)


def test_a_dag_file_that_cannot_be_imported_is_named(shown: Demo) -> None:
    shown.airflow.errors = ["dags/train.py: NameError: x"]
    with pytest.raises(DemoError, match=r"cannot import dags/train.py: NameError: x"):
        shown.check("training", [], late=False)


def test_when_patience_ends_it_says_where_it_stands(shown: Demo) -> None:
    with pytest.raises(DemoError, match=r"training: not done after 0:15:00. It stands at task search; its log: http"):
        shown.check("training", [task("running"), task("none", name="refit")], late=True)
    with pytest.raises(DemoError, match=r"training: not done after 0:15:00.$"):
        shown.check("training", [], late=True)


def test_the_display_shows_each_task_and_how_far_the_search_is(shown: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = {"candidates_done": 3.0, "candidates_total": 12.0}
    monkeypatch.setattr(demo.tracking, "newest_search", lambda _: metrics)
    shown.console.print(shown.draw("training", [task("success", name="freeze"), task("running")]))
    _, freeze, search = printed(shown).splitlines()[:3]
    assert freeze.split() == ["freeze", "success", "12", "s"]
    assert search.split() == ["search", "running", "12", "s", "3", "of", "12", "candidates"]
    metrics.clear()
    assert shown.progress() == ""


def test_watching_ends_with_the_answer_and_leaves_a_line_behind(shown: Demo) -> None:
    answers = iter([None, "", {"rows": 1}])
    shown.airflow.found = [task("success"), task("skipped", name="announce")]
    assert shown.watch("training", "train_auto", lambda: next(answers)) == {"rows": 1}
    assert "✓ training: search 12 s" in printed(shown)
    assert "announce" not in printed(shown).splitlines()[-1]


def test_a_rejected_sample_says_why(shown: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    report = {"outcome": "rejected"}
    reports = iter([set(), {"rejected/train_auto.1.report.json"}])
    monkeypatch.setattr(demo, "report_keys", lambda *_: next(reports))
    monkeypatch.setattr(demo.object_store, "client", lambda: type("S3", (), {"put_object": lambda *_, **__: None})())
    monkeypatch.setattr(demo.object_store, "head", lambda *_: None)
    monkeypatch.setattr(demo.object_store, "get", lambda *_: json.dumps(report).encode())
    monkeypatch.setattr(demo.report_files, "report_text", lambda _: b"line 3: no such column")
    with pytest.raises(DemoError, match=r"train_auto\.csv was rejected:\nline 3: no such column"):
        shown.drop("train", demo.sample("train_auto"), "ingest_auto")


def test_the_first_row_of_every_sample_is_read() -> None:
    for name, column, value in (("auto", "INDEX", "4"), ("flights", "origin", None), ("penguins", "Island", "Biscoe")):
        row = demo.first_row(demo.sample(f"test_{name}"))
        assert column in row
        assert value is None or row[column] == value
