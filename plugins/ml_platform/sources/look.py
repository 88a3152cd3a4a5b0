"""A look at a source, again and again: a text that changes when it has something new."""

from hashlib import sha256

from pydantic import TypeAdapter

from ml_platform.exceptions import PlatformError
from ml_platform.sources.connection import SourceConnection
from ml_platform.sources.opening import open_source
from ml_platform.sources.reader import Reader
from ml_platform.specs.sources import Source, SourceBase


class Look:
    """A source that is looked at; the connection to it is kept as long as it works."""

    def __init__(self, source: str) -> None:
        """Read the spec, which is given as JSON."""
        self._source: SourceBase = TypeAdapter(Source).validate_json(source)
        self._reader: Reader | None = None
        self._connection: SourceConnection | None = None

    @property
    def period(self) -> float:
        """Seconds until the next look."""
        return self._source.period

    @property
    def connection(self) -> str:
        """The name of the Airflow connection."""
        return self._source.connection

    def state(self, connection: SourceConnection) -> str:
        """Return a digest of the newest positions.

        Raises:
            SourceAwayError: the source cannot be reached.
            ConfigurationError: it cannot be used.
        """
        try:
            if self._reader is None or connection != self._connection:
                self.close()
                self._reader = open_source(self._source, connection)
                self._connection = connection
            positions = self._reader.positions()
        except PlatformError:
            self.close()
            raise
        return sha256(repr(sorted(positions.items())).encode()).hexdigest()

    def close(self) -> None:
        """Disconnect from the source."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()
