"""The page Predictions, drawn without a browser; its records on a real Postgres: records/test_predictions.py."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from ml_platform.exceptions import ServiceError
from ml_platform.home.views import predictions as page_module
from ml_platform.records import calibration, predictions
from ml_platform.records.calibration import Calibration, Group
from ml_platform.records.predictions import Bin, Distribution, Volume
from tests.ml_platform.home.conftest import Draw

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
VOLUMES = [Volume(NOW - timedelta(hours=3), 1, "batch", 2141), Volume(NOW, 2, "http", 3)]


def version_of(page: AppTest) -> Any:
    return next(one for one in page.selectbox if one.label == "Version")


@pytest.fixture(autouse=True)
def recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    for cached in (page_module._volumes, page_module._counted, page_module._compared):
        cached.clear()
    monkeypatch.setattr(predictions, "volumes", lambda name, since, step: VOLUMES)


def test_the_volume_is_shown_by_version_and_source(draw: Draw) -> None:
    page = draw("predictions", "auto")
    assert page.title[0].value == "Predictions of auto"
    assert (page.metric[0].label, page.metric[0].value) == ("Predictions in this period", "2,144")
    assert page.dataframe[0].value.to_dict("list") == {
        "by": ["version 1, files", "version 2, HTTP"], "predictions": [2141, 3],
    }  # fmt: skip


def test_without_predictions_it_says_how_to_begin(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predictions, "volumes", lambda name, since, step: [])
    assert "Drop a test file" in draw("predictions", "auto").info[0].value


def test_the_distribution_shows_classes_as_they_are(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = "![x](http://evil)"
    found = Distribution(4, {hostile: 3, "1": 1}, (Bin(0.0, 0.5, 3), Bin(0.5, 1.0, 1)))
    monkeypatch.setattr(predictions, "distribution", lambda dataset, since, version: found)
    page = draw("predictions", "auto")
    page.segmented_control[0].set_value("Distribution").run()
    assert version_of(page).options == ["all versions", "2", "1"]
    assert [one.value for one in page.subheader] == ["The probability of the positive class", "The predicted class"]
    assert page.dataframe[0].value["class"].tolist() == [hostile, "1"]
    assert not [one for one in page.markdown if "evil" in one.value]


def test_the_calibration_is_that_of_one_version(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def compared(dataset: object, version: int, since: datetime) -> Calibration:
        asked.append(version)
        return Calibration(100, 40, (Group(0.2, 0.25, 0.1, 0.4, 20), Group(0.9, 1.0, 0.8, 1.0, 20)), 0.05, None)

    monkeypatch.setattr(calibration, "calibration", compared)
    page = draw("predictions", "auto")
    page.segmented_control[0].set_value("Calibration").run()
    assert not page.exception
    assert [(one.label, one.value) for one in page.metric] == [
        ("Predictions with a truth", "40"), ("Looked at", "100"), ("Calibration error", "0.050"),
    ]  # fmt: skip
    version_of(page).set_value(1).run()
    assert asked == [2, 1]


def test_postgres_is_away(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ServiceError("Postgres: connection refused")

    monkeypatch.setattr(predictions, "volumes", fail)
    page = draw("predictions", "auto")
    assert page.warning[0].value == "The predictions cannot be shown now."
