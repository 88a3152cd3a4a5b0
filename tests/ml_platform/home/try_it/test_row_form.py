"""A field for every type, drawn without a browser, and what is sent."""

import json
from datetime import UTC, datetime
from typing import Any

from streamlit.testing.v1 import AppTest

MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROW: dict[str, Any] = {
    "ID": 2**60, "COUNT": 3, "RATIO": 0.1 + 0.2, "PRICE": 67349.0, "KIND": "[a](b)", "FLAG": False, "NOTE": None,
    "AT": MOMENT,
}  # fmt: skip


def _script(row: dict, changes: dict) -> None:  # type: ignore[type-arg] # it runs alone, without imports
    import streamlit as st

    from ml_platform.home.try_it import row_form
    from tests.ml_platform.ingestion.upload_cases import timed_dataset

    dataset = timed_dataset(**changes)
    drawn = row_form.fields(dataset, row, {"KIND": ["Blue Collar"]}, 1)
    row_form.draw(dataset, drawn, {"COUNT": "more than <b>10"})
    st.json(row_form.row(dataset, drawn))


def drawn(row: dict[str, Any], **changes: Any) -> AppTest:
    page = AppTest.from_function(_script, kwargs={"row": row, "changes": changes}).run()
    assert not page.exception, page.exception
    return page


def test_a_row_comes_back_as_it_is() -> None:
    page = drawn(ROW)
    sent = json.loads(page.json[0].value)
    assert sent == ROW | {"ID": str(2**60), "AT": "2026-03-01T12:00:00+00:00"}
    assert page.selectbox[0].options == ["Blue Collar", "[a](b)"]
    assert page.error[0].value == "more than \\<b\\>10"


def test_an_empty_form_sends_missing_values() -> None:
    page = drawn({})
    assert set(json.loads(page.json[0].value).values()) == {None}
    assert [one.label for one in page.number_input][:1] == ["ID (required)"]


def test_a_time_is_written_in_the_form_and_zone_of_the_files() -> None:
    column = {"type": "timestamp", "format": "%d.%m.%Y %H:%M", "zone": "Europe/Berlin"}
    page = drawn(ROW, columns={"AT": column})
    assert page.text_input[-1].value == "01.03.2026 13:00"
