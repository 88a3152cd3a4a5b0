"""Writes the log of predictions beside the answers: no caller waits for Postgres, and none fails without it."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime

import pyarrow as pa

from ml_platform.exceptions import ServiceError
from ml_platform.scoring import prediction_log
from ml_platform.serving.answers import Scored
from ml_platform.storage.database import Connection

log = logging.getLogger(__name__)

INTERVAL = 1.0  # seconds between two writes, and between two attempts
MOST_ROWS = 200_000  # that wait while Postgres is away; what comes then is lost, and counted


Write = Callable[[list[pa.RecordBatch]], None]


def log_writer() -> Write:
    """Return what writes entries of the log in one transaction, on a connection that it keeps.

    It raises ServiceError if Postgres is away.
    """
    connection = Connection()

    def write(batches: list[pa.RecordBatch]) -> None:
        with connection.transaction() as cursor:
            prediction_log.write(cursor, batches, "http")

    return write


class PredictionWriter:
    """Holds what was answered until its thread has written it."""

    def __init__(self, lost: Callable[[int], object], write: Write) -> None:
        """Begin with nothing.

        Args:
            lost: is told how many rows could not be kept.
            write: writes entries; raises ServiceError if Postgres is away.
        """
        self._lost, self._write = lost, write
        self._waiting: list[pa.RecordBatch] = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="prediction-writer", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, once more, and end."""
        self._stop.set()
        self._thread.join(timeout=10)

    @property
    def is_writing(self) -> bool:
        """Whether the thread lives."""
        return self._thread.is_alive()

    def add(self, scored: Scored, requested: datetime) -> None:
        """Keep what was answered; it is written soon."""
        entries = prediction_log.entries(scored.model, scored.rows, scored.probabilities, scored.predictions, requested)
        with self._lock:
            if sum(batch.num_rows for batch in self._waiting) + entries.num_rows <= MOST_ROWS:
                self._waiting.append(entries)
                return
        self._lost(entries.num_rows)

    def flush(self) -> bool:
        """Write what waits; return whether nothing waits any more."""
        with self._lock:
            taken = self._waiting[:]
        if taken:
            try:
                self._write(taken)
            except ServiceError as error:
                log.warning("predictions wait to be logged: %s", error)
                return False
            with self._lock:
                del self._waiting[: len(taken)]
        return True

    def _run(self) -> None:
        while not self._stop.wait(INTERVAL):
            self.flush()
        if not self.flush():
            self._lost(sum(batch.num_rows for batch in self._waiting))
