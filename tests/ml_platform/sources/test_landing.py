"""The landing of a range puts its file into the inbox once; on real servers."""

from typing import Any

import pytest

from ml_platform.sources import landing, ranges
from ml_platform.sources.opening import open_source
from ml_platform.sources.ranges import Feed
from ml_platform.storage import object_store
from ml_platform.storage.database import transaction
from tests.ml_platform.ingestion.upload_cases import many
from tests.ml_platform.sources.source_cases import feed_of, load_all

pytestmark = pytest.mark.servers


@pytest.fixture
def feed(bucket: str) -> Feed:
    return feed_of({"kind": "s3", "connection": "partner", "bucket": bucket})


def landed_keys(feed: Feed) -> list[str]:
    return [version.key for version in object_store.list_objects("train", f"train_{feed.table.name}")]


def test_a_range_rests_before_it_is_read(feed, partner, bucket, client, monkeypatch) -> None:
    """So that rows of transactions that began before can come."""
    client.put_object(Bucket=bucket, Key="a.csv", Body=many(1))
    rests: list[float] = []
    monkeypatch.setattr(landing.time, "sleep", rests.append)
    with open_source(feed.source, partner) as reader:
        reader.settle = 1000.0
        landing.land(feed, reader, planned_range(feed, reader))
    assert 900 < rests[0] <= 1000


def planned_range(feed: Feed, reader: Any) -> ranges.PlannedRange:
    with transaction() as cursor:
        part = reader.next_range("a.csv", "", reader.positions()["a.csv"])
        ranges.plan(cursor, feed, [(part, feed.object_key(reader.file_name(part)))], by="a test")
        (planned,) = ranges.waiting(cursor, feed)
    return planned


def test_what_another_pull_has_landed_meanwhile_is_left(feed, partner, bucket, client) -> None:
    client.put_object(Bucket=bucket, Key="a.csv", Body=many(3))
    with open_source(feed.source, partner) as reader:
        planned = planned_range(feed, reader)
        landing.land(feed, reader, planned)
        load_all(feed)
        landing.land(feed, reader, planned)  # as a process would that read it at the same time
    assert landed_keys(feed) == []
