"""Traces of files: which spans there are, that their ids follow from the arrival, and that nothing happens when off."""

import os
import subprocess
import sys
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest

from ml_platform.airflow import traces
from ml_platform.exceptions import ConfigurationError, ServiceError
from ml_platform.ingestion import ledger
from ml_platform.specs.platform import PlatformOptions
from ml_platform.storage import database

ROOT = Path(__file__).resolve().parents[3]
DROPPED = datetime(2026, 11, 30, 6, 0, tzinfo=UTC)
REPORT: Any = {
    "dataset": "auto", "purpose": "train", "bucket": "train", "key": "train_auto.csv", "etag": "e",
    "last_modified": DROPPED.isoformat(), "sha256": "0a" * 32, "outcome": "loaded", "rows_read": 5, "result_key": None,
}  # fmt: skip
ARRIVAL = ("train", "train_auto.csv", "e", DROPPED)


@pytest.fixture(autouse=True)
def _forget_the_sender():
    traces.sender.cache_clear()
    yield
    traces.sender.cache_clear()


@pytest.fixture
def sent(monkeypatch):
    """The spans that are sent, while traces are on."""
    spans: list[Any] = []
    monkeypatch.setattr(traces, "sender", lambda: SimpleNamespace(send=spans.extend))
    return spans


def task(dag_id="train_auto", task_id="search", **context):
    ti = SimpleNamespace(dag_id=dag_id, task_id=task_id, run_id="r", try_number=1, start_date=DROPPED)
    ti.get_template_context = lambda: {"ti": ti, **context}
    return ti


def events(*sources):
    return {"asset": [SimpleNamespace(source_dag_id=dag, source_run_id=run) for dag, run in sources]}


@pytest.fixture
def announced(monkeypatch):
    """The arrivals in the ledger, by data set and run."""
    arrivals: dict[tuple[str, str], list[Any]] = {}
    monkeypatch.setattr(database, "transaction", lambda: nullcontext())
    monkeypatch.setattr(
        ledger, "announced_arrivals", lambda cursor, dataset, run, limit: arrivals.get((dataset, run), [])
    )
    return arrivals


def test_without_the_option_nothing_is_wrapped_asked_or_imported():
    def take(key):
        return REPORT

    assert traces.of_files(take) is take
    traces.of_task(SimpleNamespace())  # it would raise if anything was read of it
    script = "import sys, ml_platform.airflow.traces as t; t.of_files(len); print('opentelemetry.sdk' in sys.modules)"
    environment = {"PYTHONPATH": f"{ROOT / 'plugins'}:{ROOT}", "PATH": os.environ["PATH"]}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_file_has_spans_from_its_drop_until_it_is_settled(sent):
    assert traces.of_files(lambda key: REPORT)("train_auto.csv") is REPORT
    root, wait, load = sent
    assert [one.name for one in sent] == ["train_auto.csv", "wait in the inbox", "load"]
    assert root.start_time == wait.start_time == int(DROPPED.timestamp()) * 10**9
    assert wait.end_time == load.start_time
    assert root.end_time == load.end_time
    assert {one.parent.span_id for one in (wait, load)} == {root.context.span_id}
    assert {one.context.trace_id for one in sent} == {traces.root_of(*ARRIVAL).trace}
    assert (load.attributes["upload"], load.attributes["rows"]) == ("0a" * 32, 5)
    assert "result" not in load.attributes


def test_a_scored_file_names_its_result(sent):
    report = REPORT | {"purpose": "test", "bucket": "test", "outcome": "scored", "result_key": "auto/x.csv"}
    traces.of_files(lambda key: report)("test_auto.csv")
    assert (sent[2].name, sent[2].attributes["result"]) == ("score", "auto/x.csv")


def test_a_file_that_was_removed_has_none(sent):
    traces.of_files(lambda key: REPORT | {"outcome": "gone"})("train_auto.csv")
    assert sent == []


def test_the_same_arrival_has_the_same_ids_and_another_one_others():
    other_zone = DROPPED.astimezone(datetime.strptime("+01:00", "%z").tzinfo)
    assert traces.root_of(*ARRIVAL) == traces.root_of(*ARRIVAL[:3], other_zone)
    assert traces.root_of(*ARRIVAL) != traces.root_of(*ARRIVAL[:3], DROPPED + timedelta(seconds=1))


def test_tasks_of_a_training_are_in_the_trace_of_the_file_that_started_it(sent, announced):
    announced["auto", "run 1"] = [ARRIVAL, ("train", "train_auto_2.csv", "f", DROPPED)]
    traces.of_task(task(triggering_asset_events=events(("ingest_auto", "run 1"))), error="ServiceError")
    (span,) = sent
    root, other = traces.root_of(*ARRIVAL), traces.root_of("train", "train_auto_2.csv", "f", DROPPED)
    assert span.name == "train_auto.search"
    assert (span.context.trace_id, span.parent.span_id) == root
    assert [link.context.trace_id for link in span.links] == [other.trace]
    assert span.status.description == "ServiceError"
    assert dict(span.attributes) == {"dag": "train_auto", "run": "r", "task": "search", "try": 1}


def test_the_task_that_announces_files_is_in_their_trace(sent, announced):
    announced["auto", "r"] = [ARRIVAL]
    traces.of_task(task("ingest_auto", "announce"))
    assert sent[0].context.trace_id == traces.root_of(*ARRIVAL).trace


FROM_TEST = {"triggering_asset_events": events(("test_auto", "x"))}


@pytest.mark.parametrize("ti", [task(), task("ingest_auto", "load"), task("monitor_auto", "check", **FROM_TEST)])
def test_a_task_about_no_file_has_no_span(sent, announced, ti):
    announced["auto", "r"] = [ARRIVAL]
    traces.of_task(ti)
    assert sent == []


def test_a_trace_never_fails_a_task(sent, announced, monkeypatch, caplog):
    monkeypatch.setattr(ledger, "announced_arrivals", Mock(side_effect=ServiceError("Postgres is away")))
    traces.of_task(task("ingest_auto", "announce"))
    assert "traces: no spans of this step: Postgres is away" in caplog.text


def test_options_that_are_not_valid_are_a_warning(monkeypatch, caplog):
    def fail():
        raise ConfigurationError("platform.yaml: no")

    monkeypatch.setattr(traces, "platform_options", fail)
    assert traces.of_files(len) is len
    assert "traces: platform.yaml: no" in caplog.text


def test_the_option_names_the_collector(monkeypatch):
    chosen = PlatformOptions.model_validate({"traces": {"url": "http://collector:4318"}})
    monkeypatch.setattr(traces, "platform_options", lambda: chosen)
    assert traces.sender() is not None
