"""The page Models as a whole."""

import pytest

from ml_platform.exceptions import ServiceError
from ml_platform.records import approvals, model_history
from tests.ml_platform.home.conftest import VIEWER, Draw
from tests.ml_platform.home.models.model_cases import has


@pytest.mark.parametrize("view", ["History", "Versions", "Model card", "Errors"])
def test_each_view_has_an_address_and_a_heading(draw: Draw, monkeypatch: pytest.MonkeyPatch, view: str) -> None:
    has(monkeypatch)
    page = draw("models", "auto", view=view)
    assert [one.value for one in page.title] == ["Models of auto"]
    assert len(page.header) == 1
    assert not page.warning


def test_without_airflow_and_postgres_the_page_says_what_is_missing(
    draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    has(monkeypatch)

    def fail(*_: object) -> None:
        raise ServiceError("it is away")

    monkeypatch.setattr(approvals, "waiting", fail)
    monkeypatch.setattr(model_history, "events", fail)
    page = draw("models", "auto")
    assert [one.value for one in page.warning] == [
        "What waits for a person cannot be shown now.", "The history cannot be shown now."
    ]  # fmt: skip


def test_a_viewer_can_look_and_not_act(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    has(monkeypatch)
    page = draw("models", "auto", VIEWER)
    assert [one.label for one in page.button if one.disabled] == [
        "Train again", "Roll back", "Promote to another environment"
    ]  # fmt: skip
    assert page.dataframe
