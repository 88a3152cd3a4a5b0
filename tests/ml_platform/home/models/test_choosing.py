"""The choice of a version."""

import pytest

from tests.ml_platform.home.conftest import Draw
from tests.ml_platform.home.models.model_cases import has


def test_the_live_version_is_chosen_first(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    has(monkeypatch)
    page = draw("models", "auto", view="Errors")
    assert page.selectbox(key="version of auto").options == [
        "Version 3, never live",
        "Version 2, live",
        "Version 1, was live",
    ]
    assert page.selectbox(key="version of auto").value == 2


def test_an_address_names_a_version(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    has(monkeypatch)
    assert draw("models", "auto", view="Errors", version="1").selectbox(key="version of auto").value == 1


def test_without_versions_there_is_a_hint(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    has(monkeypatch, versions=[])
    assert draw("models", "auto", view="Errors").info[0].value == "There is no version yet: train a model."
