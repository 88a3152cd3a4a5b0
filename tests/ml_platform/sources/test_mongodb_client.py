"""The options of MongoDB's client follow from a connection, and its errors say who must act."""

from typing import Any

import pytest
from bson.errors import InvalidBSON
from pydantic import SecretStr
from pymongo.errors import AutoReconnect, OperationFailure, PyMongoError, ServerSelectionTimeoutError
from pymongo.errors import ConfigurationError as BadOption

from ml_platform.exceptions import ConfigurationError, SourceAwayError
from ml_platform.sources.connection import SourceConnection
from ml_platform.sources.mongodb_client import client_options, translated


@pytest.mark.parametrize(
    ("fields", "address"),
    [
        ({"host": "db.example", "port": 27018}, "mongodb://db.example:27018"),
        ({"host": "a.example:1,b.example:2", "port": 27017}, "mongodb://a.example:1,b.example:2"),
        ({"host": "shop.example", "extra": {"srv": True, "tls": True}}, "mongodb+srv://shop.example"),
        ({"host": "mongodb+srv://shop.example"}, "mongodb+srv://shop.example"),
    ],
)
def test_the_address_of_a_connection(fields: dict[str, Any], address: str) -> None:
    connection = SourceConnection("shop", login="ann", password=SecretStr("pw"), **fields)
    options = client_options(connection)
    assert (options["host"], options["username"], options["password"]) == (address, "ann", "pw")
    assert options.get("tls") == connection.extra.get("tls")
    assert "srv" not in options


@pytest.mark.parametrize("host", ["", "ann:pw@db.example"])
def test_a_connection_without_a_host_or_with_a_login_in_it_is_refused(host: str) -> None:
    with pytest.raises(ConfigurationError, match="connection 'shop' has") as error:
        client_options(SourceConnection("shop", host=host))
    assert "pw" not in str(error.value)


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (OperationFailure("Authentication failed., full error: {...}", 18), ConfigurationError, "it may not be read: "),
        (OperationFailure("not authorized on shop", 13), ConfigurationError, "it may not be read: not authorized"),
        (OperationFailure("Sort exceeded memory limit", 292), ConfigurationError, "it cannot be read: Sort exceeded"),
        (OperationFailure("cursor id 7 not found", 43), SourceAwayError, "it: cursor id 7 not found"),
        (AutoReconnect("connection closed"), SourceAwayError, "it cannot be reached: connection closed"),
        (
            ServerSelectionTimeoutError("refused, Timeout: 1s, Topology"),
            SourceAwayError,
            "it cannot be reached: refused",
        ),
        (BadOption("Unknown option: colour"), ConfigurationError, "it cannot be read: Unknown option"),
        (InvalidBSON("bad eoo"), ConfigurationError, "it cannot be read: bad eoo"),
    ],
)
def test_an_error_says_whether_to_wait_or_to_change_something(
    error: Exception, kind: type[Exception], text: str
) -> None:
    with pytest.raises(kind) as found, translated("it"):
        raise error
    assert str(found.value).startswith(text)
    assert type(found.value) is kind
    assert "full error" not in str(found.value)
    assert "Topology" not in str(found.value)


def test_another_error_of_the_client_is_not_hidden() -> None:
    with pytest.raises(PyMongoError, match="a mistake of ours"), translated("it"):
        raise PyMongoError("a mistake of ours")
