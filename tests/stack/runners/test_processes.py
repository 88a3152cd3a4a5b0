"""The processes of a stack, found by the marker in their environment, and ended."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import psutil

from stack import marks
from stack.runners import processes

SLEEP = "import time; print('up', flush=True); time.sleep(60)"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}"
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SLEEP!r}])"


@contextmanager
def child(state_dir, code=SLEEP):
    """A process of the stack with this state folder; it has begun its work."""
    environment = {**os.environ, marks.STATE: str(state_dir)}
    with subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


def pids(state_dir):
    return {process.pid for process in processes.stack_processes(state_dir)}


def test_only_processes_with_the_marker_of_this_stack_are_found(tmp_path):
    with child(tmp_path / "a") as ours, child(tmp_path / "b") as other:
        assert pids(tmp_path / "a") == {ours.pid}
        assert pids(tmp_path / "b") == {other.pid}
        assert pids(tmp_path / "c") == set()


def test_a_process_that_has_ended_has_no_marker(tmp_path):
    with child(tmp_path) as ours:
        found = psutil.Process(ours.pid)
        assert processes.marker(found) == str(tmp_path)
    assert processes.marker(found) is None


def test_a_process_whose_parent_is_killed_becomes_an_orphan(tmp_path):
    with child(tmp_path, PARENT) as parent:
        (grandchild,) = psutil.Process(parent.pid).children()
        assert grandchild not in processes.orphans(tmp_path, supervisor_pid=None)
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
        assert processes.orphans(tmp_path, supervisor_pid=None) == [grandchild]
        processes.end([grandchild])
        assert pids(tmp_path) == set()


def test_a_process_without_marks_is_found_by_its_folder_and_its_program(tmp_path):
    python, folder = Path(sys.executable).resolve(), tmp_path.resolve()
    with subprocess.Popen([sys.executable, "-c", SLEEP], cwd=tmp_path, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        assert [found.pid for found in processes.working_in(folder, python)] == [process.pid]
        assert processes.working_in(folder, Path("/bin/sh")) == []
        assert processes.working_in(folder / "other", python) == []
        process.kill()
    assert processes.working_in(folder, python) == []


def test_the_supervisor_is_no_orphan(tmp_path):
    with child(tmp_path) as supervisor:
        assert processes.orphans(tmp_path, supervisor_pid=supervisor.pid) == []


def test_a_process_that_ignores_the_polite_signal_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "TERMINATE_SECONDS", 0.2)
    with child(tmp_path, DEAF) as deaf, child(tmp_path) as polite:
        processes.end(processes.stack_processes(tmp_path))
        assert not psutil.pid_exists(deaf.pid)
        assert not psutil.pid_exists(polite.pid)


def test_a_process_that_has_ended_already_is_no_error(tmp_path):
    with child(tmp_path) as ours:
        found = processes.stack_processes(tmp_path)
        ours.kill()
        ours.wait()
        began = time.monotonic()
        processes.end(found)
        assert time.monotonic() - began < processes.TERMINATE_SECONDS
