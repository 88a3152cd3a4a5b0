"""The page Sources, drawn without a browser."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ml_platform.exceptions import ServiceError
from ml_platform.home.views import sources as page_of_sources
from ml_platform.records import sources
from ml_platform.records.sources import PulledRange
from ml_platform.sources.ranges import Feed, Status
from tests.ml_platform.home.conftest import VIEWER, Draw
from tests.ml_platform.ingestion.upload_cases import make_dataset

NOW = datetime.now(UTC)
TABLE = make_dataset("claims", source={"kind": "kafka", "topic": "claims"})
FEED = Feed(TABLE, "train", TABLE.source_of("train"))
STATUS = Status(
    "claims", "train", FEED.source.origin, "0: 5", "0: 9", 4, NOW - timedelta(minutes=3), None, 2000, 3, 1,
)  # fmt: skip
RANGE = PulledRange("0", "", "5", "train_claims.kafka-1.json", NOW, None, None, None, "<b>olga</b>", "", 1)


@pytest.fixture
def status(monkeypatch: pytest.MonkeyPatch) -> list[Status | None]:
    """Return the status of the one source that there is; to be replaced."""
    found: list[Status | None] = [replace(STATUS, seen_at=datetime.now(UTC) - timedelta(minutes=3))]
    monkeypatch.setattr(page_of_sources, "feeds", lambda known: [FEED])
    monkeypatch.setattr(sources, "with_status", lambda feeds: [(FEED, found[0])])
    monkeypatch.setattr(sources, "last_ranges", lambda feed: [RANGE])
    return found


def test_without_sources_the_page_says_what_they_are(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_of_sources, "feeds", lambda known: [])
    page = draw("sources")
    assert page.info[0].value == "No data set has a source: people drop its files."
    assert "docs/sources.md" in page.markdown[0].value


def test_a_source_shows_lag_position_and_ranges(draw: Draw, status: list[Status | None]) -> None:
    page = draw("sources")
    assert [(one.label, one.value) for one in page.metric] == [
        ("Waiting in the source", "4"), ("Last look", "3 minutes ago"), ("Pulled so far", "2,000 rows"),
    ]  # fmt: skip
    assert "Read up to 0: 5; the source has 0: 9" in [one.value for one in page.text]
    page.toggle(key="ranges of pull_claims").set_value(True).run()
    assert page.dataframe[0].value["by"].tolist() == ["<b>olga</b>"]


def test_a_problem_is_said(draw: Draw, status: list[Status | None]) -> None:
    status[0] = Status("claims", "train", "x", "", "", None, None, "kafka: [no](http://evil) answer", 0, 0, 0)
    page = draw("sources")
    assert page.error[0].value.startswith("It cannot be read now.")
    assert page.code[0].value == "kafka: [no](http://evil) answer"
    assert page.metric[0].value == "not counted"


def test_a_source_that_was_never_looked_at(draw: Draw, status: list[Status | None]) -> None:
    status[0] = None
    assert draw("sources").info[0].value.startswith("It was not looked at yet.")


def test_a_person_pulls_now_and_a_viewer_does_not(
    draw: Draw, status: list[Status | None], recorded: list[tuple[str | None, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    pulled: list[str] = []
    monkeypatch.setattr(sources, "pull_now", lambda feed, by: pulled.append(by) or "run")
    assert draw("sources", person=VIEWER).button(key="pull pull_claims").disabled
    page = draw("sources")
    page.button(key="pull pull_claims").click().run()
    assert (pulled, page.success[0].value) == (["olga"], "Done.")
    assert recorded == [("olga", "pull from the source", "claims", "pull_claims", "")]


def test_postgres_is_away(draw: Draw, status: list[Status | None], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(feeds: object) -> list[object]:
        raise ServiceError("Postgres: connection refused")

    monkeypatch.setattr(sources, "with_status", fail)
    assert draw("sources").warning[0].value == "The sources cannot be shown now."
