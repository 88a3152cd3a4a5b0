"""The URL of a database comes from the fields of an Airflow connection; a mistake is named without the password."""

from importlib import import_module
from typing import Any

import pytest
from pydantic import SecretStr

from ml_platform.exceptions import ConfigurationError
from ml_platform.sources import sql_engine
from ml_platform.sources.connection import SourceConnection
from ml_platform.sources.sql_engine import open_engine

SECRET = "p@ss:/word"


def connection(kind: str, **fields: Any) -> SourceConnection:
    defaults = {"host": "db.example.org", "login": "reader", "password": SecretStr(SECRET), "schema": "shop"}
    return SourceConnection("warehouse", kind, **(defaults | fields))


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        ("postgres", "postgresql+psycopg://reader:p%40ss%3A%2Fword@db.example.org:5433/shop"),
        ("mysql", "mysql+pymysql://reader:p%40ss%3A%2Fword@db.example.org:5433/shop"),
        ("mariadb", "mariadb+pymysql://reader:p%40ss%3A%2Fword@db.example.org:5433/shop"),
    ],
)
def test_url_of_the_fields(kind: str, url: str) -> None:
    engine = open_engine(connection(kind, port=5433))
    assert engine.url.render_as_string(hide_password=False) == url
    assert SECRET not in repr(engine)


def test_url_of_a_file(tmp_path) -> None:
    for fields in ({"host": "/a b/c?.db", "schema": ""}, {"host": "", "schema": "/a b/c?.db"}):
        assert open_engine(connection("sqlite", **fields)).url.database == "file:/a%20b/c%3F.db"


def test_any_other_url() -> None:
    extra = {"sqlalchemy_url": "postgresql+psycopg2://db.example.org/other?sslmode=require"}
    url = open_engine(connection("generic", extra=extra)).url
    assert (url.drivername, url.username, url.password, url.database) == (
        *("postgresql+psycopg2", "reader", SECRET, "other"),
    )
    assert (
        open_engine(connection("generic", login="", extra={"sqlalchemy_url": "sqlite:////x.db"})).url.password is None
    )


def test_options_of_the_driver_come_from_extra() -> None:
    options = sql_engine._from_extra(connection("postgres", extra={"sslmode": "verify-full", "cursor": "x"}), "psycopg")
    assert options == {"sslmode": "verify-full"}


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"kind": "http"}, "has the type 'http'; allowed are connections of the types mariadb, mssql, mysql, oracle"),
        ({"kind": "sqlite", "host": "", "schema": ""}, "names no file; its host is the path of the SQLite file"),
        ({"kind": "generic", "extra": {"sqlalchemy_url": "no url"}}, "is no URL; allowed are"),
        ({"kind": "generic", "extra": {"sqlalchemy_url": "postgresql://a:s3cret@b/c"}}, "has a password, which"),
        ({"kind": "generic", "extra": {"sqlalchemy_url": "nosuch://b/c"}}, "SQLAlchemy knows no 'nosuch'; allowed"),
        ({"kind": "oracle"}, "needs the package oracledb, which is not installed: pip install oracledb"),
    ],
)
def test_mistakes(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigurationError, match="the Airflow connection 'warehouse'") as caught:
        open_engine(connection(**fields))
    assert problem in str(caught.value)
    assert SECRET not in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_the_extra_of_a_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise ModuleNotFoundError("No module named 'pymysql'", name="pymysql")

    dialect: Any = import_module("sqlalchemy.dialects.mysql.pymysql").MySQLDialect_pymysql
    monkeypatch.setattr(dialect, "import_dbapi", refuse)
    with pytest.raises(ConfigurationError, match=r"pip install 'ml-platform\[sql\]'"):
        open_engine(connection("mysql"))
