"""A range is committed before it is read, and lands once, also when several pulls read it or one is killed."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ml_platform.exceptions import ServiceError
from ml_platform.sources import ranges
from ml_platform.sources.pull import pull
from ml_platform.sources.ranges import Feed
from ml_platform.storage import object_store
from ml_platform.storage.database import fetch
from tests.ml_platform.ingestion.upload_cases import csv_bytes, many, rows_in
from tests.ml_platform.sources.source_cases import (
    accounted,
    feed_of,
    kill_pulls,
    load_all,
)

pytestmark = pytest.mark.servers

KILLS = int(os.environ.get("KILLS", "3"))


@pytest.fixture
def feed(bucket: str) -> Feed:
    return feed_of({"kind": "s3", "connection": "partner", "bucket": bucket})


def landed_keys(feed: Feed) -> list[str]:
    return [version.key for version in object_store.list_objects("train", f"train_{feed.table.name}")]


def test_the_file_of_a_pull_that_died_before_it_was_recorded_is_found(
    feed, partner, bucket, client, monkeypatch
) -> None:
    client.put_object(Bucket=bucket, Key="a.csv", Body=many(3))
    with monkeypatch.context() as patch:
        patch.setattr(ranges, "record_landing", fail)
        with pytest.raises(ServiceError):
            pull(feed, partner, by="a test")
    assert len(landed_keys(feed)) == 1
    assert pull(feed, partner, by="a test").landed == 1
    assert len(landed_keys(feed)) == 1
    assert [report["outcome"] for report in load_all(feed)] == ["loaded"]


def test_it_is_found_also_after_it_was_loaded(feed, partner, bucket, client, monkeypatch) -> None:
    """A table may have changed since: the range must not come a second time with other bytes."""
    client.put_object(Bucket=bucket, Key="a.csv", Body=many(3))
    with monkeypatch.context() as patch:
        patch.setattr(ranges, "record_landing", fail)
        with pytest.raises(ServiceError):
            pull(feed, partner, by="a test")
    load_all(feed)
    assert pull(feed, partner, by="a test").landed == 1
    assert landed_keys(feed) == []


def fail(*_: Any) -> None:
    raise ServiceError("killed here")


def test_of_several_pulls_at_once_one_lands_each_range(feed, partner, bucket, client) -> None:
    for number in range(4):
        client.put_object(Bucket=bucket, Key=f"{number}.csv", Body=csv_bytes({"ID": str(number)}))
    start = threading.Barrier(3)

    def one(_: int) -> None:
        start.wait()
        pull(feed, partner, by="a test")

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(one, range(3)))
    assert [report["outcome"] for report in load_all(feed)] == ["loaded"] * 4
    assert fetch("SELECT count(*), count(landed_at) FROM sources.ranges WHERE dataset = $1", feed.table.name) == [
        (4, 4)
    ]


@pytest.mark.prove  # the gate kills those of a topic
def test_killed_pulls_lose_nothing_and_bring_nothing_twice(feed, partner, bucket, client, record_property) -> None:
    def arrive(attempt: int) -> None:
        for part in range(3):
            body = csv_bytes(*({"ID": str(attempt * 30 + part * 10 + i)} for i in range(10)))
            client.put_object(Bucket=bucket, Key=f"{attempt}-{part}.csv", Body=body)

    killed = kill_pulls(feed, partner, KILLS, arrive)
    record_property("tried", killed)
    assert accounted(feed) == (KILLS * 30, 0)
    assert rows_in("features", feed.table) == KILLS * 30
    assert killed > KILLS / 2
