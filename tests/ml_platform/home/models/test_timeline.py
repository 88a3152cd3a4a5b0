"""The history of a model, as a person reads it."""

from dataclasses import replace

import pytest

from ml_platform.home.models.timeline import gain_text, outcome, row
from tests.ml_platform.home.conftest import Draw
from tests.ml_platform.home.models.model_cases import (
    DAY,
    DECISION,
    HOSTILE,
    ROLLED_BACK,
    STAYED,
    WENT_LIVE,
    has,
)


def test_a_row_says_who_why_and_by_how_much() -> None:
    assert row(WENT_LIVE) == {
        "when": "2026-01-01 00:00 UTC", "version": "2", "what": "is live; because of the gate",
        "gain (interval)": "+0.1000 (+0.0500 to +0.1500; 95%)", "needed": "an interval above 0.01",
        "by": "train_auto", "approved by": "approved by ann", "reason": "better", "score": "F1 0.6; 0.5 before",
    }  # fmt: skip


def test_what_did_not_go_live_says_so() -> None:
    refused = replace(STAYED, decision=replace(DECISION, decision="refused"))
    waiting = replace(STAYED, decision=DECISION)
    assert [outcome(one) for one in (STAYED, refused, waiting)] == [
        "did not go live: the champion stayed", "did not go live: refused by the gate",
        "passed the gate; it is not live yet",
    ]  # fmt: skip
    assert outcome(ROLLED_BACK) == "was live until 2026-01-01 00:00 UTC; because of a rollback"
    assert outcome(replace(ROLLED_BACK, version=None, went_live=False)) == "no version is live from here on"


def test_the_gain_of_an_error_is_a_share() -> None:
    assert gain_text(replace(DECISION, metric="mae")) == "+10.00% (+5.00% to +15.00%; 95%)"
    assert gain_text(replace(DECISION, gain=None)) == gain_text(None) == ""


def test_a_reason_is_shown_as_it_was_written(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    has(monkeypatch)
    page = draw("models", "auto")
    assert list(page.dataframe[0].value["reason"]) == ["better", HOSTILE, "worse"]
    assert all(HOSTILE not in one.value for one in [*page.markdown, *page.caption])


def test_without_a_model_there_is_a_hint(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    has(monkeypatch, events=[])
    assert draw("models", "auto").info[0].value.startswith("No model was trained yet")
    has(monkeypatch, events=[replace(WENT_LIVE, version=None, went_live=False, at=DAY)])
    assert draw("models", "auto").dataframe
