"""`make demo`: what it waits for, and how it reports a failure. No server is used."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.console import Console

from ml_platform.commands.demo import stages
from ml_platform.commands.demo.stages import Demo, DemoError
from ml_platform.commands.samples import sample
from stack.airflow_api import TaskState


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
    monkeypatch.setattr(stages, "Airflow", Airflow)
    monkeypatch.setattr(stages.time, "sleep", lambda _: None)
    return Demo(config, Console(file=io.StringIO(), width=200))


def task(state: str, attempt: int = 1, name: str = "search") -> TaskState:
    return TaskState(name, name, state, attempt, 12.4, f"dags/train_auto/runs/r/tasks/{name}")


def printed(shown: Demo) -> str:
    return shown.console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


@pytest.mark.parametrize("failure", [task("failed"), task("up_for_retry", stages.ATTEMPTS)])
def test_a_failed_task_is_named_with_its_log(shown: Demo, failure: TaskState) -> None:
    with pytest.raises(DemoError, match=r"training: task search failed\. Its log: ") as error:
        shown.raise_on_failure("training", [task("success", name="freeze"), failure], is_late=False)
    assert str(error.value).endswith(f"{shown.config.airflow_url}/{failure.page}")


def test_a_task_that_is_retried_is_no_failure_yet(shown: Demo) -> None:
    shown.raise_on_failure("training", [task("up_for_retry", stages.ATTEMPTS - 1), task("running")], is_late=False)


def test_a_dag_file_that_cannot_be_imported_is_named(shown: Demo) -> None:
    shown.airflow.errors = ["dags/train.py: NameError: x"]
    with pytest.raises(DemoError, match=r"cannot import dags/train.py: NameError: x"):
        shown.raise_on_failure("training", [], is_late=False)


def test_after_the_timeout_the_error_names_the_task(shown: Demo) -> None:
    with pytest.raises(DemoError, match=r"training: not done after 0:15:00. It is at task search; its log: http"):
        shown.raise_on_failure("training", [task("running"), task("none", name="refit")], is_late=True)
    with pytest.raises(DemoError, match=r"training: not done after 0:15:00.$"):
        shown.raise_on_failure("training", [], is_late=True)


def test_a_running_search_shows_its_progress(shown: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    metrics = {"candidates_done": 3.0, "candidates_total": 12.0}
    monkeypatch.setattr(stages.search_progress, "newest_search", lambda _: metrics)
    assert shown.notes([task("success", name="freeze"), task("running")]) == {"search": "3 of 12 candidates"}
    assert shown.notes([task("success")]) == {}


def test_following_a_run_ends_with_the_result_and_prints_a_line(shown: Demo) -> None:
    results = iter([None, "", {"rows": 1}])
    shown.airflow.found = [task("success"), task("skipped", name="announce")]
    assert shown.follow("training", "train_auto", lambda: next(results)) == {"rows": 1}
    assert "✓ training: search 12 s" in printed(shown)
    assert "announce" not in printed(shown).splitlines()[-1]


def test_new_rows_are_trained_by_a_run_of_their_own(shown: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    """The report of a file comes before the training that it starts: until then, an earlier training is the newest."""
    now = datetime.now(UTC)
    runs = [{"start": now - timedelta(hours=1), "state": "success"}]
    monkeypatch.setattr(
        shown.airflow, "runs",
        lambda _, since=None, limit=20: [run for run in runs if not since or run["start"] >= since][:limit],
    )  # fmt: skip
    assert not shown.have_succeeded("train_auto", now)
    assert shown.have_succeeded("train_auto", None)
    runs.append({"start": now + timedelta(seconds=3), "state": "running"})
    assert not shown.have_succeeded("train_auto", now)
    runs[1]["state"] = "success"
    assert shown.have_succeeded("train_auto", now)


def test_a_rejected_sample_says_why(shown: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    report = {"outcome": "rejected", "key": "train_auto.csv"}
    monkeypatch.setattr(stages, "report_keys", lambda *_: set())
    monkeypatch.setattr(stages, "new_report", lambda *_: report)
    monkeypatch.setattr(stages.object_store, "client", lambda: type("S3", (), {"put_object": lambda *_, **__: None})())
    monkeypatch.setattr(stages.report_files, "report_text", lambda _: b"line 3: no such column")
    with pytest.raises(DemoError, match=r"train_auto\.csv was rejected:\nline 3: no such column"):
        shown.upload("train", sample("train_auto"), "ingest_auto")


def test_without_new_rows_a_training_is_followed_only_if_no_model_is_live(
    shown: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed: list[str] = []
    monkeypatch.setattr(shown, "follow", lambda title, *_: followed.append(title))
    monkeypatch.setattr(shown, "champion", lambda: "version 1")
    shown.follow_training(None)
    assert followed == []
    shown.follow_training(datetime.now(UTC))
    monkeypatch.setattr(shown, "champion", lambda: None)
    shown.follow_training(None)
    assert followed == ["training", "training"]


def test_the_sample_of_another_data_set_is_uploaded_under_its_name(config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "Airflow", Airflow)
    other = Demo(config, Console(file=io.StringIO(), width=200), "penguins", "auto")
    uploads: list[tuple[Any, ...]] = []
    monkeypatch.setattr(other, "upload", lambda *given: uploads.append(given) or {"result_key": "r.csv"})
    monkeypatch.setattr(stages.object_store, "get", lambda *_: b"a\n1\n")
    other.score_file()
    assert uploads == [("test", sample("test_auto"), "test_penguins", "test_penguins.csv")]
