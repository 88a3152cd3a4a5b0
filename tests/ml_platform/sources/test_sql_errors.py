"""A database that is away is waited for; what a person must change is said once, without the password."""

import sqlite3
from typing import Any

import pytest
import sqlalchemy as sa

from ml_platform.exceptions import ConfigurationError, PlatformError, SourceAwayError
from ml_platform.sources.sql_errors import translated


class PostgresError(Exception):
    def __init__(self, text: str, sqlstate: str | None) -> None:
        super().__init__(text)
        self.sqlstate = sqlstate


def sqlite_error(name: str) -> sqlite3.Error:
    error = sqlite3.OperationalError("it says so")
    error.sqlite_errorname = name
    return error


def wrap(cause: Exception, kind: type[sa.exc.DBAPIError] = sa.exc.OperationalError) -> sa.exc.DBAPIError:
    return kind("SELECT 1", {}, cause)


AWAY = [
    wrap(PostgresError("connection failed: Connection refused", None)),
    wrap(PostgresError("FATAL:  the database system is starting up", None)),
    wrap(PostgresError("terminating connection due to administrator command", "57P01")),
    wrap(PostgresError("too many", "53300")),
    wrap(Exception(2003, "Can't connect to MySQL server")),
    wrap(Exception(2013, "Lost connection to MySQL server during query")),
    wrap(sqlite_error("SQLITE_BUSY")),
    wrap(sqlite_error("SQLITE_IOERR_READ")),
    wrap(Exception("whatever another driver says")),
]
MISTAKES = [
    wrap(PostgresError('FATAL:  password authentication failed for user "a"', None)),
    wrap(PostgresError('FATAL:  database "x" does not exist', None)),
    wrap(PostgresError("no password supplied", None)),
    wrap(PostgresError("cannot execute nextval() in a read-only transaction", "25006"), sa.exc.InternalError),
    wrap(PostgresError("division by zero", "22012"), sa.exc.DataError),
    wrap(Exception(1045, "Access denied for user")),
    wrap(Exception(1054, "Unknown column")),
    wrap(Exception(1146, "no table"), sa.exc.ProgrammingError),
    wrap(sqlite_error("SQLITE_ERROR")),
    wrap(sqlite_error("SQLITE_CANTOPEN")),
    wrap(Exception("no such table"), sa.exc.ProgrammingError),
    sa.exc.CompileError("this dialect has no OFFSET"),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
]


def translate(error: Exception, secret: str = "") -> PlatformError:
    with pytest.raises(PlatformError) as caught, translated("table claims", "warehouse", secret):
        raise error
    return caught.value


@pytest.mark.parametrize("error", AWAY, ids=str)
def test_a_server_that_is_away(error: Exception) -> None:
    found = translate(error)
    assert isinstance(found, SourceAwayError)
    assert str(found).startswith("table claims (connection 'warehouse'): its database cannot be reached: ")


@pytest.mark.parametrize("error", MISTAKES, ids=str)
def test_a_mistake(error: Exception) -> None:
    found = translate(error)
    assert isinstance(found, ConfigurationError)
    assert "table claims (connection 'warehouse')" in str(found)


def test_the_text_has_one_line_and_no_password() -> None:
    cause: Any = PostgresError("no such column\nLINE 1: ... and s3cret", "42703")
    assert "LINE" not in str(translate(wrap(cause)))
    assert "s3cret" not in str(translate(wrap(PostgresError("s3cret was refused", "28P01")), "s3cret"))
    assert translate(wrap(cause)).__cause__ is None
