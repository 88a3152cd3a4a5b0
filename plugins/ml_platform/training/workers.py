"""The processes in which joblib fits candidates and folds: they end with the task that started them."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from joblib import parallel_config
from joblib.externals.loky import get_reusable_executor

PARENT_CHECK_SECONDS = 2.0  # how often a worker checks that its parent still runs


@contextmanager
def own_workers() -> Iterator[None]:
    """End what joblib starts in this block: at its end, or soon after this process was killed.

    Otherwise these processes wait for more work for five minutes. They hold memory, and the log of their task open:
    Airflow uploads it only when it is closed.
    """
    with parallel_config("loky", initializer=exit_with_parent, initargs=(os.getpid(),)):
        try:
            yield
        finally:
            get_reusable_executor().shutdown(wait=True)


def exit_with_parent(parent: int) -> None:
    """End this process soon after its parent, because a killed task cannot stop its workers."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(PARENT_CHECK_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, name="exit-with-parent", daemon=True).start()
