"""What the tests of pages share: a page drawn without a browser, as a person of a role sees it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from streamlit.testing.v1 import AppTest

from ml_platform.home.login.users import User

Draw = Callable[..., AppTest]
OPERATOR, VIEWER = User("olga", "operator", "1"), User("victor", "viewer", "2")


def _script(module: str) -> None:
    from importlib import import_module

    from ml_platform.home.parts import acting, specs

    specs.choose()
    acting.show_message()
    import_module(f"ml_platform.home.pages.{module}").show()


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
def done_actions(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The actions that were recorded: person, action, data set, target, reason; nothing is written to Postgres."""
    found: list[tuple[str, ...]] = []

    @contextmanager
    def record(person: str, action: str, *, dataset: str, target: str, reason: str = "") -> Iterator[None]:
        yield
        found.append((person, action, dataset, target, reason))

    monkeypatch.setattr("ml_platform.records.actions.recorded", record)
    return found
