"""The engine of a source in a database: its URL from an Airflow connection, and sessions that only read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from ml_platform.exceptions import ConfigurationError
from ml_platform.sources.connection import SourceConnection
from ml_platform.sources.sql_mysql import release_result

URL = "sqlalchemy_url"  # the key in `extra` that names any other URL
DRIVERS = {
    "postgres": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
    "mssql": "mssql+pymssql",
    "oracle": "oracle+oracledb",
}
OUR_DRIVERS = {"pymysql"}  # of the extra `sql`
KEEPALIVE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 60_000}
ARGUMENTS: Mapping[str, Mapping[str, Any]] = {  # by driver
    "psycopg": {"connect_timeout": 10, "application_name": "ml-platform", **KEEPALIVE},
    "psycopg2": {"connect_timeout": 10, "application_name": "ml-platform", **KEEPALIVE},
    "pymysql": {"connect_timeout": 10, "read_timeout": 600, "charset": "utf8mb4"},
    "pysqlite": {"timeout": 30},
}
_LIBPQ = {"sslmode", "sslcert", "sslkey", "sslrootcert", "sslcrl", "channel_binding", "target_session_attrs"}
FROM_EXTRA = {  # keys of `extra` that the driver gets as they are
    "psycopg": _LIBPQ,
    "psycopg2": _LIBPQ,
    "pymysql": {"ssl", "ssl_ca", "ssl_cert", "ssl_key", "ssl_verify_cert", "ssl_verify_identity", "unix_socket"},
}
_MYSQL = ("SET SESSION TRANSACTION READ ONLY", "SET SESSION time_zone = '+00:00'")
SESSIONS = {  # by dialect: read only, and the same text for the same value whatever the server's settings are
    "postgresql": (
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
        "SET TIME ZONE 'UTC'",
        "SET datestyle = 'ISO'",
        "SET intervalstyle = 'postgres'",
        "SET extra_float_digits = 1",
        "SET bytea_output = 'hex'",
    ),
    "mysql": _MYSQL,
    "mariadb": _MYSQL,
    "sqlite": ("PRAGMA query_only = ON",),
    "oracle": ("ALTER SESSION SET TIME_ZONE = 'UTC'",),
}


def open_engine(connection: SourceConnection) -> sa.Engine:
    """Return an engine with one connection, which is opened at first use and again after it was lost.

    Raises:
        ConfigurationError: the connection names no database that SQLAlchemy can read, or its driver is not installed.
    """
    url = _url(connection)
    try:
        driver = url.get_dialect()().driver
        arguments = {**ARGUMENTS.get(driver, {}), **_from_extra(connection, driver)}
        engine = sa.create_engine(url, connect_args=arguments, pool_size=1, pool_pre_ping=True, hide_parameters=True)
    except sa.exc.NoSuchModuleError:
        raise ConfigurationError(f"{_where(connection)}: SQLAlchemy knows no {url.drivername!r}; {_ALLOWED}") from None
    except ModuleNotFoundError as error:
        name = error.name or ""
        package = "'ml-platform[sql]'" if name in OUR_DRIVERS else name
        raise ConfigurationError(
            f"{_where(connection)} needs the package {name}, which is not installed: pip install {package}"
        ) from error
    sa.event.listen(engine, "connect", _begin_session(engine.dialect.name))
    if driver == "pymysql":
        sa.event.listen(engine, "invalidate", release_result)
    return engine


_ALLOWED = (
    f"allowed are connections of the types {', '.join(sorted(DRIVERS))} and sqlite, and others with a URL such as "
    f'{{"{URL}": "oracle+oracledb://host:1521/?service_name=sales"}} in `extra`'
)


def _where(connection: SourceConnection) -> str:
    return f"the Airflow connection {connection.name!r}"


def _url(connection: SourceConnection) -> sa.URL:
    if URL in connection.extra:
        return _named_url(connection)
    if connection.kind == "sqlite":
        return _sqlite(connection)
    if connection.kind not in DRIVERS:
        raise ConfigurationError(f"{_where(connection)} has the type {connection.kind!r}; {_ALLOWED}")
    return sa.URL.create(
        DRIVERS[connection.kind],
        username=connection.login or None,
        password=connection.password.get_secret_value() or None,
        host=connection.host or None,
        port=connection.port,
        database=connection.schema or None,
    )


def _named_url(connection: SourceConnection) -> sa.URL:
    """Return the URL in `extra`, with login and password of the connection's own fields, which Airflow masks."""
    try:
        url = sa.make_url(str(connection.extra[URL]))
    except (sa.exc.ArgumentError, ValueError):
        raise ConfigurationError(f"{_where(connection)}: {URL} in `extra` is no URL; {_ALLOWED}") from None
    if url.password is not None:
        raise ConfigurationError(
            f"{_where(connection)}: {URL} in `extra` has a password, which Airflow would show; put it into the field "
            "of the password"
        )
    password = connection.password.get_secret_value() or None
    return url.set(username=connection.login or url.username, password=password) if connection.login else url


def _sqlite(connection: SourceConnection) -> sa.URL:
    """Return the URL of a file that must exist, and is opened for reading only."""
    path = connection.host or connection.schema
    if not path:
        raise ConfigurationError(f"{_where(connection)} names no file; its host is the path of the SQLite file")
    name = f"file:{quote(str(Path(path).absolute()))}"
    return sa.URL.create("sqlite", database=name, query={"mode": "ro", "uri": "true"})


def _from_extra(connection: SourceConnection, driver: str) -> dict[str, Any]:
    allowed = FROM_EXTRA.get(driver, set())
    return {key: value for key, value in connection.extra.items() if key in allowed}


def _begin_session(dialect: str) -> Any:
    def begin(connection: Any, _: object) -> None:
        if dialect == "sqlite":
            connection.text_factory = _text
        cursor = connection.cursor()
        for statement in SESSIONS.get(dialect, ()):
            cursor.execute(statement)
        cursor.close()
        connection.commit()

    return begin


def _text(data: bytes) -> str:
    """Return a text of SQLite, which need not be UTF-8: such bytes are kept, and reject the one value later."""
    return data.decode("utf-8", "surrogateescape")
