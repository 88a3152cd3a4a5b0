"""A scorer that runs beside a test or a benchmark."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ml_platform.streaming.scorer import StreamScorer


@contextmanager
def running(scorer: StreamScorer) -> Iterator[StreamScorer]:
    """Run a scorer in a thread, and stop it at the end."""
    stop = threading.Event()
    thread = threading.Thread(target=scorer.run, args=(stop,))
    thread.start()
    try:
        yield scorer
    finally:
        stop.set()
        thread.join()
