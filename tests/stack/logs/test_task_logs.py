"""The logs of tasks, from a bucket in memory and from the folder of those that run."""

import json
import os
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest

from stack.logs import task_logs

NOW = datetime(2026, 11, 30, 6, 0, tzinfo=UTC)
PATH = "dag_id=ingest_auto/run_id=manual__2026-11-30T05:00:00+00:00/task_id=load/attempt=2.log"


class Bucket:
    """S3 in memory."""

    def __init__(self, objects):
        self.objects = objects

    def get_paginator(self, name):
        return self

    def paginate(self, Bucket, Prefix):  # noqa: N803 – boto3's names
        found = [(key, age) for key, (_, age) in self.objects.items() if key.startswith(Prefix)]
        yield {"Contents": [{"Key": key, "LastModified": NOW - age} for key, age in found]}
        yield {}

    def get_object(self, Bucket, Key):  # noqa: N803
        return {"Body": BytesIO(self.objects[Key][0].encode())}


def line(text, minute):
    return json.dumps({"timestamp": f"2026-11-30T05:{minute:02}:00Z", "event": text, "file": "a.csv"}) + "\n"


@pytest.fixture
def ask(config, monkeypatch):
    def entries(objects, since=None, is_wanted=lambda entry: True):
        monkeypatch.setattr(task_logs, "_connect", lambda config: Bucket(objects))
        return [(entry.text, dict(entry.fields)) for entry in task_logs.entries(config, since, is_wanted)]

    return entries


def test_entries_have_the_ids_in_the_path_of_their_log(ask):
    ((text, fields),) = ask({PATH: (line("loaded", 1), timedelta(0))})
    assert text == "loaded"
    assert fields == {
        "dag": "ingest_auto", "run": "manual__2026-11-30T05:00:00+00:00", "task": "load", "try": "2", "file": "a.csv",
    }  # fmt: skip


def test_logs_of_the_bucket_and_of_running_tasks_are_in_one_order(ask, config):
    local = config.state_dir / "airflow" / "logs" / PATH
    local.parent.mkdir(parents=True)
    local.write_text(line("two", 2))
    other = PATH.replace("load", "announce")
    objects = {other: (line("three", 3), timedelta(0)), PATH: (line("one", 1), timedelta(0))}
    assert [text for text, _ in ask(objects)] == ["one", "two", "three"]


def test_only_logs_since_then_and_wanted_entries(ask, config):
    old = config.state_dir / "airflow" / "logs" / PATH
    old.parent.mkdir(parents=True)
    old.write_text(line("old", 0))
    os.utime(old, (0, 0))
    objects = {
        PATH: (line("new", 1) + line("other", 2), timedelta(0)),
        PATH.replace("load", "x"): ("old", timedelta(2)),
        "lineage/x.log": ("no task", timedelta(0)),
    }
    assert [text for text, _ in ask(objects, NOW - timedelta(1), lambda entry: entry.text != "other")] == ["new"]


def test_the_log_of_a_trigger_is_of_its_attempt():
    assert task_logs.ids_of(f"{PATH}.trigger.7.log")["try"] == "2"
