"""A database may be away, refuse, or end in the middle, and a pull may be killed: no row is lost or loaded twice."""

import gc
import io
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from ml_platform.exceptions import ConfigurationError, SourceAwayError
from ml_platform.sources.pull import pull
from ml_platform.sources.reader import Range
from ml_platform.sources.status import status_of
from tests.ml_platform.ingestion.upload_cases import rows_in
from tests.ml_platform.sources.source_cases import accounted, feed_of, kill_pulls
from tests.ml_platform.sources.sql_cases import claim, content, insert, reader_of, rows_of, source
from tests.ml_platform.sources.sql_servers import Foreign, MariaDB

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]

KILLS = int(os.environ.get("KILLS", "3"))
TIMED = {"event_time": "AT", "columns": {"AT": "timestamp"}}
ALL = Range("", "", "1000000000")


@pytest.fixture(params=["warehouse", "maria"])
def server(request: pytest.FixtureRequest) -> Foreign:
    """A database with a login."""
    found: Foreign = request.getfixturevalue(request.param)
    return found


def test_a_server_that_is_away_is_waited_for(server: Foreign, no_rest: list[float], closed_port: int) -> None:
    feed = feed_of(source())
    away = server.connected_as(port=closed_port)
    assert "table claims (connection 'warehouse'): its database cannot be" in pull(feed, away, by="a test").away
    status = status_of(feed)
    assert status is not None
    assert "cannot be reached" in str(status.problem)
    insert(server, [claim(1)])
    assert pull(feed, server.connection, by="a test").landed == 1
    status = status_of(feed)
    assert status is not None
    assert status.problem is None


@pytest.mark.parametrize(
    ("fields", "options", "problem"),
    [
        (
            {"password": SecretStr("not this one")},
            {},
            "check host, login, password and schema of the Airflow connection",
        ),
        ({"schema": "nosuch"}, {}, "check host, login, password and schema of the Airflow connection"),
        ({}, {"table": "nosuch"}, "nosuch.*`source` needs a table, or one SELECT, that this login may read"),
        ({}, {"watermark": "nosuch"}, "nosuch.*with the column that `watermark` names"),
        ({}, {"query": "DELETE FROM claims"}, "`source` needs a table, or one SELECT"),
        ({}, {"query": "SELECT claim_id, 1 AS a, 2 AS a FROM claims"}, "(?i)duplicate column name|names a twice"),
        ({}, {"query": "SELECT claim_id, 1 AS _fault FROM claims"}, "has the reserved name _fault"),
    ],
)
def test_a_mistake_is_named(server: Foreign, fields: dict[str, Any], options: dict[str, Any], problem: str) -> None:
    feed, connection = feed_of(source(**options)), server.connected_as(**fields)
    with pytest.raises(ConfigurationError, match=problem) as caught:
        pull(feed, connection, by="a test")
    assert "(connection 'warehouse')" in str(caught.value)
    for text in (str(caught.value), str(status_of(feed))):
        assert connection.password.get_secret_value() not in text


@pytest.mark.parametrize(("path", "problem"), [("nosuch.db", "unable to open"), ("text.db", "file is not a database")])
def test_a_file_that_is_no_database(lite: Foreign, tmp_path: Path, path: str, problem: str) -> None:
    (tmp_path / "text.db").write_text("some text" * 1_000)
    connection = lite.connected_as(host=str(tmp_path / path))
    with reader_of(lite, connection) as reader, pytest.raises(ConfigurationError, match=problem) as caught:
        reader.positions()
    assert "the host of the Airflow connection is the path of a SQLite file" in str(caught.value)
    assert not (tmp_path / "nosuch.db").exists()


class Trap(io.BytesIO):
    """A file that calls a function once it has some bytes."""

    def __init__(self, spring: Callable[[], None]) -> None:
        super().__init__()
        self._spring: Callable[[], None] | None = spring

    def write(self, data: Any) -> int:
        if self.tell() > 10_000 and (spring := self._spring):
            self._spring = None
            spring()
        return super().write(data)


def noise(count: int) -> list[dict[str, Any]]:
    """Return rows that neither compression nor buffers of a network make small."""
    chance = random.Random(3)  # noqa: S311 – no secret
    return [claim(number, NOTE=chance.randbytes(1_000).hex()) for number in range(count)]


# psycopg cannot close a cursor whose connection is lost, and complains when it is deleted
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_session_that_ends_in_the_middle(warehouse: Foreign) -> None:
    insert(warehouse, noise(20_000))
    others = "pid <> pg_backend_pid() AND datname = current_database()"
    end = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}"
    with reader_of(warehouse) as reader:
        with pytest.raises(SourceAwayError, match="connection 'warehouse'"):
            reader.read(ALL, Trap(lambda: warehouse.run(end)))
        assert len(rows_of(content(reader, ALL))) == 20_000
    gc.collect()


def test_a_server_that_is_killed_in_the_middle(
    maria: Foreign, mariadb: MariaDB, caplog: pytest.LogCaptureFixture
) -> None:
    insert(maria, noise(20_000))
    with reader_of(maria) as reader:
        try:
            with pytest.raises(SourceAwayError, match="connection 'warehouse'"):
                reader.read(ALL, Trap(mariadb.kill))
            with pytest.raises(SourceAwayError, match="connection 'warehouse'"):
                reader.positions()
        finally:
            mariadb.kill()
            mariadb.start()
        assert len(rows_of(content(reader, ALL))) == 20_000
    gc.collect()


@pytest.mark.prove  # the gate kills pulls of a topic
def test_killed_pulls_lose_nothing_and_bring_nothing_twice(
    warehouse: Foreign, no_rest: list[float], record_property: Callable[[str, object], None]
) -> None:
    feed = feed_of(source(max_rows=500, settle="1s"), **TIMED)

    def arrive(attempt: int) -> None:
        numbers = range(2_000 * attempt, 2_000 * (attempt + 1))
        insert(warehouse, (claim(number, COUNT=11 if number % 100 == 0 else 3) for number in numbers))

    killed = kill_pulls(feed, warehouse.connection, KILLS, arrive)
    record_property("tried", killed)
    assert accounted(feed) == (KILLS * 1_980, KILLS * 20)
    assert rows_in("features", feed.table, 'count(*), count(DISTINCT "ID")') == [(KILLS * 1_980,) * 2]
    assert killed > KILLS / 2
