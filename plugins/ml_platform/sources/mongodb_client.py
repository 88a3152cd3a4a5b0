"""The client of MongoDB: its options from a connection, and its errors in the platform's words."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bson import CodecOptions
from bson.codec_options import DatetimeConversion
from bson.errors import BSONError
from pymongo.errors import ConfigurationError as BadOption
from pymongo.errors import ConnectionFailure, InvalidName, InvalidURI, OperationFailure, PyMongoError

from ml_platform.exceptions import ConfigurationError, SourceAwayError
from ml_platform.sources.connection import SourceConnection

Document = dict[str, Any]
OPTIONS = {"appname": "ml-platform", "serverSelectionTimeoutMS": 10_000, "socketTimeoutMS": 60_000}
CODECS: CodecOptions[Document] = CodecOptions(
    tz_aware=True,
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
    unicode_decode_error_handler="surrogateescape",  # one such text rejects its row, not all documents of a batch
)
REFUSED = {11, 13, 18, 8000}  # no such user, no right, wrong password, Atlas' own
MISTAKES = {
    2,
    9,
    14,
    59,
    72,
    73,
    238,
    292,
}  # such as a bad value, namespace or option; a sort that takes too much memory


def client_options(connection: SourceConnection) -> dict[str, Any]:
    """Return the arguments of pymongo's client: the fields of a connection, and what is in its extra.

    Raises:
        ConfigurationError: the connection has no host, or its host contains a login.
    """
    host, extra = connection.host, dict(connection.extra)
    if not host or "@" in host:
        problem = "has a login in its host; put it into login and password" if host else "has no host"
        raise ConfigurationError(f"the Airflow connection {connection.name!r} {problem}")
    srv = extra.pop("srv", False)
    scheme = "" if "://" in host else "mongodb+srv://" if srv else "mongodb://"
    port = f":{connection.port}" if connection.port and ":" not in host else ""
    options: dict[str, Any] = {"host": f"{scheme}{host}{port}"}
    if connection.login:
        options |= {"username": connection.login, "password": connection.password.get_secret_value()}
    return OPTIONS | options | extra


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Translate pymongo's exceptions into the platform's; `where` names the collection and the connection."""
    try:
        yield
    except OperationFailure as error:
        if error.code in REFUSED:
            raise ConfigurationError(f"{where} may not be read: {_reason(error)}") from error
        if error.code in MISTAKES:
            raise ConfigurationError(f"{where} cannot be read: {_reason(error)}") from error
        raise SourceAwayError(f"{where}: {_reason(error)}") from error
    except ConnectionFailure as error:
        raise SourceAwayError(f"{where} cannot be reached: {_reason(error)}") from error
    except (BadOption, InvalidURI, InvalidName, BSONError) as error:
        raise ConfigurationError(f"{where} cannot be read: {error}") from error


def _reason(error: PyMongoError) -> str:
    """Return the text of an error without the state of the whole cluster, or a copy of the server's answer."""
    return str(error).split(", Timeout: ")[0].split(", full error: ")[0]
