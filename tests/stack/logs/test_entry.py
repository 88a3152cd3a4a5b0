"""An entry: from lines of JSON and of text, to lines for people and for programs."""

import json
from datetime import UTC, datetime

import pytest

from stack.logs.entry import TASKS, parse

LAST = datetime(2026, 11, 30, 6, 0, tzinfo=UTC)
OF_TASK = {
    "timestamp": "2026-11-30T06:12:26.355567Z", "level": "info", "event": "12 rows", "logger": "ml_platform.x",
    "dag_id": "ingest_auto", "run_id": "manual__1", "task_id": "load", "try_number": 2, "map_index": -1,
    "ti_id": "0-1", "file": "train_auto.csv", "upload": "0a1b", "filename": "uploads.py", "lineno": 1, "none": None,
}  # fmt: skip


def entry(content, server="airflow-scheduler"):
    return parse(server, json.dumps(content), LAST)


def test_an_entry_of_a_task_has_its_ids_and_is_a_copy():
    found = entry(OF_TASK)
    assert (found.server, found.is_copy, found.level, found.logger) == (TASKS, True, "info", "ml_platform.x")
    assert found.line() == (
        "2026-11-30T06:12:26.355Z tasks                 info     12 rows"
        "  dag=ingest_auto  run=manual__1  task=load  try=2  file=train_auto.csv  upload=0a1b"
    )
    assert json.loads(found.json()) == {
        "time": "2026-11-30T06:12:26.355567+00:00", "server": TASKS, "level": "info", "logger": "ml_platform.x",
        "message": "12 rows", "dag": "ingest_auto", "run": "manual__1", "task": "load", "try": "2",
        "file": "train_auto.csv", "upload": "0a1b",
    }  # fmt: skip


def test_a_traceback_follows_in_lines_of_its_own():
    ours = entry({"event": "failed", "exception": "Traceback\n  ValueError: no"})
    assert ours.line().splitlines()[1:] == ["    Traceback", "      ValueError: no"]
    causes = [{"exc_type": "ServiceError", "exc_value": "away"}, {"exc_type": "OSError", "exc_value": "refused"}]
    assert entry({"event": "failed", "error_detail": causes}).text == (
        "failed\nServiceError: away\ncaused by OSError: refused"
    )


@pytest.mark.parametrize("line", ['{"event": "half', '{"a": 1}', "{}", "{ braces }"])
def test_what_is_no_entry_of_json_is_text(line):
    assert (parse("objects", line, LAST).text, parse("objects", line, LAST).time) == (line, LAST)


@pytest.mark.parametrize(
    ("line", "level", "text"),
    [
        ("2026-11-30 06:11:45.668 UTC [1] a@b ERROR:  no", "error", "[1] a@b ERROR:  no"),
        ("2026-11-30 06:11:45.668 UTC [1] a@b LOG:  on", "info", "[1] a@b LOG:  on"),
        ("W1130 06:11:45.318133 master.go:400 x", "warning", "master.go:400 x"),
        ("\x1b[31mred\x1b[0m", "", "red"),
    ],
)
def test_a_text_has_a_level_if_it_names_one(line, level, text):
    found = parse("postgres", line, LAST)
    assert (found.level, found.text) == (level, text)


def test_a_name_of_a_file_cannot_steer_a_terminal():
    found = entry({"event": "a\x1b]0;b", "file": "c\x07.csv"})
    assert found.line().endswith("a?]0;b  file=c?.csv")
