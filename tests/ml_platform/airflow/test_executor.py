"""The executor imports the library once, and exactly the modules that the tasks import."""

import ast
import ctypes
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from unittest.mock import Mock

import psutil
import pytest
from airflow.executors.local_executor import LocalExecutor

from ml_platform.airflow import executor, retrainings, shadow_task, wiring
from stack import marks, secrets
from stack.config import load
from stack.runners import processes
from stack.servers.inventory import all_nodes

ROOT = Path(__file__).resolve().parents[3]


def imports_of_tasks() -> set[str]:
    """Return the modules of the library that functions in dags/, and those around tasks, import."""
    found = set()
    around = (Path(str(module.__file__)) for module in (wiring, retrainings, shadow_task))
    for path in (*(ROOT / "dags").glob("*.py"), *around):
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(function, ast.FunctionDef):
                continue
            for node in ast.walk(function):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ml_platform"):
                    package = ROOT / "plugins" / node.module.replace(".", "/")
                    found |= {f"{node.module}.{a.name}" for a in node.names} if package.is_dir() else {node.module}
    return found


def test_it_imports_what_the_tasks_import():
    assert imports_of_tasks() == {f"ml_platform.{name}" for name in executor.LIBRARY}


def test_the_library_is_imported_before_the_workers_are_forked(monkeypatch):
    order = []
    monkeypatch.setattr(os, "register_at_fork", lambda **_: None)
    monkeypatch.setattr(executor, "load_library", lambda: order.append("loaded"))
    monkeypatch.setattr(LocalExecutor, "start", lambda _: order.append("forked"))
    one = executor.PreloadedLocalExecutor(parallelism=1)
    one.start()
    assert order == (["loaded", "forked"] if one.is_mp_using_fork else ["forked"])


def test_airflows_settings_name_it():
    setting = secrets.read(ROOT / "stack" / "airflow.env")["AIRFLOW__CORE__EXECUTOR"]
    assert setting == f"{executor.__name__}.{executor.PreloadedLocalExecutor.__name__}"


CHILD = """
import json, multiprocessing, os, subprocess, sys
import psutil
from airflow.executors.local_executor import LocalExecutor
from ml_platform.airflow import executor

def seen(connection):
    started = subprocess.run([sys.executable, "-c", "import json, os; print(json.dumps(dict(os.environ)))"],
                             capture_output=True, text=True, check=True)
    connection.send([dict(os.environ), json.loads(started.stdout), open("/proc/self/environ").read(),
                     psutil.Process().environ()])

executor.load_library = lambda: None
LocalExecutor.start = lambda _: None
executor.PreloadedLocalExecutor(parallelism=1).start()
ours, theirs = multiprocessing.Pipe()
worker = multiprocessing.Process(target=seen, args=(theirs,))
worker.start()
print(json.dumps([dict(os.environ), *ours.recv()]))
worker.join()
"""


def test_workers_and_what_they_start_have_no_secret_of_the_scheduler(tmp_path):
    secret = dict.fromkeys(executor.SCHEDULER_ONLY, "a secret")
    paths = {"PYTHONPATH": f"{ROOT / 'plugins'}:{ROOT}", "AIRFLOW_HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    file = f"///{tmp_path}/airflow.db"
    address = {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:{file}"}
    address |= {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": f"sqlite+aiosqlite:{file}"}
    done = subprocess.run(
        [sys.executable, "-c", CHILD],
        env=paths | secret | address | {marks.SERVER: "one", executor.SERVER_MARK: "server"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    scheduler, worker, started, shown, by_psutil = json.loads(done.stdout.splitlines()[-1])
    assert set(executor.SCHEDULER_ONLY) <= set(scheduler)
    assert not [name for name in executor.SCHEDULER_ONLY if name in shown]
    assert by_psutil[marks.SERVER] == "one"  # by which orphans of a killed scheduler are found
    for environment in (worker, started):
        assert not {*executor.SCHEDULER_ONLY, executor.SERVER_MARK} & set(environment)
        assert environment["PYTHONPATH"] == paths["PYTHONPATH"]


# As root it becomes another user, because root may read every /proc/PID/environ.
SCHEDULER = """
import os, signal
from airflow.executors.local_executor import LocalExecutor
from airflow.sdk.execution_time.supervisor import _make_process_nondumpable
from ml_platform.airflow import executor

def fork_worker():
    if os.fork():
        return
    _make_process_nondumpable()
    if task := os.fork():
        print("PIDS", os.getpid(), task, flush=True)
    signal.pause()

executor.load_library = lambda: None
LocalExecutor.start = lambda _: None
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
executor.PreloadedLocalExecutor(parallelism=1).start()
fork_worker()
signal.pause()
"""


@pytest.fixture
def family(tmp_path):
    """A scheduler, and the worker and the task that it has forked."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'plugins'}:{ROOT}", "AIRFLOW_HOME": str(tmp_path)}
    command = [sys.executable, "-c", SCHEDULER]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as scheduler:
        line = next(line for line in scheduler.stdout if line.startswith("PIDS"))
        started = [psutil.Process(pid) for pid in (scheduler.pid, *map(int, line.split()[1:]))]
        yield started
        processes.kill(started)


def test_workers_and_tasks_end_with_the_scheduler_that_is_killed(family):
    """A task of Airflow closes its environment to its own user, so its marks do not find it."""
    scheduler, worker, task = family
    assert task.ppid() == worker.pid
    scheduler.kill()
    _, alive = psutil.wait_procs([worker, task], timeout=10)
    assert not alive


@pytest.fixture
def lifeline(monkeypatch):
    """In this process, whose parent is another one than that of its children."""
    monkeypatch.setattr(os, "_exit", Mock())
    monkeypatch.setattr(ctypes, "CDLL", Mock())
    return executor.Lifeline()


def test_a_child_whose_parent_was_killed_before_it_could_ask_the_kernel_ends(lifeline):
    lifeline.record_parent()
    lifeline.end_with_parent()
    os._exit.assert_called_once()


def test_what_a_thread_forks_does_not_end_with_the_thread(lifeline):
    thread = threading.Thread(target=lifeline.record_parent)
    thread.start()
    thread.join()
    lifeline.end_with_parent()
    ctypes.CDLL.assert_not_called()
    os._exit.assert_not_called()


def test_the_secrets_of_the_scheduler_are_those_that_it_is_started_with(tmp_path):
    """What Airflow's settings call a secret, but for the connection `s3`, which the sensors of the tasks use."""
    config = load(tmp_path / ".env")
    environment = all_nodes(config)["airflow-scheduler"].environment
    values = [config.airflow_fernet_key, config.airflow_jwt_secret, config.airflow_db_password]
    holders = {name for name, text in environment.items() if any(v.get_secret_value() in text for v in values)}
    assert holders == set(executor.SCHEDULER_ONLY)
