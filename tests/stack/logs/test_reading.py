"""What `make logs` shows: merged by time, chosen, and with the logs of tasks once."""

import json
from datetime import UTC, datetime

import pytest
from botocore.exceptions import EndpointConnectionError

from stack.errors import StackError
from stack.logs import files, reading, task_logs
from stack.logs.entry import parse
from stack.logs.reading import Choice

COPY = {"ti_id": "0", "try_number": 1, "dag_id": "train_auto"}


def line(minute, text, **fields):
    return json.dumps({"timestamp": f"2026-11-30T05:{minute:02}:00Z", "event": text, **fields}) + "\n"


@pytest.fixture
def show(config, monkeypatch):
    """Logs of three servers and of a task; the function returns what is shown."""
    folder = config.state_dir / "logs"
    folder.mkdir(parents=True)
    (folder / "airflow-scheduler.log").write_text(line(1, "starts") + line(2, "fitted", **COPY) + line(9, "stops"))
    (folder / "serving.log").write_text(line(4, "auto answers", dataset="auto"))
    (folder / "serving.log.1").write_text(line(3, "flights answers", dataset="flights"))
    of_task = [parse("tasks", line(2, "fitted", dag_id="train_auto"), datetime.now(UTC))]
    monkeypatch.setattr(
        task_logs, "entries", lambda config, since, is_wanted: [entry for entry in of_task if is_wanted(entry)]
    )

    def texts(choice=Choice(), warn=pytest.fail, read=reading.read):  # noqa: B008 – it is frozen
        return [entry.text for entry in read(config, choice, warn=warn)]

    return texts


def test_all_logs_are_merged_by_time_and_tasks_come_once(show):
    assert show() == ["starts", "fitted", "flights answers", "auto answers", "stops"]


def test_a_choice_by_server_time_and_text(show):
    assert show(Choice(server="serving")) == ["flights answers", "auto answers"]
    assert show(Choice(server="tasks")) == ["fitted"]
    assert show(Choice(since=datetime(2026, 11, 30, 5, 4, tzinfo=UTC))) == ["auto answers", "stops"]
    assert show(Choice(grep="DATASET=auto")) == ["auto answers"]
    assert show(Choice(grep="dag=train_auto")) == ["fitted"]


def test_without_the_bucket_the_copies_of_the_scheduler_are_shown(show, monkeypatch):
    def fail(*_):
        raise EndpointConnectionError(endpoint_url="http://s3")

    monkeypatch.setattr(task_logs, "entries", fail)
    warnings = []
    assert show(warn=warnings.append) == ["starts", "fitted", "flights answers", "auto answers", "stops"]
    assert show(Choice(server="tasks"), warnings.append) == ["fitted"]
    assert warnings[0].startswith("The logs of tasks that have ended cannot be read: Could not connect")


def test_the_last_entries_of_each(show, config):
    ends = reading.last(config, Choice(), 1, pytest.fail)
    assert [entry.text for entry in ends] == ["fitted", "auto answers", "stops"]


def test_an_unknown_server_is_answered_with_the_known_ones(show):
    with pytest.raises(StackError, match=r"no log of 'mlflo'\. Logs: airflow-scheduler, serving, tasks"):
        show(Choice(server="mlflo"))


def test_what_tail_prints():
    lines = ["==> /logs/mlflow.log <==", "one", "", "==> /logs/feast.log <==", "two"]
    assert [(entry.server, entry.text) for entry in reading.tailed(lines)] == [("mlflow", "one"), ("feast", "two")]


def test_follow_shows_new_lines(show, config):
    shown = reading.follow(config, Choice(server="serving"), 1)
    assert next(shown).text == "auto answers"
    with (config.state_dir / "logs" / "serving.log").open("a") as log:
        log.write(line(5, "next"))
    assert next(shown).text == "next"
    shown.close()


def test_the_names_of_logs(config, show):
    assert files.names(config.state_dir / "logs") == ["airflow-scheduler", "serving"]
