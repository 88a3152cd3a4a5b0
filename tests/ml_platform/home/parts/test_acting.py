"""Actions: only operators act, each is recorded, and its outcome is shown."""

from contextlib import contextmanager

import pytest
from streamlit.testing.v1 import AppTest

from ml_platform.exceptions import RegistryError
from ml_platform.records import actions
from tests.ml_platform.home.conftest import OPERATOR, VIEWER


def _script() -> None:
    import streamlit as st

    from ml_platform.exceptions import RegistryError
    from ml_platform.home.parts import acting

    def fail(by: str) -> str:
        raise RegistryError("there is no version [7](http://evil)")

    acting.show_message()
    is_off = not acting.is_allowed()
    if st.button("Good", disabled=is_off):
        acting.act("do good", lambda by: f"{by} did it", dataset="auto", target="it", reason="why")
        st.rerun()
    if st.button("Bad", disabled=is_off):
        acting.act("do bad", fail, dataset="auto", target="it")
        st.rerun()
    if st.button("Forced"):
        acting.act("do good", fail, dataset="auto", target="it")
        st.rerun()


@pytest.fixture
def recorded(monkeypatch):
    found = []

    @contextmanager
    def record(person, action, **rest):
        try:
            yield
        except RegistryError as error:
            found.append((person, action, rest, str(error)))
            raise
        found.append((person, action, rest, None))

    monkeypatch.setattr(actions, "recorded", record)
    return found


@pytest.fixture
def draw_as(monkeypatch):
    def draw(person):
        monkeypatch.setattr("ml_platform.home.parts.person.current", lambda: person)
        return AppTest.from_function(_script).run()

    return draw


def test_an_operator_acts_and_it_is_recorded_under_the_name(draw_as, recorded):
    page = draw_as(OPERATOR).button[0].click().run()
    assert (page.success[0].value, page.text[0].value) == ("Done.", "olga did it")
    assert recorded == [("olga", "do good", {"dataset": "auto", "target": "it", "reason": "why"}, None)]
    assert not page.run().success  # it is shown once


def test_what_fails_says_why(draw_as, recorded):
    page = draw_as(OPERATOR).button[1].click().run()
    assert (page.error[0].value, page.text[0].value) == ("It was not done.", "there is no version [7](http://evil)")
    assert recorded[0][3] == "there is no version [7](http://evil)"


def test_a_viewer_does_nothing(draw_as, recorded):
    page = draw_as(VIEWER)
    assert [button.disabled for button in page.button] == [True, True, False]
    page = page.button[2].click().run()
    assert page.text[0].value == "victor is a viewer; only an operator may do good."
    assert recorded == []
