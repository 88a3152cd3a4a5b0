"""The page Try it, drawn without a browser; the service behind it: parts/test_serving.py."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pytest
from streamlit.testing.v1 import AppTest

from ml_platform.exceptions import ServiceError
from ml_platform.home.try_it import serving
from ml_platform.home.try_it.serving import Answer, BadField
from ml_platform.home.views import try_it
from ml_platform.records import known_rows
from tests.ml_platform.home.conftest import Draw

HOSTILE = "![x](http://evil)"
ROW = {"INDEX": 7, "AGE": 36, "INCOME": 13112.5, "JOB": HOSTILE, "PARENT1": None}
FOUND = {
    "prediction": "1", "probability": 0.667, "probabilities": None, "base": -1.5, "rest": 0.1,
    "reasons": [{"feature": "JOB", "value": HOSTILE, "effect": 0.5}, {"feature": "AGE", "value": None, "effect": -0.2}],
}  # fmt: skip
SCORED = {
    "model": "auto", "model_version": 3, "threshold": 0.4, "reasons_scale": "log odds", "predictions": [FOUND]
}  # fmt: skip


class Service:
    """The service: what it got, and what it will answer."""

    def __init__(self) -> None:
        self.rows: list[Mapping[str, Any]] = []
        self.answer: Answer | ServiceError = Answer(200, SCORED)

    def predict(self, settings: object, dataset: str, row: Mapping[str, Any]) -> Answer:
        self.rows.append(row)
        if isinstance(self.answer, ServiceError):
            raise self.answer
        return self.answer


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    made = Service()
    try_it._sample.clear()
    monkeypatch.setattr(try_it, "home_settings", lambda: Settings)
    monkeypatch.setattr(serving, "state", lambda settings, dataset: (3, None))
    monkeypatch.setattr(serving, "predict", made.predict)
    monkeypatch.setattr(known_rows, "sample", lambda dataset: pa.Table.from_pylist([ROW]))
    monkeypatch.setattr(known_rows, "newest", lambda dataset, key: ROW if key == {"INDEX": 7} else None)
    return made


class Settings:
    """The part of the settings that the page shows."""

    serving_url = "http://predictions:8000"
    serving_public_url = "http://localhost:8000"


def predict(page: AppTest) -> None:
    next(one for one in page.button if one.label == "Predict").click().run()
    assert not page.exception, page.exception


def test_a_real_row_is_scored_with_reasons_and_the_same_for_programs(draw: Draw, service: Service) -> None:
    page = draw("try_it", "auto")
    assert page.text[0].value == "Version 3 answers."
    assert [one.label for one in page.number_input if "required" in one.label] == ["INDEX (required)"]
    next(one for one in page.number_input if one.label == "AGE").set_value(40)
    predict(page)
    (row,) = service.rows
    assert (row["INDEX"], row["AGE"], row["INCOME"], row["JOB"], row["PARENT1"]) == (7, 40, 13112.5, HOSTILE, None)
    assert "TARGET_FLAG" not in row
    assert [(one.label, one.value) for one in page.metric] == [
        ("Prediction", "1"), ("Probability", "0.667"), ("Version", "3"),
    ]  # fmt: skip
    assert page.dataframe[0].value["value"].tolist() == ["", HOSTILE, "missing", ""]
    assert not [one for one in page.markdown if "](http" in one.value]
    curl, python = (one.value for one in page.code)
    assert curl.startswith('curl -s "http://localhost:8000/v1/auto/predict?explain=5"')
    assert "$SERVING_TOKEN" in curl
    assert "'AGE': 40" in python


def test_a_bad_value_is_named_at_its_field(draw: Draw, service: Service) -> None:
    service.answer = Answer(
        422, {}, "the request: 1 of 1 rows are bad", (BadField("AGE", "500", f"too old {HOSTILE}"),)
    )
    page = draw("try_it", "auto")
    predict(page)
    assert [one.value for one in page.error] == [
        "too old \\!\\[x\\]\\(http\\:\\/\\/evil\\)", "The row was not scored (HTTP status 422).",
    ]  # fmt: skip
    assert page.dataframe[0].value.to_dict("records") == [
        {"field": "AGE", "value": "500", "reason": f"too old {HOSTILE}"}
    ]


def test_the_service_is_away(draw: Draw, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> tuple[None, None]:
        raise ServiceError("connection refused")

    monkeypatch.setattr(serving, "state", fail)
    service.answer = ServiceError("connection refused")
    page = draw("try_it", "auto")
    assert page.warning[0].value == "The HTTP service does not answer, so no row can be scored now."
    predict(page)
    assert page.error[0].value == "The row was not scored: the HTTP service does not answer."


def test_no_model_is_live_and_no_row_is_loaded(draw: Draw, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "state", lambda settings, dataset: (None, None))
    monkeypatch.setattr(known_rows, "sample", lambda dataset: pa.table({}))
    page = draw("try_it", "auto")
    assert [one.value for one in page.info] == [
        "No model of this data set is live. Train one first.", "No rows are loaded yet, so the form is empty.",
    ]  # fmt: skip


def test_the_form_is_filled_with_an_entity(draw: Draw, service: Service) -> None:
    page = draw("try_it", "auto")
    page.text_input[0].set_value("8").run()
    next(one for one in page.button if one.label == "Fill with this customer").click().run()
    assert page.info[0].value == "No row with this key is loaded."
    page.text_input[0].set_value("seven").run()
    next(one for one in page.button if one.label == "Fill with this customer").click().run()
    assert page.error[0].value == "This is no key."
    next(one for one in page.number_input if one.label == "AGE").set_value(40)
    page.text_input[0].set_value("7").run()
    next(one for one in page.button if one.label == "Fill with this customer").click().run()
    assert next(one for one in page.number_input if one.label == "AGE").value == 36
