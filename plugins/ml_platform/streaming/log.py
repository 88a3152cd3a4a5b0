"""Writes the predictions of a stream to the log, and replaces those of an attempt that did not commit."""

from collections.abc import Callable, Sequence

import pyarrow as pa

from ml_platform.scoring import prediction_log
from ml_platform.scoring.prediction_log import StreamPlace
from ml_platform.storage.database import Connection

Write = Callable[[str, Sequence[StreamPlace], pa.RecordBatch | None], None]


class StreamLog:
    """The log of predictions, on a connection that is kept; one thread may use it."""

    def __init__(self) -> None:
        """Open the connection at first use."""
        self._connection = Connection()

    def write(self, model: str, starts: Sequence[StreamPlace], entries: pa.RecordBatch | None) -> None:
        """Write the entries of a batch in one transaction; earlier ones from its first offsets on are removed.

        Args:
            model: name of the model.
            starts: the first offset of each partition in the batch.
            entries: in the schema `prediction_log.SCHEMA`; None if the batch has no prediction.

        Raises:
            ServiceError: Postgres is not available.
        """
        with self._connection.transaction() as cursor:
            prediction_log.forget_stream(cursor, model, starts)
            if entries is not None:
                prediction_log.write(cursor, [entries], "stream")

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
