"""Train again, roll back, promote: each with a reason, and in the person's name."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from ml_platform.home.models import moves
from ml_platform.promotion.results import LiveVersions
from ml_platform.records import actions, environments, runs
from ml_platform.records.environments import Promotion
from tests.ml_platform.home.conftest import OPERATOR, Draw
from tests.ml_platform.home.models.model_cases import DAY, HOSTILE, KEPT, LIVE, OLD, REFUSED, has

Calls = list[tuple[Any, ...]]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Return what was done, and recorded."""
    found: Calls = []

    @contextmanager
    def recorded(person: str, action: str, **more: Any) -> Iterator[None]:
        found.append((action, more["target"], more["reason"]))
        yield

    def rolled_back(name: str, **more: Any) -> LiveVersions:
        found.append((name, more))
        return LiveVersions(more["to"], 2)

    has(monkeypatch)
    monkeypatch.setattr(actions, "recorded", recorded)
    monkeypatch.setattr(moves, "rollback", rolled_back)
    monkeypatch.setattr(runs, "trigger", lambda *given, **more: found.append((*given, more)) or "run")
    monkeypatch.setattr(environments, "environments", lambda: ["production", "staging"])
    promotion = Promotion("production", 1, 7, 6, DAY, "eve", None, "so")
    monkeypatch.setattr(environments, "newest_promotions", lambda name: {"production": promotion})
    return found


def _script(dialog: str) -> None:
    from ml_platform.home.models import moves
    from ml_platform.home.parts import acting, specs

    specs.choose()
    acting.show_message()
    getattr(moves, dialog)(specs.current())


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], AppTest]:
    """Return a function that draws a dialog alone: AppTest closes one at the next run."""

    def opened(dialog: str) -> AppTest:
        monkeypatch.setattr("ml_platform.home.parts.person.current", lambda: OPERATOR)
        app = AppTest.from_function(_script, default_timeout=30, kwargs={"dialog": dialog})
        app.query_params["dataset"] = "auto"
        return app.run()

    return opened


def press(page: AppTest, label: str) -> AppTest:
    """Press a button by its text."""
    return next(one for one in page.button if one.label == label).click().run()


def chosen(page: AppTest, label: str) -> Any:
    """Return a choice by its label."""
    return next(one for one in page.selectbox if one.label == label)


def test_a_rollback_needs_a_reason_and_is_recorded(opened: Callable[[str], AppTest], calls: Calls) -> None:
    page = opened("roll_back")
    assert chosen(page, "Version to roll back to").options == [
        "Version 1: F1 0.5; last live on 2026-01-01 00:00 UTC; gate: passed",
        "Version 3: F1 0.5; never live; gate: not better",
    ]
    assert list(page.dataframe[0].value["now"])[:2] == ["2", "F1 0.6 (0.55 to 0.65)"]
    press(page, "Make version 1 live")
    assert page.error[0].value == "A reason is needed: it is recorded."
    assert calls == []
    page.text_input[0].set_value(f" {HOSTILE} ").run()
    press(page, "Make version 1 live")
    assert calls == [
        ("roll back the model", "version 1", HOSTILE), ("auto", {"reason": HOSTILE, "by": "olga", "to": 1})
    ]  # fmt: skip


def test_only_versions_that_may_be_live_are_offered() -> None:
    assert [one.version for one in moves.targets([REFUSED, KEPT, LIVE, OLD])] == [1, 3]


def test_a_promotion_says_what_changes_there(opened: Callable[[str], AppTest], calls: Calls) -> None:
    page = opened("promote")
    assert list(page.dataframe[0].value["what"]) == [
        "version 7 there, a copy of version 1 here, promoted by eve on 2026-01-01 00:00 UTC",
        "a copy of version 2 here, F1 0.6 (0.55 to 0.65)",
    ]
    chosen(page, "Environment").set_value("staging").run()
    assert page.dataframe[0].value["what"][0] == "nothing that was promoted from here"
    page.text_input[0].set_value("ready").run()
    press(page, "Start the promotion")
    form = {"environment": "staging", "version": 2, "reason": "ready"}
    assert calls == [
        ("promote the model", "version 2 to staging", "ready"), ("promote_auto", form, {"by": "olga"})
    ]  # fmt: skip


@pytest.mark.parametrize("label", ["Train again", "Roll back", "Promote to another environment"])
def test_a_button_opens_its_dialog(draw: Draw, calls: Calls, label: str) -> None:
    page = press(draw("models", "auto"), label)
    assert page.text_input[0].label == "Reason"
    assert calls == []


def test_a_training_is_started_with_its_grid(opened: Callable[[str], AppTest], calls: Calls) -> None:
    page = opened("train")
    page.text_input[0].set_value("new rows").run()
    press(page, "Start the training")
    assert calls == [("train", "grid quick", "new rows"), ("train_auto", {"grid": "quick"}, {"by": "olga"})]
