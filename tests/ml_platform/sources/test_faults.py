"""Rows of a source come in once under random kills: of reader, load, Postgres, object store, and the source.

Before a release only: each source takes minutes. The servers are a stack of their own, which supervisord starts again.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg2
import pytest
import sqlalchemy as sa
from botocore.exceptions import BotoCoreError, ClientError
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from pymongo.errors import BulkWriteError, PyMongoError

from ml_platform.sources.connection import SourceConnection
from ml_platform.sources.ranges import Feed
from stack.config import Config
from stack.runners import embedded
from stack.runners.supervisor import Supervisor
from tests.conftest import fresh_config
from tests.kafka import running_broker
from tests.ml_platform.ingestion.upload_cases import GOOD
from tests.ml_platform.sources.source_cases import feed_of, s3_client, s3_connection
from tests.mongodb import running_server

pytestmark = [pytest.mark.servers, pytest.mark.prove]

KILLS = min(int(os.environ.get("KILLS", "40")), 40)
ROWS = 100  # that come before each kill
BAD = 10  # every so many of them is a bad row
ROOT = Path(__file__).resolve().parents[3]
DUPLICATE = 11_000  # MongoDB's error for a document that is there from an attempt that was not acknowledged
PATIENCE = 300.0  # seconds, until all is in after the last kill


def rows_of(attempt: int) -> list[dict[str, Any]]:
    """Return the rows that come before a kill; some are bad."""
    numbers = range(attempt * ROWS, (attempt + 1) * ROWS)
    return [GOOD | {"ID": number, "COUNT": 99 if number % BAD == 0 else 3} for number in numbers]


class Source(ABC):
    """A source of rows: how they come, how it is read, and how it is killed."""

    spec: dict[str, Any]
    connection: SourceConnection

    @abstractmethod
    def add(self, attempt: int) -> None:
        """Add the rows of an attempt, for sure and once."""

    def kill(self) -> None:
        """Kill the server and start it again."""
        pytest.fail("its server is one of ours")


class Topic(Source):
    def __init__(self, config: Config, unless_ended: ExitStack) -> None:
        self._broker = unless_ended.enter_context(running_broker())
        admin = AdminClient(self._broker.settings("kafka-admin"))
        admin.create_topics([NewTopic("claims", 2)])["claims"].result(30)
        self.spec = {"kind": "kafka", "topic": "claims", "max_rows": 70}
        extra = json.loads(self._broker.connection)["extra"]
        self.connection = SourceConnection("kafka", kind="kafka", extra=extra)

    def add(self, attempt: int) -> None:
        producer = Producer(self._broker.settings("producer", acks="all", **{"enable.idempotence": True}))
        for number, row in enumerate(rows_of(attempt)):
            producer.produce("claims", json.dumps(row).encode(), partition=number % 2)
        assert producer.flush(120) == 0

    def kill(self) -> None:
        self._broker.kill()
        self._broker.start()


class Collection(Source):
    def __init__(self, config: Config, unless_ended: ExitStack) -> None:
        self._server = unless_ended.enter_context(running_server())
        self.spec = {"kind": "mongodb", "collection": "claims", "settle": "1s", "max_rows": 70}
        self.connection = self._server.connection(name="mongodb")

    def add(self, attempt: int) -> None:
        documents = [{"_id": row["ID"], **row} for row in rows_of(attempt)]
        again(lambda: self._insert(documents), PyMongoError)

    def _insert(self, documents: list[dict[str, Any]]) -> None:
        with self._server.client() as client:
            try:
                client["shop"]["claims"].insert_many(documents, ordered=False)
            except BulkWriteError as error:
                if {one["code"] for one in error.details["writeErrors"]} != {DUPLICATE}:
                    raise

    def kill(self) -> None:
        self._server.kill()
        self._server.start()


class Table(Source):
    def __init__(self, config: Config, unless_ended: ExitStack) -> None:
        address = config.database_uri("postgres", "platform", driver="postgresql+psycopg")
        self._engine = unless_ended.enter_context(closing_engine(address))
        columns = ", ".join(f'"{name}" text' for name in GOOD if name != "ID")
        with self._engine.begin() as connection:
            connection.exec_driver_sql("CREATE SCHEMA shop")
            connection.exec_driver_sql(f'CREATE TABLE shop.claims ("ID" bigint PRIMARY KEY, {columns})')
        self.spec = {
            "kind": "sql", "connection": "dwh", "table": "shop.claims", "watermark": "ID",
            "settle": "1s", "max_rows": 70,
        }  # fmt: skip
        password = config.postgres_superuser_password
        self.connection = SourceConnection(
            "dwh", "postgres", "127.0.0.1", config.postgres_port, "postgres", password, "platform"
        )

    def add(self, attempt: int) -> None:
        again(lambda: self._insert(rows_of(attempt)), sa.exc.OperationalError)

    def _insert(self, rows: list[dict[str, Any]]) -> None:
        names, values = ", ".join(f'"{name}"' for name in GOOD), ", ".join(f":{name}" for name in GOOD)
        with self._engine.begin() as connection:
            statement = f"INSERT INTO shop.claims ({names}) VALUES ({values}) ON CONFLICT DO NOTHING"
            connection.execute(sa.text(statement), [row | {"COUNT": str(row["COUNT"])} for row in rows])


class Bucket(Source):
    def __init__(self, config: Config, unless_ended: ExitStack) -> None:
        self.connection = s3_connection(config)
        self._client, self._name = s3_client(self.connection), f"partner-{uuid4().hex[:8]}"
        self._client.create_bucket(Bucket=self._name)
        self.spec = {"kind": "s3", "connection": "partner", "bucket": self._name}

    def add(self, attempt: int) -> None:
        body = "".join(json.dumps(row) + "\n" for row in rows_of(attempt)).encode()
        put = {"Bucket": self._name, "Key": f"{attempt}.jsonl", "Body": body}
        again(lambda: self._client.put_object(**put), (BotoCoreError, ClientError))


SOURCES: dict[str, Callable[[Config, ExitStack], Source]] = {
    "kafka": Topic, "mongodb": Collection, "sql": Table, "s3": Bucket,
}  # fmt: skip


@contextmanager
def closing_engine(address: str) -> Iterator[sa.Engine]:
    engine = sa.create_engine(address, poolclass=sa.pool.NullPool)
    yield engine
    engine.dispose()


def again(call: Callable[[], Any], errors: Any) -> None:
    """Try again until it succeeds."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            call()
        except errors:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        else:
            return


