"""`ml-platform sources` against real servers, as a user types it."""

from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from ml_platform.commands.main import app
from ml_platform.exceptions import ConfigurationError
from ml_platform.sources import status
from ml_platform.sources.connection import SourceConnection
from ml_platform.sources.pull import pull
from ml_platform.sources.ranges import Feed
from ml_platform.specs.catalog import Catalog
from ml_platform.specs.spec import Dataset
from tests.ml_platform.ingestion.upload_cases import make_dataset, many, new_name
from tests.ml_platform.sources.source_cases import feed_of, foreign_bucket, no_login, s3_client, s3_connection

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("servers")]


@pytest.fixture
def partner(servers) -> SourceConnection:
    return s3_connection(servers)


@pytest.fixture
def feed(partner: SourceConnection, monkeypatch: pytest.MonkeyPatch) -> Iterator[Feed]:
    with foreign_bucket(partner) as bucket:
        found = feed_of({"kind": "s3", "connection": "partner", "bucket": bucket})
        s3_client(partner).put_object(Bucket=bucket, Key="a.csv", Body=many(3))
        use(monkeypatch, found.table)  # type: ignore[arg-type]
        yield found


def use(monkeypatch: pytest.MonkeyPatch, *datasets: Dataset) -> None:
    monkeypatch.setattr(status, "catalog", lambda _: Catalog(datasets, (), ()))


def listed() -> list[str]:
    result: Any = CliRunner().invoke(app, ["sources", "list"], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout.splitlines()  # type: ignore[no-any-return]


def test_a_source_is_listed_with_position_and_lag(feed: Feed, partner: SourceConnection) -> None:
    title, line = listed()
    assert title.split() == "data set for source position newest lag looked at files rows".split()  # noqa: SIM905
    assert line.split() == [feed.table.name, "train", feed.source.origin, "never"]
    pull(feed, partner, by="a test")
    _, line = listed()
    assert line.count("1 objects, the newest of") == 2
    assert line.split()[-2:] == ["1", "0"]


def test_its_problem_is_listed(feed: Feed, partner: SourceConnection) -> None:
    with pytest.raises(ConfigurationError):
        pull(feed, no_login(partner), by="a test")
    *_, line = listed()
    assert line.startswith(f"{feed.table.name}, {feed.purpose}: the bucket ")
    assert "(connection 'partner') may not be read" in line


def test_without_a_source_it_says_where_to_read_about_one(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, make_dataset(new_name()))
    assert listed() == ["no YAML names a `source`; docs/sources.md describes it"]
