"""The demo of a data set with a source: what it waits for. No server is used."""

import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from ml_platform.commands.demo import source_stages, stages
from ml_platform.commands.demo.sample_sql import SqlSample
from ml_platform.commands.demo.source_stages import SourceDemo
from ml_platform.commands.demo.stages import DemoError
from stack.airflow_api import TaskState

NAMES = "train_sql_penguins.sql-"


class Airflow:
    """An Airflow in which the pull ends at the second look; `state` is that of its task."""

    def __init__(self, *_: Any) -> None:
        self.calls: list[str] = []
        self.state = "success"
        self.looks = iter(["running", "success"])

    def trigger(self, dag_id: str) -> str:
        self.calls.append(f"trigger {dag_id}")
        return "manual"

    def run(self, dag_id: str, run_id: str) -> dict[str, str]:
        return {"state": next(self.looks)}

    def runs(self, dag_id: str, since: Any = None, limit: int = 20) -> list[dict[str, Any]]:
        return []

    def tasks(self, dag_id: str, run_id: str) -> list[TaskState]:
        return [TaskState("pull", "pull", self.state, 1, 1.0, "dags/pull_sql_penguins/runs/manual/tasks/pull")]

    def import_errors(self) -> list[str]:
        return []

    def add_connection(self, name: str, *_: Any, **__: Any) -> None:
        self.calls.append(f"connection {name}")


@pytest.fixture
def objects(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """What is in the bucket train: content by key."""
    found: dict[str, bytes] = {}

    class Version:
        def __init__(self, key: str) -> None:
            self.key = key

    store = source_stages.object_store
    monkeypatch.setattr(store, "list_objects", lambda _, prefix: [Version(k) for k in found if k.startswith(prefix)])
    monkeypatch.setattr(store, "get", lambda _, key: found[key])
    return found


@pytest.fixture
def shown(config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, objects: dict[str, bytes]) -> SourceDemo:
    monkeypatch.setattr(stages, "Airflow", Airflow)
    monkeypatch.setattr(stages.time, "sleep", lambda _: None)
    folder = tmp_path / "specs"
    folder.mkdir()
    shutil.copy(config.datasets_dir / "penguins.yaml", folder)
    source = SqlSample(config.model_copy(update={"datasets_dir": folder}), "penguins")
    source.write_spec()
    return SourceDemo(source.config, Console(file=io.StringIO(), width=200), source)


def printed(shown: SourceDemo) -> str:
    return shown.console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def put_report(objects: dict[str, bytes], number: int, **fields: Any) -> None:
    prefix = objects_prefix()
    report = {"outcome": "loaded", "key": f"{NAMES}{number}.jsonl.gz"} | fields
    objects[f"processed/{prefix}{number}.20260101T000000Z.0a.report.json"] = json.dumps(report).encode()


def objects_prefix() -> str:
    from ml_platform.specs.sources import SqlSource

    source = SqlSource(kind="sql", connection="demo_sql", table="demo.penguins", watermark="id")
    return f"train_sql_penguins_{source.short_name}_"


@pytest.fixture
def followed(shown: SourceDemo, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The times since which trainings were followed."""
    found: list[Any] = []
    monkeypatch.setattr(shown, "follow_training", found.append)
    monkeypatch.setattr(stages.report_files, "summary", lambda report: f"{report['key']}: loaded")
    return found


def test_the_source_is_filled_before_the_pipelines_are_switched_on(
    shown: SourceDemo, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = shown.airflow.calls  # type: ignore[attr-defined]
    monkeypatch.setattr(shown.source, "fill", lambda: calls.append("fill") or 224)
    monkeypatch.setattr(stages.Demo, "run", lambda _: calls.append("demo"))
    shown.run()
    assert calls == ["connection demo_sql", "fill", "demo"]
    assert "224 rows of train_penguins.csv were added to the table demo.penguins" in printed(shown)


def test_the_pipeline_of_the_source_is_switched_on_too(shown: SourceDemo) -> None:
    assert shown.dag_ids() == ["ingest_sql_penguins", "train_sql_penguins", "test_sql_penguins", "pull_sql_penguins"]


def test_the_files_that_were_pulled_are_shown_and_their_training_is_followed(
    shown: SourceDemo, objects: dict[str, bytes], followed: list[Any]
) -> None:
    put_report(objects, 1)
    shown.earlier_reports = set(objects)
    put_report(objects, 2)
    put_report(objects, 3, outcome="duplicate")
    shown.train()
    assert shown.airflow.calls == ["trigger pull_sql_penguins"]  # type: ignore[attr-defined]
    assert followed == [shown.began]
    assert f"{NAMES}2.jsonl.gz: loaded" in printed(shown)
    assert "the same bytes were loaded before" in printed(shown)
    assert f"{NAMES}1" not in printed(shown)


def test_a_source_without_new_rows_needs_no_training(shown: SourceDemo, followed: list[Any]) -> None:
    shown.train()
    assert followed == [None]
    assert "nothing new: nothing is loaded twice" in printed(shown)


def test_the_load_is_over_when_the_inbox_is_empty(
    shown: SourceDemo, objects: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = f"{shown._file_names}0-224.jsonl.gz"
    objects |= {waiting: b""}
    put_report(objects, 1)
    looks: list[int] = []

    def sleep(_: float) -> None:
        looks.append(len(objects))
        del objects[waiting]

    monkeypatch.setattr(stages.time, "sleep", sleep)
    assert [report["outcome"] for report in shown.loaded()] == ["loaded"]
    assert looks == [2]


def test_rows_that_are_rejected_as_a_whole_say_why(
    shown: SourceDemo, objects: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    put_report(objects, 1, outcome="rejected")
    monkeypatch.setattr(stages.report_files, "report_text", lambda _: b"line 3: no such column")
    with pytest.raises(DemoError, match=r"jsonl\.gz was rejected:\nline 3: no such column"):
        shown.loaded()


def test_a_source_that_tasks_cannot_reach_ends_the_demo(shown: SourceDemo) -> None:
    shown.airflow.state = "skipped"  # type: ignore[attr-defined]
    with pytest.raises(DemoError, match=r"Airflow cannot reach the table demo\.penguins .* Its log: http.*tasks/pull"):
        shown.pull()
