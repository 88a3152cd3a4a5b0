"""The whole application, drawn without a browser: its start page, and who looks."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from ml_platform import home
from ml_platform.home.parts import person
from ml_platform.records import overview
from tests.ml_platform.home.conftest import VIEWER

SCRIPT = Path(home.__file__).with_name("app.py")


@pytest.fixture
def app(monkeypatch):
    monkeypatch.setattr(person, "current", lambda: VIEWER)
    monkeypatch.setattr(overview, "summaries", lambda datasets: [])
    return AppTest.from_file(str(SCRIPT), default_timeout=30).run()


def test_the_start_page_is_the_overview(app):
    assert not app.exception
    assert app.title[0].value == "Overview"


def test_it_says_who_looks(app):
    assert app.sidebar.text[-1].value == "victor · viewer"
