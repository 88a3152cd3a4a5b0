"""The collection that `make demo SOURCE=mongodb` fills."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from pydantic import SecretStr
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.uri_parser import parse_uri

from ml_platform.commands.demo.sample_source import Row, SampleSource, setting
from ml_platform.exceptions import ConfigurationError
from ml_platform.sources.connection import SourceConnection
from ml_platform.sources.mongodb_client import client_options, translated
from stack.airflow_api import Airflow
from stack.config import HOST, Config
from stack.target import runner

CONNECTION = "demo_mongodb"
DATABASE = "demo"  # where the address names none
IN_CONTAINERS = "mongo:27017"  # the address of the server of Compose there


class MongoSample(SampleSource):
    """A collection on the server that MONGODB_URL names, or on that of Compose. The number of a row is its `_id`."""

    kind = "mongodb"

    def __init__(self, config: Config, sample_name: str) -> None:
        """Read the address; see `SampleSource`."""
        super().__init__(config, sample_name)
        url = os.environ.get("MONGODB_URL", "")
        self._is_ours = config.target == "compose" and not url
        if not url and not self._is_ours:
            raise ConfigurationError(
                "`make up` starts no MongoDB. Name yours, with a login that may write: "
                "MONGODB_URL=mongodb://USER:PASSWORD@HOST:27017/demo"
            )
        self._connection = _server_of_compose(config) if self._is_ours else address_of(url)

    @property
    def spec(self) -> dict[str, str]:
        """The collection, in the order of `_id`."""
        named = {"kind": self.kind, "connection": CONNECTION, "database": self._connection.schema}
        return named | {"collection": self.sample_name, "every": "5s", "settle": "1s"}

    @property
    def place(self) -> str:
        """The collection."""
        return f"the collection {self.sample_name} of the database {self._connection.schema}"

    def start(self) -> None:
        """Start the server of Compose, which has a profile of its own."""
        if self._is_ours:
            runner(self.config).up(self.config, ["mongodb"])

    def connect(self, airflow: Airflow) -> None:
        """Add a connection with the same login, and the address as tasks reach it."""
        there = self._connection
        host = IN_CONTAINERS if self._is_ours else there.host
        password = there.password.get_secret_value()
        extra = dict(there.extra)
        airflow.add_connection(CONNECTION, there.kind, there.login, password, extra, host=host, schema=there.schema)

    def count(self) -> int:
        """Return the number after the greatest `_id`."""
        with self._collection() as collection:
            last = collection.find_one(sort=[("_id", -1)])
        return int(last["_id"]) + 1 if last else 0

    def add(self, first: int, rows: Iterable[Row]) -> None:
        """Insert one document for each row, in their order."""
        with self._collection() as collection:
            collection.insert_many({"_id": number, **row} for number, row in enumerate(rows, first))

    @contextmanager
    def _collection(self) -> Iterator[Collection[dict[str, Any]]]:
        server = self._connection
        where = f"{self.place} on {server.host}"
        with translated(where), MongoClient[dict[str, Any]](**client_options(server)) as client:
            yield client[server.schema][self.sample_name]


def address_of(url: str) -> SourceConnection:
    """Return the fields of an Airflow connection for an address such as mongodb://ann:secret@host:27017/shop?tls=true.

    Raises:
        ConfigurationError: it is no address of MongoDB, or a name in it cannot be resolved.
    """
    with translated("the address MONGODB_URL"):
        parts = parse_uri(url, validate=False)
    extra = dict(parts["options"])
    if parts["username"] and "authsource" not in map(str.lower, extra):
        extra["authSource"] = parts["database"] or "admin"
    return SourceConnection(
        name=CONNECTION,
        kind="generic",
        host=",".join(f"{host}:{port}" for host, port in parts["nodelist"]),
        login=parts["username"] or "",
        password=SecretStr(parts["password"] or ""),
        schema=parts["database"] or DATABASE,
        extra=extra,
    )


def _server_of_compose(config: Config) -> SourceConnection:
    port = setting(config, "MONGODB_PORT") or "27017"
    named = address_of(f"mongodb://{HOST}:{port}/{DATABASE}")
    return replace(named, login="platform", password=config.mongodb_password)
