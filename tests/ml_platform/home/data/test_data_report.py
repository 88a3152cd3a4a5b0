"""Reports are shown in a frame, and an operator makes a new one."""

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta

import pytest

from ml_platform.eda import data_report
from ml_platform.exceptions import DegenerateDataError
from ml_platform.records import actions, report_pages
from ml_platform.records.report_pages import DataReport
from tests.ml_platform.home.conftest import VIEWER, Draw
from tests.ml_platform.home.frames import frames

NOW = datetime.now(UTC)
KEY = "auto/eda.2026-05-02T10-00-00Z.html"


@pytest.fixture(autouse=True)
def _no_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_pages, "data_reports", lambda name: [])
    monkeypatch.setattr(actions, "recorded", lambda *given, **others: nullcontext())


def test_there_is_no_report_yet_and_one_is_made(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    page = draw("data", "auto")
    assert page.info[0].value.startswith("There is no report on these data yet.")
    made: list[str] = []
    monkeypatch.setattr(data_report, "publish", made.append)
    page.button[0].click().run()
    assert page.success[0].value == "Done."
    assert page.text[0].value == "The new report on the data of auto is below."
    assert made == ["auto"]


def test_a_report_that_cannot_be_made_says_why(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> str:
        raise DegenerateDataError(f"{name}: there are no rows yet")

    monkeypatch.setattr(data_report, "publish", fail)
    page = draw("data", "auto")
    page.button[0].click().run()
    assert page.error[0].value == "It was not done."
    assert page.text[0].value == "auto: there are no rows yet"


def test_the_newest_report_is_framed_and_a_viewer_cannot_make_one(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    older = DataReport("auto/eda.2026-05-01T10-00-00Z.html", NOW - timedelta(days=1), 10)
    monkeypatch.setattr(report_pages, "data_reports", lambda name: [DataReport(KEY, NOW, 2_000_000), older])
    page = draw("data", "auto", person=VIEWER)
    assert frames(page) == [f"/report/{KEY}"]
    assert page.button[0].disabled
    next(one for one in page.selectbox if one.label == "Report").select_index(1).run()
    assert frames(page) == [f"/report/{older.key}"]
