"""Airflow's LocalExecutor with workers that have imported the libraries of the tasks before they fork a task.

Each task is a process of its own. Forked from a process that has imported MLflow, Feast and scikit-learn, it has them
at once. The imports would take more processor time than most tasks need for their work.

A task talks to Airflow with a token of its own, over HTTP. So what only the scheduler needs is removed from the
environment of the workers, and neither a task nor a process that it starts has it. With that token a worker also gets
the connection `logs`, with which it uploads the log of a task that has ended.

Workers and tasks end with the process that has forked them, also if that is killed. The marks of `stack.marks` do not
find them: Airflow closes the environment of a task's processes to all but root.
"""

import ctypes
import os
import signal
import sys
import threading
from importlib import import_module
from pathlib import Path

from airflow.executors.local_executor import LocalExecutor

# Modules that tasks of dags/ import while they run; they import MLflow, Feast and scikit-learn.
LIBRARY = (
    "airflow.connections", "airflow.lineage_events", "airflow.task_logs", "airflow.traces",
    "environments.approval_question", "environments.copy_version", "environments.go_live",
    "feature_store.online_rows", "housekeeping.clean", "ingestion.inbox", "ingestion.uploads",
    "monitoring.drift_check", "monitoring.performance_check", "monitoring.retraining", "monitoring.shadow",
    "promotion.decisions", "promotion.rollback", "promotion.steps", "removal.withdraw_upload", "scoring.batch",
    "sources.pull", "sources.ranges", "training.build_training_set", "training.search_plan", "training.steps",
    "training.training_set",
)  # fmt: skip

# The keys of Airflow's connections and tokens, and the address of its database with the password.
SCHEDULER_ONLY = (
    "AIRFLOW__CORE__FERNET_KEY", "AIRFLOW__API_AUTH__JWT_SECRET", "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC",
)  # fmt: skip

# Airflow's note that this process is a server. With it, a worker would look for the connection `logs` in the database.
SERVER_MARK = "_AIRFLOW_PROCESS_CONTEXT"

PR_SET_PDEATHSIG = 1  # prctl(2), Linux only


class PreloadedLocalExecutor(LocalExecutor):
    """Forks its workers from a process that has imported the platform's library."""

    def start(self) -> None:
        """Import the library, then fork the workers, now and later, without what only the scheduler needs."""
        if self.is_mp_using_fork:  # spawned workers would not inherit it
            load_library()
            os.register_at_fork(after_in_child=drop_secrets)
            if sys.platform == "linux":
                lifeline = Lifeline()
                os.register_at_fork(before=lifeline.record_parent, after_in_child=lifeline.end_with_parent)
        super().start()


def load_library() -> None:
    """Import the modules of the tasks, and what they load at first use."""
    for name in LIBRARY:
        import_module(f"ml_platform.{name}")
    import_module("ml_platform.registry.model_files").load_skops()


def drop_secrets() -> None:
    """Remove from the environment what only the scheduler needs, also from what /proc shows of this process."""
    for name in (*SCHEDULER_ONLY, SERVER_MARK):
        os.environ.pop(name, None)
    _wipe_initial_environment()


class Lifeline:
    """Lets each forked process end with its parent; to be registered at fork."""

    def __init__(self) -> None:
        """Know no parent yet."""
        self._parent: int | None = None

    def record_parent(self) -> None:
        """Record this process as the parent, unless a thread forks: for the kernel, its end would be the parent's."""
        self._parent = os.getpid() if threading.current_thread() is threading.main_thread() else None

    def end_with_parent(self) -> None:
        """Ask the kernel to kill this process when its parent ends; end it now if the parent has ended already."""
        if self._parent is None:
            return
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != self._parent:
            os._exit(1)


def _wipe_initial_environment() -> None:
    """Overwrite the variables where the scheduler got them: a fork copies this memory, and `unsetenv` leaves it."""
    stat = Path("/proc/self/stat")
    if not stat.exists():
        return
    # proc(5): env_start and env_end are the fields 50 and 51; the first one after the name in parentheses is field 3
    fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    address, end = int(fields[47]), int(fields[48])
    for entry in ctypes.string_at(address, end - address).split(b"\0"):
        if entry.partition(b"=")[0].decode("utf-8", "replace") in SCHEDULER_ONLY:
            ctypes.memset(address, ord(" "), len(entry))  # no zeros: two of them would end the environment
        address += len(entry) + 1
