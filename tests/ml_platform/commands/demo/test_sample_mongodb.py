"""The collection of the demo, on FerretDB."""

from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from ml_platform.commands.demo import sample_mongodb
from ml_platform.commands.demo.sample_mongodb import MongoSample, address_of
from ml_platform.commands.demo.sample_source import sample_rows
from ml_platform.exceptions import ConfigurationError, SourceAwayError
from tests.ml_platform.commands.demo.sample_cases import connection_of, rows_read

if TYPE_CHECKING:
    from tests.mongodb import Server

OPTIONS = "serverSelectionTimeoutMS=2000"


@pytest.fixture
def collection(config, mongodb_server: "Server", monkeypatch: pytest.MonkeyPatch) -> MongoSample:
    """A collection that is not there yet."""
    with mongodb_server.client() as client:
        client["demo"]["penguins"].drop()
    login = f"platform:{quote(mongodb_server.password)}"
    monkeypatch.setenv("MONGODB_URL", f"mongodb://{login}@127.0.0.1:{mongodb_server.port}/?{OPTIONS}")
    return MongoSample(config, "penguins")


@pytest.mark.servers
@pytest.mark.prove  # the gate fills a table
def test_the_id_of_a_document_is_its_number(collection: MongoSample) -> None:
    assert collection.count() == 0
    collection.add(0, islice(sample_rows(collection.path), 100))
    assert collection.fill() == 124
    assert collection.fill() == 0
    assert rows_read(collection, connection_of(collection)) == list(sample_rows(collection.path))


@pytest.mark.servers
@pytest.mark.prove  # the gate fills a table
def test_a_refused_login_and_a_server_that_is_away_are_named(
    config, collection: MongoSample, mongodb_server: "Server", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONGODB_URL", f"mongodb://ann:secret@127.0.0.1:{mongodb_server.port}/?{OPTIONS}")
    with pytest.raises(ConfigurationError, match="the collection penguins of the database demo on 127") as refused:
        MongoSample(config, "penguins").fill()
    assert "secret" not in str(refused.value)
    monkeypatch.setenv("MONGODB_URL", "mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=50")
    with pytest.raises(SourceAwayError, match="cannot be reached"):
        MongoSample(config, "penguins").fill()


def test_an_address_becomes_the_fields_of_a_connection() -> None:
    found = address_of("mongodb://ann:a%20secret@one:1,two/shop?tls=true&readPreference=secondary")
    assert (found.host, found.login, found.schema) == ("one:1,two:27017", "ann", "shop")
    assert found.password.get_secret_value() == "a secret"
    assert found.extra == {"tls": "true", "readPreference": "secondary", "authSource": "shop"}


def test_the_database_of_the_login_is_the_one_that_the_address_names() -> None:
    assert address_of("mongodb://ann:secret@one/shop?authSource=users").extra == {"authSource": "users"}
    assert address_of("mongodb://ann:secret@one").extra == {"authSource": "admin"}
    bare = address_of("mongodb://one")
    assert (bare.extra, bare.schema, bare.login) == ({}, "demo", "")


def test_what_is_no_address_is_named() -> None:
    with pytest.raises(ConfigurationError, match="the address MONGODB_URL cannot be read: Invalid URI scheme"):
        address_of("localhost:27017")


def test_without_an_address_it_says_what_to_do(config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MONGODB_URL", raising=False)
    with pytest.raises(ConfigurationError, match=r"starts no MongoDB\. Name yours, .* MONGODB_URL=mongodb://"):
        MongoSample(config, "penguins")


def test_with_containers_the_server_of_compose_is_used(config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MONGODB_URL", raising=False)
    started: list[list[str]] = []
    platform = type("Platform", (), {"up": lambda _, config, only: started.append(only)})
    monkeypatch.setattr(sample_mongodb, "runner", lambda _: platform())
    source = MongoSample(config.model_copy(update={"target": "compose"}), "penguins")
    source.start()
    assert started == [["mongodb"]]
    assert source.spec["database"] == "demo"
    there = source._connection
    assert (there.host, there.login, there.password) == ("127.0.0.1:27017", "platform", config.mongodb_password)
    assert connection_of(source).host == "mongo:27017"


def test_a_server_of_ones_own_is_not_started(config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONGODB_URL", "mongodb://one/shop")
    monkeypatch.setattr(sample_mongodb, "runner", lambda _: pytest.fail("it is started"))
    for target in ("embedded", "compose"):
        source = MongoSample(config.model_copy(update={"target": target}), "penguins")
        source.start()
        assert connection_of(source).host == "one:27017"
