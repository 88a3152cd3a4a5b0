"""What the tests of pages share: a page drawn without a browser, as a person of a role sees it."""

import shutil
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from ml_platform.drafts import spec_edit
from ml_platform.home.login.users import User
from ml_platform.home.parts import specs
from ml_platform.records import actions
from stack.config import ROOT
from tests.stack.conftest import config  # noqa: F401 – a fixture

Draw = Callable[..., AppTest]
OPERATOR, VIEWER = User("olga", "operator", "1"), User("victor", "viewer", "2")


def _script(module: str) -> None:
    from importlib import import_module

    from ml_platform.home.parts import acting, specs

    specs.choose()
    acting.show_message()
    import_module(f"ml_platform.home.views.{module}").show()


@pytest.fixture
def draw(monkeypatch: pytest.MonkeyPatch) -> Draw:
    """Return a function that draws a page: module, data set, person; and returns Streamlit's AppTest."""

    def drawn(
        module: str, dataset: str | None = None, person: User = OPERATOR, timeout: float = 30, **query: str
    ) -> AppTest:
        monkeypatch.setattr("ml_platform.home.parts.person.current", lambda: person)
        app = AppTest.from_function(_script, default_timeout=timeout, kwargs={"module": module})
        for name, value in ({"dataset": dataset} | query if dataset else query).items():
            app.query_params[name] = value
        app.run()
        assert not app.exception, app.exception
        return app

    return drawn


@pytest.fixture
def spec_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with two specs, which the pages use; there are no loaded rows, and no actions."""
    for name in ("auto", "penguins"):
        shutil.copy(ROOT / "datasets" / f"{name}.yaml", tmp_path)
    monkeypatch.setattr(specs, "DATASETS_DIR", tmp_path)
    monkeypatch.setattr(spec_edit.tables, "incompatible_changes", lambda table: [])
    monkeypatch.setattr(actions, "newest", lambda limit=100, dataset=None: [])
    st.cache_data.clear()
    return tmp_path


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str | None, ...]]:
    """Return what is recorded of actions: person, action, data set, target and reason of each."""
    found: list[tuple[str | None, ...]] = []

    def record(person: str, action: str, *, dataset: str | None, target: str, reason: str = "") -> Any:
        found.append((person, action, dataset, target, reason))
        return nullcontext()

    monkeypatch.setattr(actions, "recorded", record)
    return found
