"""Errors of databases in the platform's terms: a server that is away, or something that a person must change."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from ml_platform.exceptions import ConfigurationError, SourceAwayError

LOGIN = "check host, login, password and schema of the Airflow connection"
QUERY = "`source` needs a table, or one SELECT, that this login may read, with the column that `watermark` names"
# What Postgres says when it answers and will soon take connections again; these errors have no code.
BUSY = re.compile("starting up|shutting down|too many|connection slots|recovery|not yet accepting|terminating")
REFUSED_STATES = ("28", "3D")  # SQLSTATE: invalid login, no such database
MISTAKE_STATES = ("0A", "22", "25", "42")  # not supported, invalid value, read only, syntax or rights
MYSQL_REFUSED = {1044, 1045, 1049, 1130, 1227, 1251, 1698, 1820, 1862, 2026, 2059, 2061, 4151}
# full, shutting down, its host is blocked, the network fails, a lock or a query takes too long, killed
MYSQL_AWAY = {
    1040,
    1041,
    1042,
    1043,
    1053,
    1077,
    1078,
    1079,
    1129,
    1135,
    1203,
    1205,
    1213,
    1226,
    1317,
    1927,
    1969,
    3024,
}
MYSQL_AWAY |= {*range(1152, 1162), *range(2000, 3000)}  # from 2000 the client says so
SQLITE_AWAY = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_IOERR", "SQLITE_PROTOCOL", "SQLITE_NOMEM")
WRONG_CLASSES = (sa.exc.ProgrammingError, sa.exc.DataError, sa.exc.NotSupportedError, sa.exc.IntegrityError)


@contextmanager
def translated(place: str, connection: str, secret: str) -> Iterator[None]:
    """Translate SQLAlchemy's exceptions; the text names what is read and the connection, and never the password.

    Args:
        place: what is read, such as: table claims.
        connection: name of the Airflow connection.
        secret: the password.
    """
    where = f"{place} (connection {connection!r})"
    try:
        yield
    except sa.exc.DBAPIError as error:
        reason = _reason(error.orig)
        reason = reason.replace(secret, "***") if secret else reason
        if hint := _mistake(error):
            raise ConfigurationError(f"{where} cannot be read: {reason}; {hint}") from None
        raise SourceAwayError(f"{where}: its database cannot be reached: {reason}") from None
    except sa.exc.SQLAlchemyError as error:
        raise ConfigurationError(f"{where} cannot be read: {str(error).splitlines()[0]}; {QUERY}") from None
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"{where} has a text that is not valid {error.encoding.upper()}: {error.reason}; correct it, or leave it "
            "out in a `query`"
        ) from None


def _reason(error: Any) -> str:
    """Return the first line of what the database says; drivers of MySQL put a number before it."""
    code = _mysql_code(error)
    text = str(error.args[1]) if code is not None and len(error.args) > 1 else str(error)
    return next((line.strip() for line in text.splitlines() if line.strip()), type(error).__name__)


def _mistake(error: sa.exc.DBAPIError) -> str:
    """Return what a person can do; empty if the server is away."""
    cause: Any = error.orig
    if (name := getattr(cause, "sqlite_errorname", None)) is not None:
        return "" if name.startswith(SQLITE_AWAY) else _sqlite_hint(name)
    if (code := _mysql_code(cause)) is not None:
        return _mysql_hint(code)
    state = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
    if state is not None:
        return LOGIN if state.startswith(REFUSED_STATES) else QUERY if state.startswith(MISTAKE_STATES) else ""
    if "FATAL:" in str(cause) or "no password supplied" in str(cause):  # Postgres, while it connects
        return "" if BUSY.search(str(cause)) else LOGIN
    return QUERY if isinstance(error, WRONG_CLASSES) else ""


def _sqlite_hint(name: str) -> str:
    cannot_open = name.startswith(("SQLITE_CANTOPEN", "SQLITE_NOTADB", "SQLITE_AUTH", "SQLITE_PERM"))
    return "the host of the Airflow connection is the path of a SQLite file" if cannot_open else QUERY


def _mysql_code(error: Any) -> int | None:
    arguments = getattr(error, "args", ())
    return arguments[0] if arguments and isinstance(arguments[0], int) else None


def _mysql_hint(code: int) -> str:
    if code in MYSQL_REFUSED:
        return LOGIN
    return "" if code in MYSQL_AWAY else QUERY
