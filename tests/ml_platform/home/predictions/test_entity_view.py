"""All predictions about one entity, drawn without a browser."""

from datetime import UTC, datetime, timedelta

import pytest

from ml_platform.home.predictions import entity_view
from ml_platform.records import prediction_reasons, predictions
from ml_platform.records.prediction_reasons import Explanation, NotExplained, Reason
from ml_platform.records.predictions import Prediction
from tests.ml_platform.home.conftest import Draw

THEN = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATE = Prediction(2, "http", THEN, THEN, "1", 0.75, None, None, None, "0", THEN + timedelta(days=3))
KNOWN = Prediction(1, "batch", THEN, THEN, "0", 0.25, None, None, "auto/x.csv", "0", THEN - timedelta(days=3))
OPEN = Prediction(1, "batch", THEN, THEN, "7.5", None, 7.0, 8.0, "auto/<b>.csv", None, None)


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predictions, "of_entity", lambda dataset, key: [LATE, KNOWN, OPEN] if key["INDEX"] == 7 else [])
    monkeypatch.setattr(entity_view, "_model", lambda name, version: (name, version))


@pytest.mark.usefixtures("found")
def test_every_prediction_is_listed_with_the_truth(draw: Draw) -> None:
    page = draw("predictions", "auto")
    page.segmented_control[0].set_value("One entity").run()
    assert page.info[0].value.startswith("Enter the key of a customer")
    page.text_input[0].set_value("7").run()
    assert not page.exception
    table = page.dataframe[0].value
    assert table["truth"].tolist() == ["0", "0", "not known"]
    assert table["truth loaded"].tolist() == ["2026-03-04 12:00 UTC", "2026-02-26 12:00 UTC, known before", ""]
    assert table["interval"].tolist() == ["", "", "7 to 8"]
    page.text_input[0].set_value("8").run()
    assert page.info[0].value == "There is no prediction with this key."
    page.text_input[0].set_value("<i>no").run()
    assert page.error[0].value == "This is no key."
    assert "'<i>no'" in page.text[0].value


@pytest.mark.usefixtures("found")
def test_reasons_are_shown_or_why_there_are_none(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    explained = Explanation((Reason("AGE", 36, 0.5), Reason("JOB", None, -0.25)), -1.0, 0.1, "log odds")
    answers = [NotExplained("Its row is not kept."), explained]
    monkeypatch.setattr(prediction_reasons, "explain", lambda *_: answers.pop(0))
    page = draw("predictions", "auto")
    page.segmented_control[0].set_value("One entity").run()
    page.text_input[0].set_value("7").run()
    page.button[0].click().run()
    assert page.info[0].value == "Its row is not kept."
    page.button[0].click().run()
    assert not page.exception
    assert page.dataframe[1].value.to_dict("list") == {
        "feature": ["base: nothing is known", "AGE", "JOB", "all other features"],
        "value": ["", "36", "missing", ""],
        "effect": ["-1", "+0.5", "-0.25", "+0.1"],
    }
