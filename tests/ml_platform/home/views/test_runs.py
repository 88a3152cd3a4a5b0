"""The page Runs, drawn without a browser."""

from datetime import UTC, datetime, timedelta

import pytest

from ml_platform.exceptions import ServiceError
from ml_platform.records import approvals, runs
from ml_platform.records.approvals import OpenQuestion
from ml_platform.records.runs import Failure, Run, Task
from ml_platform.training.search_progress import SearchProgress
from tests.ml_platform.home.conftest import VIEWER

NOW = datetime.now(UTC)


def task(task_id, state, problem=None):
    return Task(task_id, -1, task_id, state, NOW, 1, problem)


def run(verb, *tasks, search=None, by=None):
    since = datetime.now(UTC) - timedelta(minutes=5)
    return Run(f"{verb}_auto", "r", verb, "auto", "running", since, by, tasks, search, "http://localhost/run")


FAILURE = Failure("train_auto", "r7", "search", -1, "train", "auto", "search", NOW, 2, "no <b>rows</b>", "http://x")
QUESTION = OpenQuestion(
    "train_auto", "r", "approval", -1, "train", "auto", "Version 3 of [auto](http://evil)?", "", NOW, NOW, "http://x"
)  # fmt: skip


@pytest.fixture
def airflow(monkeypatch):
    """What Airflow would tell; a test adds to it."""
    known = {"current": [], "failures": [], "waiting": [], "cleared": []}
    monkeypatch.setattr(runs, "current", lambda: known["current"])
    monkeypatch.setattr(runs, "failures", lambda limit: known["failures"])
    monkeypatch.setattr(runs, "clear", lambda failure, by: known["cleared"].append((failure, by)))
    monkeypatch.setattr(approvals, "waiting", lambda: known["waiting"])
    return known


def test_nothing_runs_while_the_pipelines_only_wait_for_files(draw, airflow):
    airflow["current"] = [run("ingest", task("wait_for_file", "deferred"))]
    page = draw("runs")
    assert page.info[0].value == "Nothing runs now."
    assert page.success[0].value == "No task has failed."


def test_a_search_says_how_far_it_is(draw, airflow):
    search = SearchProgress(6, 24, timedelta(minutes=3), "http://localhost/search")
    airflow["current"] = [run("train", task("search", "running"), search=search, by="o*l*ga")]
    page = draw("runs")
    assert page.subheader[0].value == "Training of auto"
    assert page.markdown[0].value == "For 5 minutes, started by o\\*l\\*ga. Now: search \\(running\\)"
    assert page.get("progress")[0].proto.text == "6 of 24 candidates done, about 3 minutes left"


@pytest.mark.parametrize(
    ("tasks", "text"),
    [((), "Between two tasks."), ((task("approval", "awaiting_input"),), "It waits for a person.")],
)
def test_a_run_that_does_not_work_says_why(draw, airflow, tasks, text):
    airflow["current"] = [run("train", *tasks)]
    assert draw("runs").markdown[0].value == f"For 5 minutes. {text}"


def test_a_task_that_is_tried_again_shows_why_it_failed(draw, airflow):
    airflow["current"] = [run("ingest", task("load", "up_for_retry", "Postgres: refused"))]
    page = draw("runs")
    assert page.warning[0].value == "load failed, and is tried again."
    assert page.code[0].value == "Postgres: refused"


def test_what_waits_for_a_model_or_a_person(draw, airflow):
    airflow["current"] = [run("test", task("wait_for_champion", "deferred"))]
    airflow["waiting"] = [QUESTION]
    page = draw("runs")
    assert page.info[-1].value.endswith("a file waits, because there is no model yet. Train one.")
    assert page.text[0].value == "Version 3 of [auto](http://evil)?"
    assert page.text[1].value == "→ Answer it: /models?dataset=auto"


def test_a_failed_task_runs_again_under_the_name_of_the_person(draw, airflow, recorded):
    airflow["failures"] = [FAILURE]
    page = draw("runs")
    assert page.code[0].value == "no <b>rows</b>"
    page.button[0].click().run()
    assert airflow["cleared"] == [(FAILURE, "olga")]
    assert recorded == [("olga", "run a failed task again", "auto", "train_auto r7", "")]


def test_a_viewer_only_looks(draw, airflow):
    airflow["failures"] = [FAILURE]
    assert draw("runs", person=VIEWER).button[0].disabled


def test_airflow_is_away(draw, monkeypatch):
    def fail(*_):
        raise ServiceError("Airflow is not reachable: refused")

    monkeypatch.setattr(runs, "current", fail)
    monkeypatch.setattr(runs, "failures", fail)
    page = draw("runs")
    assert [one.value for one in page.warning] == [
        "The runs cannot be shown now.", "The failures cannot be shown now.",
    ]  # fmt: skip
