"""`ml-platform runs watch`: runs are followed until nothing works any more."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from typer.testing import CliRunner

from ml_platform.commands import runs as command
from ml_platform.commands.main import app
from stack.airflow_api import TaskState

Looks = list[dict[str, tuple[str, dict[str, str]]]]


class FakeAirflow:
    """Answers each look with the next state of each DAG's newest run, and the last one again and again."""

    def __init__(self, looks: Looks) -> None:
        self.looks = looks

    def dags(self) -> dict[str, bool]:
        return dict.fromkeys(self.looks[0], False) | {"monitor_auto": True}

    def runs(self, dag: str, limit: int) -> list[dict[str, Any]]:
        if dag == "monitor_auto":
            return []
        state = self.looks[0][dag][0]
        return [{"dag_run_id": "r1", "state": state, "start_date": "2026-01-01T00:00:00Z", "end_date": None}]

    def tasks(self, dag: str, run: str) -> list[TaskState]:
        return [TaskState(name, name, state, 1, 0, "") for name, state in self.looks[0][dag][1].items()]


def watch(monkeypatch: pytest.MonkeyPatch, looks: Looks, *arguments: str) -> Any:
    @contextmanager
    def airflow() -> Iterator[FakeAirflow]:
        yield FakeAirflow(looks)

    monkeypatch.setattr(command, "_airflow", airflow)
    monkeypatch.setattr(command.time, "sleep", lambda _: looks.pop(0) if len(looks) > 1 else None)
    return CliRunner().invoke(app, ["runs", "watch", *arguments], catch_exceptions=False)


IDLE = ("running", {"wait_for_file": "deferred", "load": "none"})


def test_a_data_set_is_followed_until_nothing_works(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: Looks = [
        {"ingest_auto": IDLE, "train_auto": ("running", {"search": "running"}), "train_other": ("failed", {})},
        {"ingest_auto": IDLE, "train_auto": ("success", {"search": "success"}), "train_other": ("failed", {})},
    ]
    done = watch(monkeypatch, looks, "auto", "--json")
    assert done.exit_code == 0
    assert done.stderr.splitlines() == [
        "switched off: monitor_auto",
        "ingest_auto / wait_for_file: deferred",
        "train_auto / search: running",
        "train_auto / search: success",
        "train_auto: success",
    ]
    assert [(run["dag"], run["state"]) for run in json.loads(done.stdout)["runs"]] == [
        ("ingest_auto", "running"), ("train_auto", "success"),
    ]  # fmt: skip


@pytest.mark.parametrize(("name", "code"), [("train_auto", 1), ("auto", 0)])
def test_a_run_that_failed_before_counts_only_alone(monkeypatch: pytest.MonkeyPatch, name: str, code: int) -> None:
    looks: Looks = [{"ingest_auto": IDLE, "train_auto": ("failed", {"search": "failed"})}]
    assert watch(monkeypatch, looks, name).exit_code == code


def test_a_run_that_fails_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: Looks = [
        {"ingest_auto": IDLE, "train_auto": ("running", {"search": "up_for_retry"})},
        {"ingest_auto": IDLE, "train_auto": ("failed", {"search": "failed"})},
    ]
    assert watch(monkeypatch, looks, "auto").exit_code == 1


def test_an_unknown_name_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    done = watch(monkeypatch, [{"train_auto": IDLE}], "nobody")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "there are: train_auto, monitor_auto" in done.stderr
