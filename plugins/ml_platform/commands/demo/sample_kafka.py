"""The topic that `make demo SOURCE=kafka` fills."""

import json
from collections.abc import Iterable
from typing import Any

from ml_platform.commands.demo.sample_source import Row, SampleSource, setting
from ml_platform.exceptions import ConfigurationError
from ml_platform.streaming.producing import next_offset, produce
from stack.airflow_api import Airflow
from stack.config import Config
from stack.servers import kafka


class KafkaSample(SampleSource):
    """A topic of the stack's own broker. All rows are in one partition, so the offset of a row is its number."""

    kind = "kafka"

    def __init__(self, config: Config, sample_name: str) -> None:
        """Check that the broker is started with the stack; see `SampleSource`."""
        super().__init__(config, sample_name)
        self._topic = f"demo-{sample_name}"
        if config.target == "compose" and "kafka" not in setting(config, "COMPOSE_PROFILES").split(","):
            raise ConfigurationError(
                f"the containers have no Kafka: put COMPOSE_PROFILES=kafka into {config.env_file}, and try again"
            )

    @property
    def spec(self) -> dict[str, str]:
        """The topic; the connection `kafka` is the stack's own."""
        return {"kind": self.kind, "topic": self._topic}

    @property
    def place(self) -> str:
        """The topic."""
        return f"the topic {self._topic}"

    def connect(self, airflow: Airflow) -> None:
        """Do nothing: the stack has given Airflow the connection."""

    def count(self) -> int:
        """Return the next offset."""
        return next_offset(self._topic, self._settings)

    def add(self, first: int, rows: Iterable[Row]) -> None:
        """Send rows as JSON objects, without a key."""
        produce(((None, json.dumps(row).encode()) for row in rows), self._topic, self._settings, partition=0)

    @property
    def _settings(self) -> dict[str, Any]:
        return kafka.client_settings(self.config, "producer")
