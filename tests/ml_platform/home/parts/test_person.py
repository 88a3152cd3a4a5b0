"""The person of a session."""

from types import SimpleNamespace

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from ml_platform.home.login import sessions, users
from ml_platform.home.settings import home_settings
from tests.ml_platform.home.test_settings import GOOD


def _script() -> None:
    import streamlit as st

    from ml_platform.home.parts import person

    st.title(person.current().name)


@pytest.fixture
def with_cookie(monkeypatch):
    home_settings.cache_clear()
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)

    def draw(cookie):
        monkeypatch.setattr(st, "context", SimpleNamespace(cookies={sessions.COOKIE: cookie}))
        return AppTest.from_function(_script).run()

    yield draw
    home_settings.cache_clear()


def test_a_session_names_the_person(with_cookie):
    settings = home_settings()
    assert with_cookie(sessions.start(settings, users.find(settings, "admin"))).title[0].value == "admin"


def test_a_session_that_has_ended_shows_nothing_but_the_way_to_log_in(with_cookie):
    page = with_cookie("x")
    assert page.info[0].value == "Your session has ended."
    assert not page.title
