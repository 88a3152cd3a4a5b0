"""A real Kafka broker for tests, without the supervisor, so that a test decides when it is killed and started again.

`tests/conftest.py` has it as the fixture `kafka_broker`, one for each session, because a start takes seconds.
"""

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from stack.config import HOST, ROOT, Config, load
from stack.servers import kafka
from tests.conftest import write_env_file

SECONDS = 60  # until a broker must answer, or must have stopped


class Broker:
    """One broker with its own folder, ports and passwords."""

    def __init__(self, config: Config) -> None:
        """Start nothing yet."""
        self.config = config
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Host and port, as in `bootstrap.servers`."""
        return f"{HOST}:{self.config.kafka_port}"

    @property
    def connection(self) -> str:
        """The value of AIRFLOW_CONN_KAFKA."""
        return kafka.connection(self.config)

    @property
    def log(self) -> str:
        """All that the broker has written."""
        return self._log.read_text()

    @property
    def _log(self) -> Path:
        return self.config.state_dir / "kafka.log"

    def settings(self, role: str, **more: Any) -> dict[str, Any]:
        """Return the settings of a client: its login as `kafka-admin`, `pipelines`, `stream` or `producer`."""
        return kafka.client_settings(self.config, role) | more

    def start(self) -> None:
        """Start it as `make up` does, with its setup, and wait until it is healthy."""
        server = kafka.server(self.config)
        server.check()
        server.prepare()
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                server.command, env=dict(server.environment), cwd=server.directory, stdout=log, stderr=log, umask=0o077
            )
        self.add_datasets()
        deadline = time.monotonic() + SECONDS
        while problem := server.probe():
            assert time.monotonic() < deadline, f"{problem}\n{self.log}"

    def add_datasets(self, *names: str) -> None:
        """Let the role `stream` write the predictions of data sets, too."""
        for name in names:
            (self.config.datasets_dir / f"{name}.yaml").write_text(f"name: {name}\nsource: {{kind: kafka}}\n")
        setup = kafka.server(self.config).setup
        assert setup is not None
        subprocess.run(setup.command, env=dict(setup.environment), cwd=ROOT, check=True)

    def kill(self) -> None:
        """End it at once, as a crash does."""
        self._end("kill")

    def stop(self) -> None:
        """Stop it as `make down` does."""
        self._end("terminate")

    def reload(self) -> None:
        """Read its env file and its data sets again; they take effect at the next start."""
        self.config = load(self.config.env_file)

    def _end(self, how: str) -> None:
        if self.process is not None:
            getattr(self.process, how)()
            self.process.wait(SECONDS)
            self.process = None


def committed(broker: Broker, topic: str) -> list[dict[str, Any]]:
    """Return the messages of a topic, JSON objects, without those of transactions that were not committed."""
    settings = {"group.id": "stream-tests", "isolation.level": "read_committed", "enable.partition.eof": True}
    consumer = Consumer(broker.settings("kafka-admin", **settings))
    try:
        partitions = consumer.list_topics(topic, timeout=SECONDS).topics[topic].partitions
        places = [TopicPartition(topic, number, 0) for number in partitions]
        ends = {place.partition: consumer.get_watermark_offsets(place, timeout=SECONDS)[1] for place in places}
        consumer.assign(places)
        return list(_messages_until(consumer, ends))
    finally:
        consumer.close()


def _messages_until(consumer: Consumer, ends: dict[int, int]) -> Iterator[dict[str, Any]]:
    """Yield messages until each partition is past its end: a topic that grows has none of its own."""
    open_partitions = set(ends)
    while open_partitions:
        for message in consumer.consume(1000, 0.2):
            is_end = message.error() is not None and message.error().code() == KafkaError._PARTITION_EOF
            if is_end or message.offset() >= ends[message.partition()] - 1:
                open_partitions.discard(message.partition())
            if message.error() is None:
                yield json.loads(message.value())
            elif not is_end:
                raise KafkaException(message.error())


@contextmanager
def running_broker() -> Iterator[Broker]:
    """Start a broker on free ports; at the end it is killed, and its data are removed."""
    folder = Path(tempfile.mkdtemp(prefix="mlp-kafka"))
    broker = Broker(load(write_env_file(folder)))
    broker.config.state_dir.mkdir()
    try:
        broker.start()
        yield broker
    finally:
        broker.kill()
        shutil.rmtree(folder)
