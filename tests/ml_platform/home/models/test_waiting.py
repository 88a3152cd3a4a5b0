"""A question that waits for a person, and its answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from ml_platform.records import actions, approvals
from ml_platform.records.approvals import OpenQuestion
from tests.ml_platform.home.conftest import VIEWER, Draw
from tests.ml_platform.home.models.model_cases import DAY, HOSTILE, has

QUESTION = OpenQuestion(
    "train_auto", "run1", "approval", -1, "train", "auto", f"auto: may version 2 go live? {HOSTILE}",
    f"| F1 | 0.6 |\n|---|---|\n| reason | {HOSTILE} |", DAY, DAY, "http://localhost:8082",
)  # fmt: skip


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return the answers that were given."""
    found: list[Any] = []

    @contextmanager
    def recorded(person: str, action: str, **more: Any) -> Iterator[None]:
        yield

    has(monkeypatch, questions=[QUESTION, replace(QUESTION, dataset="penguins", run_id="other")])
    monkeypatch.setattr(actions, "recorded", recorded)
    monkeypatch.setattr(approvals, "answer", lambda question, **more: found.append((question.run_id, more)))
    return found


def test_only_the_questions_of_the_data_set_are_shown_and_are_harmless(draw: Draw, answers: list[Any]) -> None:
    page = draw("models", "auto")
    assert page.subheader[0].value == "A version waits for your decision"
    assert [one.label for one in page.button if one.label in ("Approve", "Reject")] == ["Approve", "Reject"]
    assert all("![" not in one.value and "](http" not in one.value for one in page.markdown)


@pytest.mark.parametrize(("label", "approved"), [("Approve", True), ("Reject", False)])
def test_an_answer_needs_a_reason(draw: Draw, answers: list[Any], label: str, approved: bool) -> None:
    page = draw("models", "auto")
    button = {one.label: one for one in page.button}
    button[label].click().run()
    assert page.error[0].value == "A reason is needed: it is recorded with the decision."
    assert answers == []
    page.text_input[0].set_value("checked").run()
    {one.label: one for one in page.button}[label].click().run()
    assert answers == [("run1", {"approved": approved, "reason": "checked", "by": "olga"})]


def test_a_viewer_cannot_answer(draw: Draw, answers: list[Any]) -> None:
    page = draw("models", "auto", VIEWER)
    assert all(one.disabled for one in page.button if one.label in ("Approve", "Reject"))
