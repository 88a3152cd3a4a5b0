"""Answers on their way, drawn without a browser."""

from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any

import pytest

from ml_platform.labelling import ask, drafts
from ml_platform.labelling.ask import Questions
from ml_platform.records import actions, questions
from ml_platform.records.questions import HandedIn, Progress
from tests.ml_platform.home.conftest import Draw

NOW = datetime.now(UTC)
KEY = "label_auto.20260301T120000000000Z.csv"


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str]]:
    """The actions that were recorded: person, action, target."""
    recorded: list[tuple[str, str, str]] = []

    def record(person: str, action: str, *, target: str, **_: Any) -> Any:
        recorded.append((person, action, target))
        return nullcontext()

    monkeypatch.setattr(actions, "recorded", record)
    monkeypatch.setattr(questions, "next_question", lambda *_: None)
    monkeypatch.setattr(questions, "progress", lambda *_: Progress(12, 0, 3, 2))
    monkeypatch.setattr(questions, "handed_in", lambda _: [])
    return recorded


def test_answers_are_handed_in_under_the_persons_name(
    draw: Draw, done: list[tuple[str, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts, "hand_in", lambda dataset, by: (KEY, 3))
    page = draw("label", "auto")
    assert [one.value for one in page.caption if "Others" in one.value] == [
        "Others have 2 answers that they did not hand in yet."
    ]
    next(one for one in page.button if one.label == "Hand in 3 answers").click().run()
    assert done == [("olga", "hand in answers", "3 answers")]
    assert page.success[0].value == "Done."
    assert page.text[0].value == f"3 answers in label/{KEY}. Below you see when they are loaded."


def test_more_rows_are_asked_for(draw: Draw, done: list[tuple[str, str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Questions("auto", 1, 20, "asked/x.csv", 2141, {"in the hold-out": 437})
    monkeypatch.setattr(ask, "ask", lambda dataset, count, by, labeller: asked)
    page = draw("label", "auto")
    next(one for one in page.number_input if one.label == "Number of rows").set_value(20)
    next(one for one in page.button if one.label == "Choose rows").click().run()
    assert done == [("olga", "ask about rows", "20 rows")]
    assert page.text[0].value == (
        "20 rows more; 2,141 scored rows looked at; left out: 437 in the hold-out. They are in label/asked/x.csv, too."
    )


def test_the_page_says_when_answers_are_loaded(
    draw: Draw, done: list[tuple[str, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [HandedIn(KEY, "olga", 3, NOW, None, 0, 0, None), HandedIn(KEY, "bob", 5, NOW, "loaded", 4, 1, NOW)]
    monkeypatch.setattr(questions, "handed_in", lambda _: files)
    page = draw("label", "auto")
    assert page.dataframe[0].value["state"].tolist() == [
        "waits to be loaded", "loaded: 4 of 5, 1 rejected: see the report of the file",
    ]  # fmt: skip
