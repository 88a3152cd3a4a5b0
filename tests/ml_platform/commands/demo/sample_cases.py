"""What the tests of the demo's sources share: an Airflow that keeps connections, and rows as tasks read them."""

import gzip
import json
import tempfile
from typing import Any

from pydantic import SecretStr

from ml_platform.commands.demo.sample_source import Row, SampleSource
from ml_platform.sources.connection import SourceConnection
from ml_platform.sources.opening import open_source
from ml_platform.sources.reader import BEGINNING
from ml_platform.specs.sources import SOURCE_KINDS


class Connections:
    """An Airflow that keeps the last connection that was added."""

    added = SourceConnection("none")

    def add_connection(
        self, name: str, kind: str, login: str, password: str, extra: dict[str, Any] | None = None, **place: Any
    ) -> None:
        json.dumps(extra)
        self.added = SourceConnection(name, kind, login=login, password=SecretStr(password), extra=extra or {}, **place)


def connection_of(source: SampleSource) -> SourceConnection:
    """Return the connection that a source gives to Airflow."""
    airflow: Any = Connections()
    source.connect(airflow)
    assert isinstance(airflow.added, SourceConnection)
    return airflow.added


def rows_read(source: SampleSource, connection: SourceConnection) -> list[Row]:
    """Return the rows as a pull reads them, without their numbers and places."""
    spec = SOURCE_KINDS[source.kind].model_validate(source.spec)
    found: list[Row] = []
    with open_source(spec, connection) as reader:
        for partition, newest in reader.positions().items():
            part = reader.next_range(partition, BEGINNING, newest)
            if part is None:
                continue
            with tempfile.TemporaryFile() as file:
                reader.read(part, file)
                file.seek(0)
                found += map(json.loads, gzip.decompress(file.read()).splitlines())
    return [{name: cell for name, cell in row.items() if name not in ("_position", "_id", "id")} for row in found]
