"""A server starts alone: what an earlier start of it has left is ended first."""

import os
import signal
import subprocess
import sys

import psutil
import pytest

from stack import marks
from stack.config import ROOT
from stack.runners import processes

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


def test_other_servers_and_other_stacks_are_left_alone(started, tmp_path):
    other = started("two", "-c", SLEEP)
    elsewhere = started("one", "-c", SLEEP, state=tmp_path / "other")
    assert (other.stdout.readline(), elsewhere.stdout.readline()) == ("up\n", "up\n")
    ours = started("one", *launch(sys.executable, "-c", SLEEP))
    assert ours.stdout.readline() == "up\n"
    assert (other.poll(), elsewhere.poll()) == (None, None)
