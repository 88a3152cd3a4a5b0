"""No process of joblib outlives the block, or the task, that started it."""

import os
import subprocess
import sys
import time

import psutil
import pytest
from joblib import Parallel, delayed

from ml_platform.training.workers import own_workers

KILLED = """
import os, sys, time
sys.path[:0] = {path!r}
from joblib import Parallel, delayed
from ml_platform.training.workers import own_workers

def work():
    print(os.getpid(), flush=True)
    time.sleep(600)

with own_workers():
    Parallel(n_jobs=2)(delayed(work)() for _ in range(2))
"""


def wait_for_end(pids: set[int]) -> None:
    while any(psutil.pid_exists(pid) for pid in pids):
        time.sleep(0.1)


def started() -> set[int]:
    with own_workers():
        return set(Parallel(n_jobs=2)(delayed(os.getpid)() for _ in range(8)))


@pytest.mark.slow
def test_after_the_block_no_worker_is_left_and_the_next_block_has_its_own():
    first, second = started(), started()
    assert os.getpid() not in first
    assert first.isdisjoint(second)
    assert not any(psutil.pid_exists(pid) for pid in first | second)


@pytest.mark.slow
def test_they_end_also_if_the_block_fails():
    pids: set[int] = set()

    def fail() -> None:
        with own_workers():
            pids.update(Parallel(n_jobs=2)(delayed(os.getpid)() for _ in range(8)))
            raise RuntimeError("a fit failed")

    with pytest.raises(RuntimeError, match="a fit failed"):
        fail()
    assert pids
    assert not any(psutil.pid_exists(pid) for pid in pids)


@pytest.mark.slow
def test_they_end_soon_after_a_parent_that_was_killed():
    with subprocess.Popen(
        [sys.executable, "-c", KILLED.format(path=sys.path)], stdout=subprocess.PIPE, text=True
    ) as task:
        assert task.stdout is not None
        workers = {int(task.stdout.readline()) for _ in range(2)}
        task.kill()
    wait_for_end(workers)
