"""The page Overview, drawn without a browser."""

from datetime import UTC, datetime, timedelta

import pytest

from ml_platform.exceptions import ServiceError
from ml_platform.records import overview
from ml_platform.records.overview import LastFile, LiveModel, Summary
from tests.ml_platform.home.conftest import Draw

NOW = datetime.now(UTC)
EMPTY = Summary("penguins", "Which of three species?", None, (), None, None, 0, (0, 0), None, None, 0, 0, 0)
FILE = LastFile("train_auto.csv", NOW - timedelta(hours=3), "loaded", 100, 2)
LIVE = Summary(
    "auto", "Who will file a [claim](http://evil)?", LiveModel(3, NOW - timedelta(days=2), "f1", 0.61, (0.58, 0.64)),
    (0.5, 0.6, 0.61), FILE, FILE, 8161, (10, 20), "drift", None, 0, 0, 0,
)  # fmt: skip


def test_nothing_was_dropped_yet(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview, "summaries", lambda datasets: [EMPTY])
    page = draw("overview")
    assert [one.value for one in page.header] == ["Begin here", "penguins"]
    assert page.metric[0].value == "none yet"
    assert page.info[0].value == "Drop a training file."


def test_a_card_says_what_there_is_and_what_is_next(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview, "summaries", lambda datasets: [EMPTY, LIVE])
    page = draw("overview")
    assert [one.value for one in page.header] == ["auto", "penguins"]
    assert (page.metric[0].label, page.metric[0].value) == ("F1 on the hold-out", "0.610")
    assert page.caption[1].value == "90 % interval 0.580 to 0.640. Version 3, live for 2 days"
    assert "0.500, 0.600, 0.610" in page.get("html")[0].proto.body
    assert "8,161 rows loaded; in the last 24 hours 10 loaded, 20 scored" in page.markdown[0].value
    assert "train\\_auto\\.csv, loaded 3 hours ago, 2 rows rejected" in page.markdown[0].value
    assert page.info[0].value == "The rows have changed: look at the drift, and train with newer rows."
    assert page.caption[0].value == "Who will file a \\[claim\\]\\(http\\:\\/\\/evil\\)?"


def test_postgres_is_away(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(datasets: object) -> list[Summary]:
        raise ServiceError("Postgres: connection refused")

    monkeypatch.setattr(overview, "summaries", fail)
    page = draw("overview")
    assert page.warning[0].value == "The data sets cannot be shown now."
    assert page.code[0].value == "Postgres: connection refused"