class Worker:
    """A process that pulls or loads for ever."""

    def __init__(self, what: str, feed: Feed, connection: SourceConnection, environment: dict[str, str]) -> None:
        fields = vars(connection) | {
            "password": connection.password.get_secret_value(),
            "extra": dict(connection.extra),
        }
        spec = feed.table.model_dump_json(exclude={"tables"})
        module = [sys.executable, "-m", "tests.ml_platform.sources.worker"]
        self._command, self._environment = [*module, what, spec, json.dumps(fields)], environment
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            self._command, env=os.environ | self._environment, cwd=ROOT, stderr=subprocess.DEVNULL
        )

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


def kill_server(config: Config, name: str) -> None:
    """Kill a server of the stack; supervisord starts it again."""
    pids = {info["name"]: info["pid"] for info in Supervisor(config).call("getAllProcessInfo")}
    if pid := pids.get(name):
        os.kill(pid, signal.SIGKILL)


def asked(config: Config, statement: str, *values: str) -> list[tuple[Any, ...]]:
    """Return the answer of the database; nothing while it is down."""
    try:
        with closing(psycopg2.connect(config.database_uri("platform"))) as connection, connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall()
    except psycopg2.Error:
        return []


@pytest.mark.parametrize("kind", SOURCES)
def test_rows_of_a_source_come_in_once_under_random_kills(kind: str, record_property: Callable[..., None]) -> None:
    chance = random.Random(kind)  # noqa: S311 – moments and victims
    with ExitStack() as until_the_end:
        config = until_the_end.enter_context(fresh_config())
        embedded.up(config, ["postgres", "objects", "dbinit"])
        source = SOURCES[kind](config, until_the_end)
        feed = feed_of(source.spec)
        environment = config.environment() | {"PYTHONPATH": f"{ROOT / 'plugins'}:{ROOT}"}
        workers = [Worker(what, feed, source.connection, environment) for what in ("pull", "load")]
        for worker in workers:
            until_the_end.callback(worker.kill)
        victims: dict[str, Callable[[], None]] = {
            "pull": lambda: restart(workers[0]),
            "load": lambda: restart(workers[1]),
            "postgres": lambda: kill_server(config, "postgres"),
            "objects": lambda: kill_server(config, "objects"),
            **({"source": source.kill} if type(source).kill is not Source.kill else {}),
        }
        for attempt in range(KILLS):
            source.add(attempt)
            time.sleep(chance.uniform(0, 3))
            victims[chance.choice(list(victims))]()
        record_property("tried", KILLS)
        good, bad = KILLS * ROWS * (BAD - 1) // BAD, KILLS * ROWS // BAD
        counted = "SELECT sum(rows_loaded), sum(rows_rejected) FROM uploads.ledger WHERE dataset = %s"
        again(lambda: arrived(asked(config, counted, feed.table.name), good + bad), AssertionError)
        assert asked(config, counted, feed.table.name) == [(good, bad)]
        table = f'features."{feed.table.name}"'
        assert asked(config, f'SELECT count(*), count(DISTINCT "ID") FROM {table}') == [(good, good)]


def arrived(found: list[tuple[Any, ...]], wanted: int) -> None:
    assert sum(number or 0 for row in found for number in row) >= wanted


def restart(worker: Worker) -> None:
    worker.kill()
    worker.start()
