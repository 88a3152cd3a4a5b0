"""The table of the demo, in a real Postgres."""

from itertools import islice
from typing import TYPE_CHECKING

import pytest

from ml_platform.commands.demo.sample_source import sample_rows
from ml_platform.commands.demo.sample_sql import SqlSample
from ml_platform.exceptions import ConfigurationError, ServiceError
from tests.ml_platform.commands.demo.sample_cases import connection_of, rows_read

if TYPE_CHECKING:
    from stack.config import Config


@pytest.fixture
def table(servers: "Config") -> SqlSample:
    """A table that is not there yet."""
    source = SqlSample(servers, "penguins")
    source._psql("DROP SCHEMA IF EXISTS demo CASCADE;")
    return source


@pytest.mark.servers
def test_the_key_of_a_row_is_its_number(table: SqlSample) -> None:
    assert table.count() == 0
    table.add(0, islice(sample_rows(table.path), 100))
    assert table.fill() == 124
    assert table.fill() == 0
    assert rows_read(table, connection_of(table)) == list(sample_rows(table.path))


@pytest.mark.servers
def test_any_sample_fits_and_any_text(table: SqlSample, tmp_path) -> None:
    table.path = tmp_path / "a.csv"
    table.path.write_text('"the ""id""",a.b\n"\\.",NULL\n"two\nlines",\n,ä\n', encoding="utf-8")
    assert table.fill() == 3
    assert rows_read(table, connection_of(table)) == list(sample_rows(table.path))


@pytest.mark.servers
def test_tasks_may_read_the_table_and_change_nothing(table: SqlSample, servers: "Config") -> None:
    assert table.fill() == 224
    refused = "SET ROLE reader; SET default_transaction_read_only = off; DELETE FROM demo.penguins;"
    with pytest.raises(ServiceError, match="permission denied for table penguins"):
        table._psql(refused)
    hidden = SqlSample(servers, "auto")
    hidden._psql("CREATE TABLE demo.auto (id bigint)")
    with pytest.raises(ConfigurationError, match="permission denied"):
        rows_read(hidden, connection_of(hidden))


@pytest.mark.servers
def test_rows_are_added_all_or_none(table: SqlSample) -> None:
    rows = list(islice(sample_rows(table.path), 10))
    assert table.count() == 0
    with pytest.raises(ServiceError, match=r"the table demo\.penguins .* cannot be filled: .*extra data"):
        table.add(0, [*rows, rows[0] | {"more": "1"}])
    assert table.count() == 0


def test_tasks_reach_the_database_of_the_stack(config) -> None:
    source = SqlSample(config, "penguins")
    found = connection_of(source)
    assert (found.host, found.port, found.login, found.schema) == (
        "127.0.0.1", config.postgres_port, "reader", "platform",
    )  # fmt: skip
    assert source.spec["connection"] == found.name
    source.config = config.model_copy(update={"target": "compose"})
    assert (connection_of(source).host, connection_of(source).port) == ("postgres", 5432)
