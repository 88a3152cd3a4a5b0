"""A server starts alone: what an earlier start of it has left is ended first."""

import os
import pwd
import signal
import subprocess
import sys
from types import SimpleNamespace
from unittest.mock import Mock, call

import psutil
import pytest

from stack import marks
from stack.config import ROOT
from stack.runners import processes
from stack.runners.launch import main

SLEEP = "import time; print('up', flush=True); time.sleep(60)"
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SLEEP!r}], start_new_session=True)"


@pytest.fixture
def started(tmp_path):
    """Return a function that starts a process with the marks of a server; all end with the test."""
    begun = []

    def start(server, *command, state=tmp_path):
        environment = {**os.environ, "PYTHONPATH": str(ROOT), marks.STATE: str(state), marks.SERVER: server}
        output = {"stdout": subprocess.PIPE, "text": True}
        process = subprocess.Popen([sys.executable, *command], env=environment, cwd=ROOT, **output)
        begun.append(process)
        return process

    yield start
    for process in begun:
        process.kill()
        process.wait()
        processes.kill(processes.leftovers(str(tmp_path), "one"))
        process.stdout.close()


def launch(*command):
    return ("-m", "stack.runners.launch", *command)


def test_the_process_becomes_the_server(started):
    process = started("one", *launch(sys.executable, "-c", "import os; print(os.getpid())"))
    assert process.stdout.read() == f"{process.pid}\n"
    assert process.wait() == 0


def test_orphans_of_a_killed_server_are_ended_before_it_starts_again(started):
    first = started("one", *launch(sys.executable, "-c", PARENT))
    assert first.stdout.readline() == "up\n"
    (orphan,) = psutil.Process(first.pid).children()
    os.kill(first.pid, signal.SIGKILL)
    again = started("one", *launch(sys.executable, "-c", SLEEP))
    assert again.stdout.readline() == f"one: processes of an earlier start are ended: {orphan.pid}\n"
    assert again.stdout.readline() == "up\n"
    assert not orphan.is_running()


def test_orphans_without_marks_are_found_by_the_folder_of_the_server(started, tmp_path, monkeypatch):
    bare = f"import os; os.chdir({str(tmp_path)!r}); os.execve({sys.executable!r}, ['python', '-c', {SLEEP!r}], {{}})"
    orphan = started("one", "-c", bare)
    assert orphan.stdout.readline() == "up\n"
    monkeypatch.setenv(marks.FOLDER, str(tmp_path))
    again = started("one", *launch(sys.executable, "-c", SLEEP))
    assert again.stdout.readline() == f"one: processes of an earlier start are ended: {orphan.pid}\n"
    assert again.stdout.readline() == "up\n"


def test_the_server_runs_as_its_user(monkeypatch):
    monkeypatch.setenv(marks.USER, "somebody")
    monkeypatch.setattr(os, "execvp", Mock())
    steps = Mock()
    for name in ("initgroups", "setgid", "setuid"):
        monkeypatch.setattr(os, name, getattr(steps, name))
    monkeypatch.setattr(pwd, "getpwnam", lambda name: SimpleNamespace(pw_uid=7, pw_gid=8))
    monkeypatch.setattr(processes, "leftovers", lambda state, server: [])
    monkeypatch.setenv(marks.STATE, "/state")
    monkeypatch.setenv(marks.SERVER, "one")
    main(["postgres"])
    assert steps.mock_calls == [call.initgroups("somebody", 8), call.setgid(8), call.setuid(7)]
    os.execvp.assert_called_once_with("postgres", ["postgres"])


def test_other_servers_and_other_stacks_are_left_alone(started, tmp_path):
    other = started("two", "-c", SLEEP)
    elsewhere = started("one", "-c", SLEEP, state=tmp_path / "other")
    assert (other.stdout.readline(), elsewhere.stdout.readline()) == ("up\n", "up\n")
    ours = started("one", *launch(sys.executable, "-c", SLEEP))
    assert ours.stdout.readline() == "up\n"
    assert (other.poll(), elsewhere.poll()) == (None, None)
