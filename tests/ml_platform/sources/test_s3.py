"""Objects of a bucket of others are copied in, each version once, and stay as they are; on a real object store."""

from typing import Any

import pytest

from ml_platform.exceptions import ConfigurationError
from ml_platform.sources import ranges
from ml_platform.sources.opening import open_source
from ml_platform.sources.pull import pull, read_again
from ml_platform.sources.ranges import Feed
from ml_platform.sources.status import status_of
from ml_platform.storage.database import fetch, transaction
from tests.ml_platform.ingestion.upload_cases import csv_bytes, many, rows_in
from tests.ml_platform.sources.source_cases import (
    feed_of,
    load_all,
    no_login,
    pull_and_load,
    s3_connection,
)

pytestmark = pytest.mark.servers


def source(bucket: str, **options: Any) -> dict[str, Any]:
    return {"kind": "s3", "connection": "partner", "bucket": bucket, "prefix": "daily/", **options}


def put(client: Any, bucket: str, key: str, data: bytes) -> None:
    client.put_object(Bucket=bucket, Key=key, Body=data)


def test_each_object_is_loaded_once_and_stays(partner, bucket, client) -> None:
    feed = feed_of(source(bucket, pattern="*.csv"))
    put(client, bucket, "daily/a b.csv", many(3))
    put(client, bucket, "daily/2026/c.csv", csv_bytes({"ID": "9"}))
    put(client, bucket, "daily/notes.txt", b"not these")
    put(client, bucket, "other/d.csv", b"nor these")
    reports = pull_and_load(feed, partner)
    assert sorted(report["rows_loaded"] for report in reports) == [1, 3]
    assert pull_and_load(feed, partner) == []
    assert rows_in("features", feed.table) == 4
    keys = [entry["Key"] for entry in client.list_objects_v2(Bucket=bucket)["Contents"]]
    assert keys == ["daily/2026/c.csv", "daily/a b.csv", "daily/notes.txt", "other/d.csv"]
    assert all(report["key"].startswith(f"train_{feed.table.name}.s3-") for report in reports)


def test_a_replaced_object_is_a_new_file_and_a_copied_one_the_same_bytes(partner, bucket, client) -> None:
    feed = feed_of(source(bucket))
    put(client, bucket, "daily/a.csv", many(3))
    pull_and_load(feed, partner)
    put(client, bucket, "daily/a.csv", many(5))
    put(client, bucket, "daily/copy.csv", many(3))
    reports = pull_and_load(feed, partner)
    assert sorted((report["outcome"], report["rows_loaded"]) for report in reports) == [("duplicate", 0), ("loaded", 2)]


def test_a_broken_object_is_rejected_as_if_it_had_been_dropped(partner, bucket, client) -> None:
    feed = feed_of(source(bucket))
    put(client, bucket, "daily/few.csv", csv_bytes({"ID": "1"}, {"ID": "x"}, {"ID": "y"}))
    (report,) = pull_and_load(feed, partner)
    assert report["outcome"] == "rejected"  # a share of bad rows that the spec does not allow


def test_what_is_there_at_the_start_can_be_left(partner, bucket, client) -> None:
    feed = feed_of(source(bucket, start="now"))
    put(client, bucket, "daily/old.csv", many(3))
    assert pull_and_load(feed, partner) == []
    put(client, bucket, "daily/new.csv", csv_bytes({"ID": "7"}))
    assert [report["rows_loaded"] for report in pull_and_load(feed, partner)] == [1]


def test_an_object_is_read_again_on_request(partner, bucket, client) -> None:
    feed = feed_of(source(bucket))
    put(client, bucket, "daily/a.csv", many(3))
    pull_and_load(feed, partner)
    (key,) = read_again(feed, partner, ("daily/a.csv", "", ""), by="ann", reason="withdrawn by mistake")
    (report,) = load_all(feed)
    assert (report["key"], report["outcome"]) == (key, "duplicate")
    assert ".again2." in key
    with pytest.raises(ConfigurationError, match=r"has no 'daily/b\.csv'"):
        read_again(feed, partner, ("daily/b.csv", "", ""), by="ann", reason="")


def test_a_source_that_is_away_is_waited_for_and_its_problem_is_recorded(
    servers, partner, bucket, client, closed_port
) -> None:
    feed = feed_of(source(bucket))
    away = s3_connection(servers, extra={**partner.extra, "endpoint_url": f"http://127.0.0.1:{closed_port}"})
    assert "connection 'partner'" in pull(feed, away, by="a test").away
    status = status_of(feed)
    assert status is not None
    assert "cannot be reached" in str(status.problem)
    put(client, bucket, "daily/a.csv", many(1))
    pull(feed, partner, by="a test")
    status = status_of(feed)
    assert status is not None
    assert (status.problem, status.lag, status.files) == (None, 0, 1)


@pytest.mark.parametrize("mistake", ["bucket", "login"])
def test_a_mistake_is_named_with_the_connection(partner, bucket, mistake: str) -> None:
    feed = feed_of(source("no-such-bucket" if mistake == "bucket" else bucket))
    connection = no_login(partner) if mistake == "login" else partner
    with pytest.raises(ConfigurationError, match="connection 'partner'"):
        pull(feed, connection, by="a test")
    problem = fetch("SELECT problem FROM sources.status WHERE dataset = $1", feed.table.name)
    assert "not this one" not in problem[0][0]


def test_an_object_that_is_replaced_while_it_is_read_lands_as_its_newer_version(partner, bucket, client) -> None:
    feed: Feed = feed_of(source(bucket))
    put(client, bucket, "daily/a.csv", many(3))
    with open_source(feed.source, partner) as reader, transaction() as cursor:
        part = reader.next_range("daily/a.csv", "", reader.positions()["daily/a.csv"])
        assert part is not None
        ranges.plan(cursor, feed, [(part, feed.object_key(reader.file_name(part)))], by="a test")
    put(client, bucket, "daily/a.csv", many(4))
    reports = pull_and_load(feed, partner)
    assert [report["rows_loaded"] for report in reports] == [4]
    notes = fetch("SELECT unnest(notes) FROM sources.ranges WHERE dataset = $1", feed.table.name)
    assert notes == [("'daily/a.csv' was replaced or removed before it was read",)]
