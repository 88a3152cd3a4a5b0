"""The watchdog restarts a component of Airflow that has stopped its work, and no other one."""

import os
import subprocess
import sys
import time
from contextlib import nullcontext
from unittest.mock import Mock

import psutil
import pytest

from stack import marks, watchdog
from stack.watchdog import Watch

SCHEDULER = "airflow-scheduler"
OLD = 10_000.0  # seconds since the start of the component


def answers(heartbeat, undecided=None):
    """Stand in for Airflow's database: the age of the newest heartbeat, and of the last look at a running run."""

    def query(sql, *values):
        if "FROM job" in sql:
            return [(heartbeat,)]
        return [] if undecided is None else [("train_auto", undecided)]

    return query


def test_a_component_that_writes_heartbeats_works():
    watch = Watch()
    for server in watchdog.COMPONENTS:
        assert watch.stopped(server, answers(5.0), OLD, now=0.0) is None


@pytest.mark.parametrize("server", watchdog.COMPONENTS)
def test_a_component_without_heartbeats_is_restarted_when_that_lasts(server):
    watch, query = Watch(), answers(120.0)
    assert [watch.stopped(server, query, OLD, now=now) for now in (0.0, 10.0, 20.0)] == [None] * 3
    assert watch.stopped(server, query, OLD, now=30.0) == "its last heartbeat is 120 s old"


def test_a_component_that_was_looked_at_before_its_next_heartbeat_is_left_alone():
    """After an outage of the database, the sleep of a laptop, or a jump of the clock."""
    watch = Watch()
    assert watch.stopped(SCHEDULER, answers(600.0), OLD, now=0.0) is None
    assert watch.stopped(SCHEDULER, answers(2.0), OLD, now=10.0) is None
    assert watch.stopped(SCHEDULER, answers(600.0), OLD, now=40.0) is None


def test_looks_before_and_after_a_failed_one_are_not_in_a_row():
    watch, query = Watch(), answers(600.0)
    watch.stopped(SCHEDULER, query, OLD, now=0.0)
    watch.forget()
    assert watch.stopped(SCHEDULER, query, OLD, now=100.0) is None


def test_a_problem_of_another_kind_gets_its_own_time():
    watch = Watch()
    watch.stopped(SCHEDULER, answers(5.0, undecided=90.0), OLD, now=0.0)
    assert watch.stopped(SCHEDULER, answers(120.0), OLD, now=50.0) is None


def test_a_component_that_has_just_started_is_given_time():
    for uptime, age in ((20.0, 120.0), (OLD, None)):
        watch = Watch()
        watch.stopped(SCHEDULER, answers(age), uptime, now=0.0)
        assert watch.stopped(SCHEDULER, answers(age), uptime, now=100.0) is None


def test_a_scheduler_that_looks_at_no_run_is_restarted_when_that_lasts():
    watch, query = Watch(), answers(5.0, undecided=90.0)
    assert watch.stopped(SCHEDULER, query, OLD, now=0.0) is None
    assert watch.stopped(SCHEDULER, query, OLD, now=50.0) is None
    assert watch.stopped(SCHEDULER, query, OLD, now=70.0) == (
        "the scheduler has not looked at a running run of train_auto for 90 s"
    )


def test_a_scheduler_that_goes_on_by_itself_is_left_alone():
    watch = Watch()
    assert watch.stopped(SCHEDULER, answers(5.0, undecided=90.0), OLD, now=0.0) is None
    assert watch.stopped(SCHEDULER, answers(5.0, undecided=1.0), OLD, now=50.0) is None
    assert watch.stopped(SCHEDULER, answers(5.0, undecided=90.0), OLD, now=70.0) is None


def test_a_scheduler_that_was_restarted_gets_its_time_again():
    watch, query = Watch(), answers(5.0, undecided=90.0)
    watch.stopped(SCHEDULER, query, OLD, now=0.0)
    assert watch.stopped(SCHEDULER, query, uptime=30.0, now=70.0) is None


def test_runs_that_are_not_looked_at_are_no_matter_of_the_triggerer():
    watch, query = Watch(), answers(5.0, undecided=900.0)
    watch.stopped("airflow-triggerer", query, OLD, now=0.0)
    assert watch.stopped("airflow-triggerer", query, OLD, now=1000.0) is None


@pytest.fixture
def component(tmp_path):
    """A process that this one, as supervisord, started as the scheduler; with a child of its own."""
    child = "import time; print('up', flush=True); time.sleep(60)"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    environment = {**os.environ, marks.STATE: str(tmp_path), marks.SERVER: SCHEDULER}
    (tmp_path / "supervisor.pid").write_text(str(os.getpid()))
    with subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        children = psutil.Process(process.pid).children()
        yield process
        for left in [process, *children]:
            left.kill()


def test_the_process_that_supervisord_started_is_found(tmp_path, component):
    assert watchdog.main_process(str(tmp_path), SCHEDULER).pid == component.pid
    assert watchdog.main_process(str(tmp_path), "airflow-triggerer") is None


@pytest.mark.parametrize("killed", [False, True])
def test_only_what_has_stopped_is_killed(tmp_path, component, monkeypatch, capsys, killed):
    monkeypatch.setattr(watchdog.healthcheck, "database", lambda address: nullcontext())
    watch = Mock(stopped=Mock(return_value="it stopped" if killed else None))
    watchdog.look(watch, str(tmp_path), "postgresql://")
    assert (component.poll() is not None) is killed
    assert ("airflow-scheduler is restarted: it stopped\n" in capsys.readouterr().out) is killed
    watch.stopped.assert_called_once()  # the other two do not run


def test_a_failed_look_is_reported_and_forgets_what_was_seen(tmp_path, monkeypatch, capsys):
    class EndError(Exception):
        pass

    monkeypatch.setenv(marks.STATE, str(tmp_path))
    monkeypatch.setenv("AIRFLOW_DATABASE", "postgresql://")
    monkeypatch.setenv("LOG_RETENTION_DAYS", "90")
    monkeypatch.setattr(watchdog, "look", Mock(side_effect=OSError("no answer")))
    monkeypatch.setattr(watchdog, "Watch", Mock())
    monkeypatch.setattr(watchdog.time, "sleep", Mock(side_effect=EndError))
    with pytest.raises(EndError):
        watchdog.main()
    assert capsys.readouterr().out.endswith("no look: no answer\n")
    watchdog.Watch().forget.assert_called_once()


def test_old_log_files_of_servers_are_removed(tmp_path, capsys):
    (tmp_path / "logs").mkdir()
    for name, days in (("kafka.log", 91), ("mlflow.log.3", 89)):
        path = tmp_path / "logs" / name
        path.touch()
        os.utime(path, (time.time() - days * 86400,) * 2)
    watchdog.remove_old_logs(str(tmp_path), 90)
    assert [path.name for path in (tmp_path / "logs").iterdir()] == ["mlflow.log.3"]
    assert capsys.readouterr().out.endswith("Log files older than 90 days are removed: kafka.log\n")
    watchdog.remove_old_logs(str(tmp_path), 90)
    assert capsys.readouterr().out == ""
