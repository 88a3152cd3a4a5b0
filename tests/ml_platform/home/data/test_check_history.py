"""The newest verdict, the history of the checks, and the page of each."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ml_platform.records import checks
from ml_platform.records.checks import Check
from tests.ml_platform.home.conftest import Draw
from tests.ml_platform.home.frames import frames

NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def _no_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml_platform.records.report_pages.data_reports", lambda name: [])
    monkeypatch.setattr(checks, "checks", lambda name, kind: [])


def check(days: int, verdict: str, **others: Any) -> Check:
    end = NOW - timedelta(days=days)
    sentence = "Drift: the values of [x](http://evil) differ."
    fields: dict[str, Any] = {"differences": 1, "tests": 9} | others
    return Check(
        "drift", 3, end - timedelta(days=1), end, "training set", 500, verdict, sentence, f"auto/drift.{days}.html",
        end, "monitor_auto", **fields,
    )  # fmt: skip


def view(draw: Draw, name: str) -> Any:
    page = draw("data", "auto")
    page.button_group[0].set_value(name).run()
    assert not page.exception, page.exception
    return page


def test_there_was_no_check_yet(draw: Draw) -> None:
    assert "once 200 of them are scored" in view(draw, "Drift").info[0].value
    assert "when the truth about scored rows is known" in view(draw, "Performance").info[0].value


def test_the_newest_verdict_the_history_and_the_page_are_shown(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [check(0, "drift"), check(1, "no drift", differences=0)]
    monkeypatch.setattr(checks, "checks", lambda name, kind: found)
    page = view(draw, "Drift")
    assert page.error[0].value.startswith("Drift\\: the values of \\[x\\]\\(http")
    assert list(page.dataframe[0].value["verdict"]) == ["drift", "no drift"]
    assert len(page.get("vega_lite_chart")) == 1
    assert frames(page) == ["/report/auto/drift.0.html"]


def test_a_performance_is_shown_beside_its_promise(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        check(days, "as promised", differences=None, tests=None, metric="f1", seen=0.6, promised=0.62)
        for days in (0, 1)
    ]
    monkeypatch.setattr(
        checks, "checks",
        lambda name, kind: [Check(**{**vars(one), "kind": kind}) for one in found] if kind == "performance" else [],
    )  # fmt: skip
    page = view(draw, "Performance")
    assert len(page.success) == 1
    assert list(page.dataframe[0].value["promised"]) == [0.62, 0.62]
