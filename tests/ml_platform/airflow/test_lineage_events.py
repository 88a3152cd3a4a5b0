"""The events of a task: one per file and per training step, under the task's run; none of them can fail the task."""

import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ml_platform.airflow import lineage_events, lineage_transport, wiring
from ml_platform.airflow.lineage_transport import PlatformTransport
from ml_platform.exceptions import ConfigurationError, ServiceError
from ml_platform.ingestion.upload_report import UploadReport
from ml_platform.lineage import events
from tests.ml_platform.lineage.test_events import AUTO, CARD, CHALLENGER, REFERENCE, report, servers_elsewhere

__all__ = ["servers_elsewhere"]  # a fixture
DAY = datetime(2026, 3, 1, tzinfo=UTC)
RUN = SimpleNamespace(dag_id="ingest_auto", run_id="run", logical_date=None, run_after=DAY, clear_number=0)
TASK = SimpleNamespace(dag_id="ingest_auto", task_id="load", try_number=1, map_index=-1)
CONTEXT: dict[str, Any] = {"dag_run": RUN, "ti": TASK}


@pytest.fixture(autouse=True)
def to_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    monkeypatch.setattr(lineage_transport, "folder", lambda: tmp_path)
    monkeypatch.setattr(lineage_events, "get_current_context", lambda: CONTEXT)
    lineage_events.transport.cache_clear()
    yield
    lineage_events.transport.cache_clear()


def emitted(tmp_path: Path) -> list[Any]:
    return [json.loads(line) for path in tmp_path.glob("*.jsonl") for line in path.read_text().splitlines()]


def take(_: str) -> UploadReport:
    return report("loaded", rows_read=3, rows_loaded=3)


def test_each_file_has_a_run_of_its_own_under_the_run_of_the_task(tmp_path: Path) -> None:
    assert lineage_events.emitting(AUTO, take, CONTEXT)("train_auto.csv")["outcome"] == "loaded"
    start, end = emitted(tmp_path)
    assert (start["eventType"], end["eventType"], end["job"]["name"]) == ("START", "COMPLETE", "auto.load")
    assert start["run"]["runId"] == end["run"]["runId"]
    parent = end["run"]["facets"]["parent"]
    assert (parent["job"]["name"], parent["root"]["job"]["name"]) == ("ingest_auto.load", "ingest_auto")
    assert parent["job"]["namespace"] == parent["root"]["job"]["namespace"]


def test_a_retry_emits_the_same_run_again(tmp_path: Path) -> None:
    for _ in range(2):
        lineage_events.emitting(AUTO, take, CONTEXT)("train_auto.csv")
    assert len({event["run"]["runId"] for event in emitted(tmp_path)}) == 1


def test_a_scored_file_reads_its_card(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(
        lineage_events.object_store, "get", lambda bucket, key: json.dumps(CARD | {"key": key}).encode()
    )
    scored = report("scored", "test_auto.csv", result_key="auto/test_auto.csv")
    lineage_events.emitting(AUTO, lambda key: scored, CONTEXT)("test_auto.csv")
    assert [one["name"] for one in emitted(tmp_path)[1]["outputs"]] == [
        "auto/test_auto.csv",
        "platform.predictions.log",
    ]


def test_the_steps_of_a_training_are_emitted_and_return_what_they_return(tmp_path: Path) -> None:
    freeze = wiring.emits_lineage(AUTO)(lambda: REFERENCE)
    refit = wiring.emits_lineage(AUTO)(lambda reference, search_result: CHALLENGER)
    assert freeze() is REFERENCE
    assert refit(REFERENCE, search_result=CHALLENGER.search) is CHALLENGER
    ends = [event for event in emitted(tmp_path) if event["eventType"] == "COMPLETE"]
    assert [event["job"]["name"] for event in ends] == ["auto.freeze_training_set", "auto.refit"]
    assert ends[0]["outputs"][0]["name"] == ends[1]["inputs"][0]["name"]
    assert ends[0]["run"]["runId"] != ends[1]["run"]["runId"]


@pytest.mark.parametrize(
    "error", [ServiceError("away"), ConfigurationError("x"), OSError("disk full"), ValueError("x")]
)
def test_what_cannot_be_emitted_never_fails_the_task(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(PlatformTransport, "emit", fail)
    assert lineage_events.emitting(AUTO, take, CONTEXT)("train_auto.csv")["outcome"] == "loaded"
    assert f"lineage: no event of this step: {error}" in caplog.text


def test_nothing_is_built_if_events_go_nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(PlatformTransport, "is_wanted", False)
    monkeypatch.setattr(events, "of_upload", lambda *_: pytest.fail("an event was built"))
    lineage_events.emitting(AUTO, take, CONTEXT)("train_auto.csv")
    assert emitted(tmp_path) == []
