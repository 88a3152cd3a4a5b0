"""Opening a source by its kind; only the packages of that kind are loaded."""

from collections.abc import Callable
from importlib import import_module

from ml_platform.exceptions import ConfigurationError
from ml_platform.sources.connection import SourceConnection
from ml_platform.sources.reader import Reader
from ml_platform.specs.sources import SourceBase

READERS = {
    "kafka": ("ml_platform.sources.kafka", "KafkaReader"),
    "mongodb": ("ml_platform.sources.mongodb", "MongoReader"),
    "s3": ("ml_platform.sources.s3", "S3Reader"),
    "sql": ("ml_platform.sources.sql", "SqlReader"),
}
EXTRAS: dict[str, str] = {"kafka": "kafka", "mongodb": "mongodb"}  # the extra that holds the packages of a kind


def open_source(source: SourceBase, connection: SourceConnection) -> Reader:
    """Connect to a source.

    Raises:
        ConfigurationError: the packages of its kind are not installed, or the connection cannot be used.
        SourceAwayError: the server cannot be reached.
    """
    module, name = READERS[source.kind]
    try:
        reader: Callable[[SourceBase, SourceConnection], Reader] = getattr(import_module(module), name)
    except ModuleNotFoundError as error:
        extra = EXTRAS.get(source.kind)
        if extra is None:
            raise
        raise ConfigurationError(
            f"a source of the kind {source.kind} needs the package {error.name}, which is not installed: "
            f"pip install 'ml-platform[{extra}]', or `make packages` with this source in a YAML"
        ) from error
    return reader(source, connection)
