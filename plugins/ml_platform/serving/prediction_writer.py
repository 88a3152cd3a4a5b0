"""Writes predictions to the log in a thread of its own: no caller waits for Postgres, and none fails without it."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime

import pyarrow as pa

from ml_platform.exceptions import ServiceError
from ml_platform.scoring import prediction_log
from ml_platform.scoring.scored_rows import ScoredRows
from ml_platform.storage.database import Connection

log = logging.getLogger(__name__)

INTERVAL = 1.0  # seconds between two writes, also after a failed one
MOST_ROWS = 200_000  # kept while Postgres is not available; later rows are lost, and counted


Write = Callable[[list[pa.RecordBatch]], None]


def log_writer() -> Write:
    """Return a function that writes log entries in one transaction, on a connection that it keeps.

    The function raises ServiceError if Postgres is not available.
    """
    connection = Connection()

    def write(batches: list[pa.RecordBatch]) -> None:
        with connection.transaction() as cursor:
            prediction_log.write(cursor, batches, "http")

    return write


class PredictionWriter:
    """Keeps log entries until its thread has written them."""

    def __init__(self, lost: Callable[[int], object], write: Write) -> None:
        """Start with no entries.

        Args:
            lost: called with the number of rows that could not be logged.
            write: writes entries; raises ServiceError if Postgres is not available.
        """
        self._lost, self._write = lost, write
        self._waiting: list[pa.RecordBatch] = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="prediction-writer", daemon=True)

    def start(self) -> None:
        """Start to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write the remaining entries and stop."""
        self._stop.set()
        self._thread.join(timeout=10)

    @property
    def is_writing(self) -> bool:
        """Whether the thread is running."""
        return self._thread.is_alive()

    def add(self, scored: ScoredRows, requested: datetime) -> None:
        """Keep the log entries of predictions, to be written soon; beyond `MOST_ROWS` they are lost and counted."""
        entries = prediction_log.entries(scored.model, scored.rows, scored.outputs, scored.predictions, requested)
        with self._lock:
            if sum(batch.num_rows for batch in self._waiting) + entries.num_rows <= MOST_ROWS:
                self._waiting.append(entries)
                return
        self._lost(entries.num_rows)

    def flush(self) -> bool:
        """Write the entries that wait; return False if that failed."""
        with self._lock:
            batches = self._waiting[:]
        if batches:
            try:
                self._write(batches)
            except ServiceError as error:
                log.warning("predictions could not be logged yet: %s", error)
                return False
            with self._lock:
                del self._waiting[: len(batches)]
        return True

    def _run(self) -> None:
        while not self._stop.wait(INTERVAL):
            self.flush()
        if not self.flush():
            self._lost(sum(batch.num_rows for batch in self._waiting))
