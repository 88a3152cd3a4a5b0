"""The sources of data sets, for people."""

import pytest

from ml_platform.records import sources
from ml_platform.sources import ranges
from ml_platform.sources.reader import Range, Reading
from ml_platform.storage.database import transaction
from tests.ml_platform.ingestion.upload_cases import make_dataset
from tests.ml_platform.records.airflow_answers import FakeAirflow
from tests.ml_platform.sources.source_cases import feed_of

KAFKA = {"kind": "kafka", "topic": "claims"}


def test_a_pull_is_started_under_the_persons_name(airflow: FakeAirflow) -> None:
    table = make_dataset("both", source={"train": KAFKA, "test": KAFKA})
    feeds = [ranges.Feed(table, purpose, table.source_of(purpose)) for purpose in ("train", "test")]
    assert [sources.dag_of(feed) for feed in feeds] == ["pull_both", "pull_test_both"]
    airflow.answers["POST /dags/pull_test_both/dagRuns"] = {"dag_run_id": "manual__1"}
    assert sources.pull_now(feeds[1], by="olga") == "manual__1"
    assert "olga" in airflow.sent()["conf"].values()


@pytest.mark.servers
@pytest.mark.usefixtures("servers")
def test_status_and_ranges() -> None:
    feed = feed_of(KAFKA)
    assert sources.with_status([feed]) == [(feed, None)]
    with transaction() as cursor:
        ranges.record_look(cursor, feed, "0: 3", "0: 5", 2)
        ranges.plan(cursor, feed, [(Range("0", "", "3"), "a"), (Range("0", "3", "5"), "b")], by="olga")
        first = ranges.waiting(cursor, feed)[0]
        ranges.record_landing(cursor, first, Reading(3, 1), 100)
    ((_, status),) = sources.with_status([feed])
    assert status is not None
    assert (status.lag, status.rows, status.waiting) == (2, 3, 1)
    newest, oldest = sources.last_ranges(feed)
    assert (newest.start, newest.end, newest.landed_at, newest.by) == ("3", "5", None, "olga")
    assert (oldest.rows, oldest.skipped, oldest.object_key, oldest.reason, oldest.reading) == (3, 1, "a", "", 1)
    assert oldest.landed_at is not None
    assert len(sources.last_ranges(feed, limit=1)) == 1
