"""What is known of the sources that the specs name."""

import pytest

from ml_platform.sources import ranges, status
from ml_platform.specs.catalog import Catalog
from ml_platform.storage.database import transaction
from tests.ml_platform.ingestion.upload_cases import make_dataset
from tests.ml_platform.sources.source_cases import feed_of

KAFKA = {"kind": "kafka", "topic": "claims"}


def test_every_source_of_every_spec_is_a_feed(monkeypatch: pytest.MonkeyPatch) -> None:
    both, none = make_dataset("both", source={"train": KAFKA, "test": KAFKA}), make_dataset("none")
    monkeypatch.setattr(status, "catalog", lambda _: Catalog((none, both, make_dataset("a", source=KAFKA)), (), ()))
    found = [(feed.table.name, feed.purpose) for feed in status.feeds()]
    assert found == [("a", "train"), ("both", "train"), ("both", "test")]


@pytest.mark.servers
def test_a_source_that_was_never_looked_at_has_no_status(servers) -> None:
    feed = feed_of(KAFKA)
    assert status.status_of(feed) is None
    with transaction() as cursor:
        ranges.record_look(cursor, feed, "", "0: 3", 3)
    found = status.status_of(feed)
    assert found is not None
    assert (found.lag, found.files, found.rows) == (3, 0, 0)
    assert found in status.statuses()
